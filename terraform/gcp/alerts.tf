locals {
  # What a run that ended well has written, a line of JSON: the service its numbers, the job the document of `sequence`.
  lines = {
    service = {
      of     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}-sequencer\""
      ended  = "jsonPayload.event=\"run\" AND jsonPayload.outcome=\"done\""
      oldest = "jsonPayload.oldest_pending_seconds"
    }
    job = {
      of     = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${var.name}-sequencer\""
      ended  = "jsonPayload.backlog.objects>=0 AND NOT jsonPayload.error:*"
      oldest = "jsonPayload.backlog.oldest" # there only if something waits
    }
  }
  run_lines = local.lines[var.runner]
  run_type  = var.runner == "service" ? "cloud_run_revision" : "cloud_run_job"
}

resource "google_logging_metric" "oldest" {
  count           = local.runs ? 1 : 0
  project         = var.project_id
  name            = "${var.name}/oldest_pending_seconds"
  description     = "How long the oldest submission had waited at the end of a run."
  filter          = "${local.run_lines.of} AND ${local.run_lines.ended}"
  value_extractor = "EXTRACT(${local.run_lines.oldest})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }

  depends_on = [google_project_service.this]
}

resource "google_logging_metric" "runs" {
  count       = local.runs ? 1 : 0
  project     = var.project_id
  name        = "${var.name}/runs"
  description = "Runs that ended as they should."
  filter      = "${local.run_lines.of} AND ${local.run_lines.ended}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

# Cloud Scheduler says so of each call that got no answer, or another one than success.
resource "google_logging_metric" "failed_calls" {
  count       = local.runs ? 1 : 0
  project     = var.project_id
  name        = "${var.name}/failed_calls"
  description = "Calls of the schedule that failed, or got no answer."
  filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"${var.name}-sequencer\" AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "backlog" {
  count                 = local.runs ? 1 : 0
  project               = var.project_id
  display_name          = "${var.name}: submissions wait too long, or the sequencer is silent"
  combiner              = "OR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "the oldest submission has waited for more than ${var.max_wait_seconds} seconds"
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.oldest[0].name}\" AND resource.type=\"${local.run_type}\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.max_wait_seconds
      duration        = "300s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_PERCENTILE_99"
      }
    }
  }

  # It begins to count with the first run: a sequencer that never ran is not noticed by it.
  conditions {
    display_name = "no run has ended for ${var.silence_seconds} seconds"
    condition_absent {
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.runs[0].name}\" AND resource.type=\"${local.run_type}\""
      duration = "${var.silence_seconds}s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_COUNT"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Nothing that was submitted is lost: it waits. Run `tiletree status ${local.environment.TILETREE_LOG} --private ${local.environment.TILETREE_PRIVATE} --anchor ${local.environment.TILETREE_ANCHOR}`; it says what to do next. Then look at the last lines of the runs in Cloud Logging."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "failures" {
  count                 = local.runs ? 1 : 0
  project               = var.project_id
  display_name          = "${var.name}: runs fail"
  combiner              = "OR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  # One failed run is finished by the next.
  conditions {
    display_name = "more than two calls of the schedule failed in 15 minutes"
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.failed_calls[0].name}\" AND resource.type=\"cloud_scheduler_job\""
      comparison      = "COMPARISON_GT"
      threshold_value = 2
      duration        = "0s"
      aggregations {
        alignment_period     = "900s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  # A call that starts the job succeeds before the job does.
  dynamic "conditions" {
    for_each = local.by_job ? [1] : []
    content {
      display_name = "more than two runs of the job failed in 15 minutes"
      condition_threshold {
        filter          = "metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result=\"failed\" AND resource.type=\"cloud_run_job\" AND resource.labels.job_name=\"${var.name}-sequencer\""
        comparison      = "COMPARISON_GT"
        threshold_value = 2
        duration        = "0s"
        aggregations {
          alignment_period     = "900s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  documentation {
    content   = "The lines with event \"failed\" say what is wrong and what to do about it. A quorum of witnesses that fails is one of them: nothing is lost, and each run asks again. Exit code 4 means that the log itself was found to be wrong: stop the schedule, and read docs/lost.md of tiletree's source archive before anything is put back."
    mime_type = "text/markdown"
  }
}

# Readers are served by others than the sequencer, so they are asked about as well, and of a frozen log too.
resource "google_monitoring_uptime_check_config" "checkpoint" {
  project      = var.project_id
  display_name = "${var.name}: checkpoint"
  timeout      = "10s"
  period       = "300s"

  http_check {
    path         = var.domain == null ? "/${local.buckets.public}/checkpoint" : "/checkpoint"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  content_matchers {
    content = var.origin
    matcher = "CONTAINS_STRING"
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = coalesce(var.domain, "storage.googleapis.com")
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "unreadable" {
  project               = var.project_id
  display_name          = "${var.name}: the checkpoint cannot be read"
  combiner              = "OR"
  notification_channels = var.notification_channels
  user_labels           = var.labels

  conditions {
    display_name = "two places or more cannot read it"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.checkpoint.uptime_check_id}\" AND resource.type=\"uptime_url\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "300s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.*"]
      }
    }
  }

  documentation {
    content   = "Open ${local.log_url}/checkpoint. This alert looks from outside; that everybody is shown the same log is for witnesses and monitors to see."
    mime_type = "text/markdown"
  }
}
