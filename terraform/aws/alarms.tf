# The names of the metrics are those of tiles/upkeep/metrics.py; the job writes them, and CloudWatch makes them of it.
locals {
  alarms = {
    backlog-or-silence = {
      description = "A submission has waited for more than ${var.alarm_oldest_pending_seconds} s, or no run has said how long: look at the lines in ${local.log_group}, and say `tiletree status`."
      namespace   = "tiletree", metric = "oldest_pending_seconds", statistic = "Maximum", period = var.alarm_period_seconds
      evaluate    = 2, datapoints = 2, threshold = var.alarm_oldest_pending_seconds, missing = "breaching"
      dimensions  = { origin = var.origin }
    }
    errors = {
      description = "Runs failed in 3 of 5 periods: the last lines in ${local.log_group} say why."
      namespace   = "AWS/Lambda", metric = "Errors", statistic = "Sum", period = var.alarm_period_seconds
      evaluate    = 5, datapoints = 3, threshold = 0, missing = "notBreaching"
      dimensions  = { FunctionName = local.function_name }
    }
    slow = {
      description = "Runs take more than 80 % of the time that they have: raise memory_mb or timeout_seconds, or let them take fewer entries."
      namespace   = "AWS/Lambda", metric = "Duration", statistic = "Maximum", period = var.alarm_period_seconds
      evaluate    = 3, datapoints = 3, threshold = var.timeout_seconds * 800, missing = "notBreaching"
      dimensions  = { FunctionName = local.function_name }
    }
    below-quorum = {
      description = "Too few witnesses cosigned in 3 of 5 periods, so what was submitted waits, or is published below the quorum. Nothing is lost, and each run asks again: the lines with event failed in ${local.log_group} say who is missing, and why."
      namespace   = "tiletree", metric = "below_quorum", statistic = "Maximum", period = var.alarm_period_seconds
      evaluate    = 5, datapoints = 3, threshold = 0, missing = "notBreaching"
      dimensions  = { origin = var.origin }
    }
    dead-letters = {
      description = "A run failed or was dropped: read ${local.dead_letters} before it is purged."
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", period = var.alarm_period_seconds
      evaluate    = 1, datapoints = 1, threshold = 0, missing = "notBreaching"
      dimensions  = { QueueName = local.dead_letters }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if local.is_running && (name != "below-quorum" || var.witnesses != null) }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.evaluate
  datapoints_to_alarm = each.value.datapoints
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}

# The numbers of CloudFront are in us-east-1 only.
resource "aws_cloudwatch_metric_alarm" "cdn" {
  region              = "us-east-1"
  alarm_name          = "${var.name}-cdn-errors"
  alarm_description   = "More than 1 % of reads fail at the CDN."
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  dimensions          = { DistributionId = aws_cloudfront_distribution.log.id, Region = "Global" }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.cdn_alarm_topic_arns
  ok_actions          = var.cdn_alarm_topic_arns
  tags                = local.tags
}
