# A log with a host name of its own: a load balancer with Cloud CDN, alerts by e-mail, and a sequencer that runs as a job
# each five minutes.
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }

  # Keep the state where your team and nobody else reads it. It holds no secret, and whoever can write it decides what
  # the next apply does.
  # backend "gcs" {
  #   bucket = "BUCKET"
  #   prefix = "tiletree/demo"
  # }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

resource "google_monitoring_notification_channel" "operators" {
  project      = var.project_id
  display_name = "Operators of the log"
  type         = "email"
  labels       = { email_address = var.email }
}

module "log" {
  source = "../../gcp"

  project_id            = var.project_id
  region                = var.region
  bucket_location       = "EU"
  name                  = "demo"
  origin                = var.domain
  domain                = var.domain
  image                 = var.image
  runner                = "job"
  schedule              = "*/5 * * * *"
  witnesses             = { timeout_seconds = 20 }
  max_wait_seconds      = 1800
  silence_seconds       = 1800
  operators             = var.operators
  submitters            = var.submitters
  notification_channels = [google_monitoring_notification_channel.operators.id]
  labels                = { service = "transparency-log" }
}
