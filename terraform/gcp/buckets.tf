locals {
  location = coalesce(var.bucket_location, var.region)
}

# No bucket has a retention policy: it would freeze the checkpoint, the head and the anchor, which are replaced. That
# tiles stay what they are is a matter of rights (rights.tf).
resource "google_storage_bucket" "public" {
  #checkov:skip=CKV_GCP_114:readers need no account
  #checkov:skip=CKV_GCP_62:who reads what of a public log is nobody's business; Cloud Audit Logs have the writes
  project                     = var.project_id
  name                        = local.buckets.public
  location                    = local.location
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited"
  force_destroy               = !var.deletion_protection
  labels                      = var.labels

  versioning {
    enabled = true
  }

  # Never a rule for what is current: an idle log needs its partial tiles for as long as it stands.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.superseded_days
      with_state                 = "ARCHIVED"
    }
  }

  soft_delete_policy {
    retention_duration_seconds = 0 # versions serve this purpose here
  }

  # Pages of others verify as well; the index is read in ranges.
  cors {
    origin          = ["*"]
    method          = ["GET", "HEAD"]
    response_header = ["Content-Type", "Content-Encoding", "Content-Range", "Range", "ETag", "Last-Modified"]
    max_age_seconds = 86400
  }

  website {
    main_page_suffix = "index.html"
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket" "private" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs have reads and writes, if the project keeps them
  #checkov:skip=CKV_GCP_78:deleted objects can be restored for some days, and what was taken down is gone after that
  project                     = var.project_id
  name                        = local.buckets.private
  location                    = local.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection
  labels                      = var.labels

  # A batch that is committed and not published is nowhere else: somebody who deletes it by mistake can bring it back.
  soft_delete_policy {
    retention_duration_seconds = var.private_recovery_days * 86400
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket" "anchor" {
  #checkov:skip=CKV_GCP_62:its versions say what was written; Cloud Audit Logs say by whom
  project                     = var.project_id
  name                        = local.buckets.anchor
  location                    = local.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection
  labels                      = var.labels

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.anchor_days
      with_state                 = "ARCHIVED"
    }
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  depends_on = [google_project_service.this]
}
