locals {
  # Two runs at once are safe, because the head is swapped; they only waste each other's work.
  sequencer_uri = one(google_cloud_run_v2_service.sequencer[*].uri)
  run_job_uri   = "https://run.googleapis.com/v2/projects/${var.project_id}/locations/${var.region}/jobs/${var.name}-sequencer:run"
}

# Whatever the schedule starts, this job is there: `init`, `freeze` and other commands that sign are run in it by hand.
resource "google_cloud_run_v2_job" "sequencer" {
  count               = local.runs ? 1 : 0
  project             = var.project_id
  name                = "${var.name}-sequencer"
  location            = var.region
  deletion_protection = false # it holds nothing
  labels              = var.labels

  template {
    task_count  = 1
    parallelism = 1
    template {
      service_account = google_service_account.sequencer.email
      max_retries     = 0 # the next run of the schedule finishes the work
      timeout         = "${var.timeout_seconds}s"
      containers {
        image   = var.image
        command = ["python", "-m", "tiletree"]
        args    = ["sequence", local.environment.TILETREE_LOG, "--json"]
        resources {
          limits = { cpu = "1", memory = var.memory }
        }
        dynamic "env" {
          for_each = local.environment
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service" "sequencer" {
  count               = local.by_service ? 1 : 0
  project             = var.project_id
  name                = "${var.name}-sequencer"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY" # Cloud Scheduler of the same project counts as internal
  deletion_protection = false
  labels              = var.labels

  template {
    service_account                  = google_service_account.sequencer.email
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = 1
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }
    containers {
      image   = var.image
      command = ["python", "-m", "tiletree.jobs.http"]
      resources {
        limits   = { cpu = "1", memory = var.memory }
        cpu_idle = true # billed while a request is answered, and not in between
      }
      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_job" "maintenance" {
  count               = local.repairs ? 1 : 0
  project             = var.project_id
  name                = "${var.name}-maintenance"
  location            = var.region
  deletion_protection = false
  labels              = var.labels

  template {
    task_count  = 1
    parallelism = 1
    template {
      service_account = google_service_account.maintenance[0].email
      max_retries     = 0
      timeout         = "86400s"
      containers {
        image   = var.image
        command = ["python", "-m", "tiletree"]
        args    = ["status", local.environment.TILETREE_LOG, "--json"]
        resources {
          limits = { cpu = "1", memory = var.memory }
        }
        dynamic "env" {
          for_each = local.environment
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service_iam_binding" "invoker" {
  count    = local.by_service ? 1 : 0
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.sequencer[0].name
  role     = "roles/run.invoker"
  members  = [local.members.scheduler]

  depends_on = [google_service_account.scheduler]
}

resource "google_cloud_run_v2_job_iam_binding" "invoker" {
  count    = local.by_job ? 1 : 0
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.sequencer[0].name
  role     = "roles/run.invoker" # starts it as it is; it cannot change its arguments
  members  = [local.members.scheduler]

  depends_on = [google_service_account.scheduler]
}

resource "google_cloud_run_v2_job_iam_binding" "operators" {
  for_each = length(var.operators) == 0 ? toset([]) : toset(concat(local.runs ? ["sequencer"] : [], local.repairs ? ["maintenance"] : []))
  project  = var.project_id
  location = var.region
  name     = "${var.name}-${each.value}"
  role     = "roles/run.jobsExecutorWithOverrides" # with a command of theirs
  members  = sort(var.operators)

  depends_on = [google_cloud_run_v2_job.sequencer, google_cloud_run_v2_job.maintenance]
}

resource "google_cloud_scheduler_job" "sequencer" {
  count            = local.runs ? 1 : 0
  project          = var.project_id
  region           = var.region
  name             = "${var.name}-sequencer"
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.timeout_seconds}s"

  retry_config {
    retry_count = 0 # the next run is the retry; a queue of old ones would only be in its way
  }

  http_target {
    http_method = "POST"
    uri         = local.by_job ? local.run_job_uri : local.sequencer_uri

    dynamic "oauth_token" {
      for_each = local.by_job ? [1] : []
      content {
        service_account_email = google_service_account.scheduler.email
      }
    }
    dynamic "oidc_token" {
      for_each = local.by_service ? [1] : []
      content {
        service_account_email = google_service_account.scheduler.email
        audience              = local.sequencer_uri
      }
    }
  }

  depends_on = [google_cloud_run_v2_job.sequencer, google_cloud_run_v2_service_iam_binding.invoker, google_cloud_run_v2_job_iam_binding.invoker]
}
