# What is known before anything is made. `override_during = plan` makes what the provider computes known as well.
mock_provider "google" {
  override_during = plan

  mock_resource "google_service_account" {
    defaults = { email = "account@project-1.iam.gserviceaccount.com" }
  }
  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/project-1/locations/europe-west1/keyRings/demo/cryptoKeys/log" }
  }
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://demo-sequencer.example" }
  }
  mock_resource "google_monitoring_uptime_check_config" {
    defaults = { uptime_check_id = "demo-checkpoint" }
  }
}

variables {
  project_id = "project-1"
  region     = "europe-west1"
  name       = "demo"
  origin     = "log.example.com"
  image      = "europe-docker.pkg.dev/project-1/tiletree/tiletree@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "the_least" {
  command = plan

  assert {
    condition     = length(google_compute_global_forwarding_rule.log) == 0
    error_message = "Without a domain there is no load balancer."
  }
  assert {
    condition     = length(google_cloud_run_v2_service.sequencer) == 1 && length(google_cloud_run_v2_job.sequencer) == 1 && length(google_cloud_run_v2_job.maintenance) == 0
    error_message = "The service runs, the job is there for commands by hand, and nothing repairs."
  }
  assert {
    condition     = [for each in jsondecode(google_storage_bucket_iam_policy.public.policy_data).bindings : each.role if contains(each.members, "allUsers")] == ["roles/storage.legacyObjectReader"]
    error_message = "Everyone may read the public part by name, and do nothing else."
  }
  assert {
    condition     = !strcontains(google_storage_bucket_iam_policy.private.policy_data, "all") && !strcontains(google_storage_bucket_iam_policy.anchor.policy_data, "all")
    error_message = "Nobody else than named accounts sees the private part and the anchor."
  }
  assert {
    condition     = toset(flatten([for each in jsondecode(google_storage_bucket_iam_policy.anchor.policy_data).bindings : each.members])) == toset(["serviceAccount:demo-sequencer@project-1.iam.gserviceaccount.com"])
    error_message = "The anchor is the sequencer's alone."
  }
  assert {
    condition     = google_kms_crypto_key_iam_binding.signer[0].members == toset(["serviceAccount:demo-sequencer@project-1.iam.gserviceaccount.com"])
    error_message = "The sequencer alone signs."
  }
  assert {
    condition     = google_kms_crypto_key.log.purpose == "ASYMMETRIC_SIGN" && google_kms_crypto_key.log.version_template[0].algorithm == "EC_SIGN_ED25519"
    error_message = "The key is of Ed25519."
  }
  assert {
    condition     = google_storage_bucket.public.versioning[0].enabled && google_storage_bucket.anchor.versioning[0].enabled
    error_message = "What is replaced in the public bucket and the anchor's can be brought back."
  }
  assert {
    condition     = alltrue([for bucket in [google_storage_bucket.public, google_storage_bucket.anchor] : alltrue([for rule in bucket.lifecycle_rule : alltrue([for condition in rule.condition : condition.with_state == "ARCHIVED" && condition.days_since_noncurrent_time >= 30])])])
    error_message = "No rule deletes what is current."
  }
  assert {
    condition     = length(google_storage_bucket.private.lifecycle_rule) == 0 && alltrue([for bucket in [google_storage_bucket.public, google_storage_bucket.private, google_storage_bucket.anchor] : length(bucket.retention_policy) == 0])
    error_message = "The private part never expires, and no retention policy freezes what is replaced."
  }
  assert {
    condition     = google_storage_bucket.private.public_access_prevention == "enforced" && google_storage_bucket.anchor.public_access_prevention == "enforced"
    error_message = "Nobody can make private part and anchor public by mistake."
  }
  assert {
    condition     = { for each in google_cloud_run_v2_service.sequencer[0].template[0].containers[0].env : each.name => each.value } == { TILETREE_LOG = "gs://project-1-demo-public", TILETREE_PRIVATE = "gs://project-1-demo-private", TILETREE_ANCHOR = "gs://project-1-demo-anchor", TILETREE_KEY = "gcpkms://projects/project-1/locations/europe-west1/keyRings/demo/cryptoKeys/log/cryptoKeyVersions/1", TILETREE_URL = "https://storage.googleapis.com/project-1-demo-public" }
    error_message = "The sequencer is told where everything is."
  }
  assert {
    condition     = google_cloud_run_v2_service.sequencer[0].ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" && google_cloud_run_v2_service.sequencer[0].template[0].max_instance_request_concurrency == 1 && google_cloud_run_v2_service.sequencer[0].template[0].scaling[0].max_instance_count == 1
    error_message = "One run at a time, called from within the project."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker[0].members == toset(["serviceAccount:demo-scheduler@project-1.iam.gserviceaccount.com"])
    error_message = "The schedule alone calls the service."
  }
  assert {
    condition     = google_cloud_scheduler_job.sequencer[0].http_target[0].oidc_token[0].audience == "https://demo-sequencer.example" && google_cloud_scheduler_job.sequencer[0].http_target[0].uri == "https://demo-sequencer.example" && google_cloud_scheduler_job.sequencer[0].retry_config[0].retry_count == 0
    error_message = "The schedule calls with a token for this service, and once."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.backlog[0].conditions[1].condition_absent) == 1 && google_monitoring_alert_policy.backlog[0].conditions[1].condition_absent[0].duration == "900s"
    error_message = "Silence is noticed."
  }
  assert {
    condition     = google_monitoring_uptime_check_config.checkpoint.http_check[0].path == "/project-1-demo-public/checkpoint"
    error_message = "The checkpoint is asked for from outside."
  }
}

run "everything" {
  command = plan

  variables {
    runner      = "job"
    domain      = "log.example.com"
    operators   = ["group:operators@example.com"]
    maintenance = true
    submitters = {
      ci    = ["serviceAccount:ci@project-2.iam.gserviceaccount.com"]
      empty = []
    }
    environment = { TILETREE_MAX_ENTRIES = "1000" }
    witnesses   = { wait_extra_seconds = 3 }
  }

  assert {
    condition = { for each in google_cloud_run_v2_job.sequencer[0].template[0].template[0].containers[0].env : each.name => each.value if !contains(["TILETREE_LOG", "TILETREE_PRIVATE", "TILETREE_ANCHOR", "TILETREE_KEY", "TILETREE_URL"], each.name) } == {
      TILETREE_MAX_ENTRIES     = "1000"
      TILETREE_WITNESS_TIMEOUT = "10"
      TILETREE_WAIT_EXTRA      = "3"
      TILETREE_FAIL_OPEN       = "false"
    }
    error_message = "The job is told how witnesses are asked."
  }

  assert {
    condition     = length(google_cloud_run_v2_service.sequencer) == 0 && google_cloud_scheduler_job.sequencer[0].http_target[0].uri == "https://run.googleapis.com/v2/projects/project-1/locations/europe-west1/jobs/demo-sequencer:run" && length(google_cloud_scheduler_job.sequencer[0].http_target[0].oauth_token) == 1
    error_message = "The schedule starts the job."
  }
  assert {
    condition     = google_cloud_run_v2_job_iam_binding.invoker[0].role == "roles/run.invoker"
    error_message = "The schedule cannot change what the job does."
  }
  assert {
    condition = [for each in jsondecode(google_storage_bucket_iam_policy.private.policy_data).bindings : each if contains(each.members, "serviceAccount:ci@project-2.iam.gserviceaccount.com")] == [{
      role      = "roles/storage.objectCreator"
      members   = ["serviceAccount:ci@project-2.iam.gserviceaccount.com"]
      condition = { title = "submitter-ci", expression = "resource.name.startsWith(\"projects/_/buckets/project-1-demo-private/objects/inbox/ci/\")" }
    }]
    error_message = "A submitter creates in its own folder, and does nothing else."
  }
  assert {
    condition     = !strcontains(google_storage_bucket_iam_policy.public.policy_data, "ci@project-2") && !strcontains(google_storage_bucket_iam_policy.anchor.policy_data, "ci@project-2")
    error_message = "A submitter has no right elsewhere."
  }
  assert {
    condition     = [for each in jsondecode(google_storage_bucket_iam_policy.anchor.policy_data).bindings : each.role if contains(each.members, "group:operators@example.com")] == ["roles/storage.objectViewer"]
    error_message = "Operators see the anchor, and do not write it."
  }
  assert {
    condition     = google_kms_crypto_key_iam_binding.signer[0].members == toset(["serviceAccount:demo-sequencer@project-1.iam.gserviceaccount.com", "serviceAccount:demo-maintenance@project-1.iam.gserviceaccount.com"])
    error_message = "The maintenance job signs as long as there is one; operators do not."
  }
  assert {
    condition     = google_compute_backend_bucket.log[0].enable_cdn && google_compute_backend_bucket.log[0].cdn_policy[0].cache_mode == "USE_ORIGIN_HEADERS" && !google_compute_backend_bucket.log[0].cdn_policy[0].negative_caching
    error_message = "The objects say for how long they are kept, and that one is missing is not kept at all."
  }
  assert {
    condition     = google_monitoring_uptime_check_config.checkpoint.monitored_resource[0].labels.host == "log.example.com" && google_monitoring_uptime_check_config.checkpoint.http_check[0].path == "/checkpoint"
    error_message = "The checkpoint is asked for where readers ask."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.failures[0].conditions) == 2
    error_message = "Calls that fail are noticed, and jobs that do."
  }
}

run "frozen" {
  command = plan

  variables {
    frozen      = true
    maintenance = true
    operators   = ["group:operators@example.com"]
    submitters  = { ci = ["serviceAccount:ci@project-2.iam.gserviceaccount.com"] }
  }

  assert {
    condition     = length(google_cloud_scheduler_job.sequencer) == 0 && length(google_cloud_run_v2_service.sequencer) == 0 && length(google_cloud_run_v2_job.sequencer) == 0 && length(google_cloud_run_v2_job.maintenance) == 0
    error_message = "Nothing runs."
  }
  assert {
    condition     = length(google_kms_crypto_key_iam_binding.signer) == 0
    error_message = "Nobody signs."
  }
  assert {
    condition = toset([for each in concat(
      jsondecode(google_storage_bucket_iam_policy.public.policy_data).bindings,
      jsondecode(google_storage_bucket_iam_policy.private.policy_data).bindings,
      jsondecode(google_storage_bucket_iam_policy.anchor.policy_data).bindings,
    ) : each.role]) == toset(["roles/storage.legacyObjectReader", "roles/storage.objectViewer"])
    error_message = "Nobody writes."
  }
  assert {
    condition     = output.log_url == "https://storage.googleapis.com/project-1-demo-public" && output.job == null
    error_message = "Readers find it where it was."
  }
}

run "what_cannot_be" {
  command = plan

  variables {
    project_id            = "P"
    region                = "Europe"
    name                  = "-"
    origin                = "https://log.example.com"
    image                 = "tiletree:latest"
    runner                = "vm"
    schedule              = "rate(1 minute)"
    timeout_seconds       = 3600
    memory                = "lots"
    environment           = { TILETREE_KEY = "elsewhere" }
    kms_protection_level  = "PAPER"
    submitters            = { "../ci" = ["allUsers"] }
    operators             = ["allAuthenticatedUsers"]
    domain                = "https://log.example.com/"
    superseded_days       = 0
    anchor_days           = 1
    private_recovery_days = 3
    max_wait_seconds      = 1
    silence_seconds       = 100
    bucket_location       = "."
    notification_channels = ["operator@example.com"]
  }

  expect_failures = [
    var.project_id, var.region, var.name, var.origin, var.image, var.runner, var.schedule, var.timeout_seconds, var.memory,
    var.environment, var.kms_protection_level, var.submitters, var.operators, var.domain, var.superseded_days,
    var.anchor_days, var.private_recovery_days, var.max_wait_seconds, var.silence_seconds,
    var.bucket_location, var.notification_channels,
  ]
}

run "witnesses_leave_time_for_the_rest_of_a_run" {
  command = plan

  variables {
    timeout_seconds = 60
    witnesses       = { timeout_seconds = 20, wait_extra_seconds = 1 }
  }

  expect_failures = [var.witnesses]
}
