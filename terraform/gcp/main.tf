locals {
  buckets = {
    public  = "${var.project_id}-${var.name}-public"
    private = "${var.project_id}-${var.name}-private"
    anchor  = "${var.project_id}-${var.name}-anchor"
  }

  # Addresses are put together from names, so that every policy is known before anything is made.
  accounts = { for role in ["sequencer", "scheduler", "maintenance"] : role =>
    "${var.name}-${role}@${var.project_id}.iam.gserviceaccount.com"
  }
  members = { for role, email in local.accounts : role => "serviceAccount:${email}" }

  runs        = !var.frozen
  repairs     = var.maintenance && !var.frozen
  by_service  = local.runs && var.runner == "service"
  by_job      = local.runs && var.runner == "job"
  bucket_url  = "https://storage.googleapis.com/${local.buckets.public}"
  log_url     = var.domain == null ? local.bucket_url : "https://${var.domain}"
  key_version = "projects/${var.project_id}/locations/${var.region}/keyRings/${var.name}/cryptoKeys/log/cryptoKeyVersions/1"

  witnesses = var.witnesses == null ? {} : {
    TILETREE_WITNESS_TIMEOUT = tostring(var.witnesses.timeout_seconds)
    TILETREE_WAIT_EXTRA      = tostring(var.witnesses.wait_extra_seconds)
    TILETREE_FAIL_OPEN       = tostring(var.witnesses.fail_open)
  }
  environment = merge(var.environment, local.witnesses, {
    TILETREE_LOG     = "gs://${local.buckets.public}"
    TILETREE_PRIVATE = "gs://${local.buckets.private}"
    TILETREE_ANCHOR  = "gs://${local.buckets.anchor}"
    TILETREE_KEY     = "gcpkms://${local.key_version}"
    TILETREE_URL     = local.log_url
  })
}

resource "google_project_service" "this" {
  for_each = toset(concat(
    ["storage.googleapis.com", "iam.googleapis.com", "run.googleapis.com", "cloudscheduler.googleapis.com"],
    ["cloudkms.googleapis.com", "monitoring.googleapis.com", "logging.googleapis.com"],
    var.domain == null ? [] : ["compute.googleapis.com"],
  ))
  project            = var.project_id
  service            = each.value
  disable_on_destroy = false # something else in the project may use it
}

resource "google_service_account" "sequencer" {
  project      = var.project_id
  account_id   = "${var.name}-sequencer"
  display_name = "Signs and publishes the log ${var.origin}"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "scheduler" {
  project      = var.project_id
  account_id   = "${var.name}-scheduler"
  display_name = "Starts the runs of the log ${var.origin}"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "maintenance" {
  count        = local.repairs ? 1 : 0
  project      = var.project_id
  account_id   = "${var.name}-maintenance"
  display_name = "Repairs the log ${var.origin}"

  depends_on = [google_project_service.this]
}
