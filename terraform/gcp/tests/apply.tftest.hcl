# What is known only once something was made: everything is made by the mock, and nothing anywhere else.
mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { email = "account@project-1.iam.gserviceaccount.com" }
  }
}

variables {
  project_id = "project-1"
  region     = "europe-west1"
  name       = "demo"
  origin     = "log.example.com"
  image      = "europe-docker.pkg.dev/project-1/tiletree/tiletree@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "it_is_made" {
  command = apply

  variables {
    domain    = "log.example.com"
    operators = ["user:operator@example.com"]
  }

  assert {
    condition     = output.log == "gs://project-1-demo-public" && output.private == "gs://project-1-demo-private" && output.anchor == "gs://project-1-demo-anchor"
    error_message = "The outputs name the three places."
  }
  assert {
    condition     = output.job == "demo-sequencer" && output.load_balancer_ip == google_compute_global_address.log[0].address
    error_message = "The outputs name the job and the address."
  }
  assert {
    condition     = google_cloud_scheduler_job.sequencer[0].http_target[0].uri == google_cloud_run_v2_service.sequencer[0].uri
    error_message = "The schedule calls the service."
  }
}

run "it_is_frozen" {
  command = apply

  variables {
    domain    = "log.example.com"
    operators = ["user:operator@example.com"]
    frozen    = true
  }

  assert {
    condition     = output.job == null && google_storage_bucket.public.name == "project-1-demo-public" && length(google_compute_backend_bucket.log) == 1
    error_message = "The public part is served as before."
  }
}
