locals {
  cdn = var.domain == null ? 0 : 1
}

resource "google_compute_backend_bucket" "log" {
  count            = local.cdn
  project          = var.project_id
  name             = "${var.name}-public"
  bucket_name      = google_storage_bucket.public.name
  enable_cdn       = true
  compression_mode = "DISABLED" # hashes do not get shorter, and runs of an index are read in ranges

  # Every object says itself for how long a copy of it may be used: tiles for a year, the checkpoint not at all.
  cdn_policy {
    cache_mode         = "USE_ORIGIN_HEADERS"
    negative_caching   = false # a tile that was not there a moment ago may be there now
    request_coalescing = true
    serve_while_stale  = 0
  }

  custom_response_headers = [
    "Strict-Transport-Security: max-age=31536000",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Content-Security-Policy: frame-ancestors 'none'",
  ]

  depends_on = [google_project_service.this]
}

resource "google_compute_global_address" "log" {
  count      = local.cdn
  project    = var.project_id
  name       = "${var.name}-log"
  depends_on = [google_project_service.this]
}

resource "google_compute_managed_ssl_certificate" "log" {
  count   = local.cdn
  project = var.project_id
  name    = "${var.name}-log"
  managed {
    domains = [var.domain]
  }
  depends_on = [google_project_service.this]
}

resource "google_compute_ssl_policy" "log" {
  count           = local.cdn
  project         = var.project_id
  name            = "${var.name}-log"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
  depends_on      = [google_project_service.this]
}

resource "google_compute_url_map" "log" {
  count           = local.cdn
  project         = var.project_id
  name            = "${var.name}-log"
  default_service = google_compute_backend_bucket.log[0].id
}

resource "google_compute_target_https_proxy" "log" {
  count            = local.cdn
  project          = var.project_id
  name             = "${var.name}-log"
  url_map          = google_compute_url_map.log[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.log[0].id]
  ssl_policy       = google_compute_ssl_policy.log[0].id
}

resource "google_compute_global_forwarding_rule" "log" {
  count                 = local.cdn
  project               = var.project_id
  name                  = "${var.name}-log"
  target                = google_compute_target_https_proxy.log[0].id
  ip_address            = google_compute_global_address.log[0].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
