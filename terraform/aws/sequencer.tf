resource "aws_cloudwatch_log_group" "sequencer" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

# Runs that failed, and wake-ups that failed too often. Nothing is lost with them: the next run takes what waits.
resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letters
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

locals {
  witnesses = var.witnesses == null ? {} : {
    TILETREE_WITNESS_TIMEOUT = tostring(var.witnesses.timeout_seconds)
    TILETREE_WAIT_EXTRA      = tostring(var.witnesses.wait_extra_seconds)
    TILETREE_FAIL_OPEN       = tostring(var.witnesses.fail_open)
  }
}

resource "aws_lambda_function" "sequencer" {
  count = local.is_running ? 1 : 0

  function_name                  = local.function_name
  description                    = "Logs what was submitted to ${var.origin}, and signs its checkpoints"
  role                           = aws_iam_role.sequencer.arn
  runtime                        = "python3.13"
  architectures                  = [var.architecture]
  handler                        = "tiletree.jobs.aws_lambda.handler"
  filename                       = var.package_path
  source_code_hash               = filebase64sha256(var.package_path)
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency == null ? -1 : var.reserved_concurrency
  tags                           = local.tags

  environment {
    variables = merge(var.settings, local.witnesses, {
      TILETREE_LOG     = local.address.public
      TILETREE_PRIVATE = local.address.private
      TILETREE_ANCHOR  = local.address.anchor
      TILETREE_KEY     = local.key
    })
  }

  # The job writes its lines as JSON itself; metrics are made of them, which the format "JSON" would wrap.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.sequencer.name
  }

  depends_on = [aws_iam_role_policy.sequencer]
}

# The next run is the retry: one that failed is kept to be looked at.
resource "aws_lambda_function_event_invoke_config" "sequencer" {
  count = local.is_running ? 1 : 0

  function_name                = aws_lambda_function.sequencer[0].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

# ---- the schedule

resource "aws_iam_role" "scheduler" {
  count = local.is_running ? 1 : 0

  name = "${var.name}-scheduler"
  tags = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account, "aws:SourceArn" = "arn:${local.part}:scheduler:${local.region}:${local.account}:schedule-group/${var.name}" } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  count = local.is_running ? 1 : 0

  name = "invoke"
  role = aws_iam_role.scheduler[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Invoke", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = local.function_arn },
      { Sid = "DeadLetters", Effect = "Allow", Action = "sqs:SendMessage", Resource = local.dead_letters_arn },
    ]
  })
}

resource "aws_scheduler_schedule_group" "this" {
  count = local.is_running ? 1 : 0

  name = var.name
  tags = local.tags
}

resource "aws_scheduler_schedule" "sequencer" {
  count = local.is_running ? 1 : 0

  name                = "sequencer"
  group_name          = aws_scheduler_schedule_group.this[0].name
  schedule_expression = var.schedule_expression

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.sequencer[0].arn
    role_arn = aws_iam_role.scheduler[0].arn
    input    = jsonencode({ source = "schedule" })

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}
