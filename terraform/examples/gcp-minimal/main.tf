# A log whose sequencer runs each minute, served from storage.googleapis.com.
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

module "log" {
  source = "../../gcp"

  project_id = var.project_id
  region     = var.region
  name       = "demo"
  origin     = var.origin
  image      = var.image
  operators  = var.operators
  submitters = var.submitters
}
