resource "google_kms_key_ring" "log" {
  project    = var.project_id
  name       = var.name
  location   = var.region
  depends_on = [google_project_service.this]
}

# There is one version for ever: a log that signs with another key is another log.
resource "google_kms_crypto_key" "log" {
  #checkov:skip=CKV_GCP_82:prevent_destroy would leave nobody a way to destroy a log; its destruction waits for 90 days
  name     = "log"
  key_ring = google_kms_key_ring.log.id
  purpose  = "ASYMMETRIC_SIGN"
  labels   = var.labels

  version_template {
    algorithm        = "EC_SIGN_ED25519"
    protection_level = var.kms_protection_level
  }

  # Whoever destroys it by mistake can bring it back for as long: gcloud kms keys versions restore.
  destroy_scheduled_duration = "7776000s"
}

# A binding is all of a role's members on the key: whoever else was given the role there loses it.
resource "google_kms_crypto_key_iam_binding" "signer" {
  count         = local.runs ? 1 : 0
  crypto_key_id = google_kms_crypto_key.log.id
  role          = "roles/cloudkms.signer"
  members       = concat([local.members.sequencer], local.repairs ? [local.members.maintenance] : [])
  depends_on    = [google_service_account.sequencer, google_service_account.maintenance]
}

resource "google_kms_crypto_key_iam_binding" "public_key" {
  crypto_key_id = google_kms_crypto_key.log.id
  role          = "roles/cloudkms.publicKeyViewer"
  members       = concat([local.members.sequencer], local.repairs ? [local.members.maintenance] : [], sort(var.operators))
  depends_on    = [google_service_account.sequencer, google_service_account.maintenance]
}
