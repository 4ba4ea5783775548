# What a plan has. Without a cloud: the provider is mocked, and needs no credentials.
# tests/terraform/rights.py holds the policies against each object of a log; here is what only HCL knows.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name         = "demo"
  origin       = "log.example.com"
  package_path = "tests/fixtures/empty.zip"
}

run "the_job_knows_its_log" {
  command = plan

  assert {
    condition = aws_lambda_function.sequencer[0].environment[0].variables == tomap({
      TILETREE_LOG     = "s3://demo-public-123456789012?region=eu-west-1"
      TILETREE_PRIVATE = "s3://demo-private-123456789012?region=eu-west-1"
      TILETREE_ANCHOR  = "s3://demo-anchor-123456789012?region=eu-west-1"
      TILETREE_KEY     = "awskms:///arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    })
    error_message = "environment of the job"
  }
  assert {
    condition     = aws_lambda_function.sequencer[0].handler == "tiletree.jobs.aws_lambda.handler"
    error_message = "handler"
  }
  assert {
    condition     = aws_lambda_function_event_invoke_config.sequencer[0].maximum_retry_attempts == 0
    error_message = "the next run is the retry"
  }
  assert {
    condition     = aws_lambda_function.sequencer[0].reserved_concurrent_executions == -1
    error_message = "nothing is reserved unless that is asked for"
  }
}

run "no_policy_of_a_role_has_a_wildcard_alone" {
  command = plan
  variables {
    operator_principals = ["arn:aws:iam::123456789012:root"]
    submitters          = { ci = ["arn:aws:iam::123456789012:role/ci"], nobody = [] }
    lock_days           = 365
    wake_up             = true
  }

  assert {
    condition     = alltrue([for policy in [aws_iam_role_policy.sequencer[0].policy, aws_iam_role_policy.operator[0].policy, aws_iam_role_policy.scheduler[0].policy, aws_iam_role_policy.submitter["ci"].policy] : !strcontains(policy, "\"*\"")])
    error_message = "a policy allows everything, or on everything"
  }
  assert {
    condition = alltrue([for a in flatten([for s in jsondecode(aws_iam_role_policy.sequencer[0].policy).Statement : s.Action]) : contains([
      "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject", "s3:PutObjectRetention", "logs:CreateLogStream",
      "logs:PutLogEvents", "sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    ], a)])
    error_message = "the sequencer has a right that it does not need"
  }
  assert {
    condition     = keys(aws_iam_role.submitter) == ["ci"] && keys(output.submitter_policies_json) == ["ci", "nobody"]
    error_message = "a submitter without principals has no role, and its rights as an output"
  }
  assert {
    condition     = strcontains(output.begin, "--lock-days 365")
    error_message = "the log is begun as its bucket is"
  }
}

run "wake_up" {
  command = plan
  variables {
    wake_up = true
  }

  assert {
    condition     = aws_s3_bucket_notification.inbox[0].queue[0].filter_prefix == "inbox/"
    error_message = "only a submission wakes the sequencer"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.wake_ups[0].scaling_config[0].maximum_concurrency == 2
    error_message = "a queue calls at most twice at once"
  }
  assert {
    condition     = aws_sqs_queue.wake_ups[0].visibility_timeout_seconds >= 6 * var.timeout_seconds
    error_message = "a message comes back while its run goes on"
  }
}

run "wake_up_needs_two_at_once" {
  command = plan
  variables {
    wake_up              = true
    reserved_concurrency = 1
  }
  expect_failures = [var.reserved_concurrency]
}

run "a_log_without_witnesses_has_no_alarm_of_them" {
  command = plan

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "below-quorum")
    error_message = "an alarm on a number that no run says"
  }
}

run "witnesses" {
  command = plan
  variables {
    witnesses = { timeout_seconds = 12, fail_open = true }
  }

  assert {
    condition = { for name, value in aws_lambda_function.sequencer[0].environment[0].variables : name => value if strcontains(name, "WIT") || strcontains(name, "WAIT") || strcontains(name, "FAIL") } == {
      TILETREE_WITNESS_TIMEOUT = "12"
      TILETREE_WAIT_EXTRA      = "0"
      TILETREE_FAIL_OPEN       = "true"
    }
    error_message = "the job is not told how witnesses are asked"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["below-quorum"].metric_name == "below_quorum" && aws_cloudwatch_metric_alarm.this["below-quorum"].threshold == 0
    error_message = "a quorum that fails is no alarm"
  }
  assert {
    condition     = length(aws_lambda_function.sequencer[0].vpc_config) == 0
    error_message = "in a VPC the function would need a way out to its witnesses"
  }
}

run "witnesses_leave_time_for_the_rest_of_a_run" {
  command = plan
  variables {
    witnesses = { timeout_seconds = 15, wait_extra_seconds = 5 }
  }
  expect_failures = [var.witnesses]
}

run "silence_is_an_alarm" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["backlog-or-silence"].treat_missing_data == "breaching"
    error_message = "a schedule that is dead is not noticed"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["backlog-or-silence"].dimensions == tomap({ origin = "log.example.com" })
    error_message = "dimensions"
  }
}

run "frozen" {
  command = plan
  variables {
    frozen              = true
    operator_principals = ["arn:aws:iam::123456789012:root"]
    submitters          = { ci = ["arn:aws:iam::123456789012:role/ci"] }
    wake_up             = true
  }

  assert {
    condition = alltrue([for found in [
      aws_lambda_function.sequencer, aws_scheduler_schedule.sequencer, aws_iam_role_policy.sequencer, aws_iam_role.scheduler,
      aws_sqs_queue.wake_ups, aws_s3_bucket_notification.inbox, aws_lambda_event_source_mapping.wake_ups,
    ] : length(found) == 0])
    error_message = "something of a frozen log can still run"
  }
  assert {
    condition     = length(aws_iam_role.submitter) == 0 && length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "somebody can submit to a frozen log, or its silence is an alarm"
  }
  assert {
    condition     = !strcontains(aws_kms_key.log[0].policy, "kms:Sign")
    error_message = "the key of a frozen log can sign"
  }
  assert {
    condition     = aws_cloudfront_distribution.log.enabled
    error_message = "readers read on"
  }
}

run "a_key_that_is_there" {
  command = plan
  variables {
    key_arn = "arn:aws:kms:eu-central-1:210987654321:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = length(aws_kms_key.log) == 0 && output.key == "awskms:///${var.key_arn}"
    error_message = "the key that is named is used"
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.sequencer[0].policy, var.key_arn)
    error_message = "a key of another account needs a right of the role as well"
  }
}

run "refuses_what_cannot_be" {
  command = plan
  variables {
    name                         = "Bad_Name"
    origin                       = "https://x"
    package_path                 = "nothing.zip"
    architecture                 = "sparc"
    key_arn                      = "alias/log"
    schedule_expression          = "every minute"
    wake_up_seconds              = 301
    memory_mb                    = 1
    timeout_seconds              = 1
    settings                     = { PATH = "/" }
    lock_days                    = 0.5
    noncurrent_days              = 0
    submitters                   = { "../x" = [] }
    operator_principals          = ["*"]
    checkpoint_ttl_seconds       = 60
    domain                       = { name = "log.example.com", acm_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
    price_class                  = "cheap"
    web_acl_arn                  = "acl"
    alarm_topic_arns             = ["topic"]
    cdn_alarm_topic_arns         = ["arn:aws:sns:eu-west-1:123456789012:topic"]
    alarm_oldest_pending_seconds = 1
    alarm_period_seconds         = 61
    log_retention_days           = 2
    withheld_paths               = ["checkpoint"]
  }
  expect_failures = [
    var.name, var.origin, var.package_path, var.architecture, var.key_arn, var.schedule_expression, var.wake_up_seconds,
    var.memory_mb, var.timeout_seconds, var.settings, var.lock_days, var.noncurrent_days, var.submitters,
    var.operator_principals, var.checkpoint_ttl_seconds, var.domain, var.price_class, var.web_acl_arn,
    var.alarm_topic_arns, var.cdn_alarm_topic_arns, var.alarm_oldest_pending_seconds, var.alarm_period_seconds,
    var.log_retention_days, var.withheld_paths,
  ]
}
