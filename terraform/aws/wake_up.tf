# A submission wakes the sequencer: S3 → queue → function. What the messages say is not looked at.
locals {
  wakes = var.wake_up && local.is_running ? 1 : 0
}

resource "aws_sqs_queue" "wake_ups" {
  count = local.wakes

  name                       = local.wake_ups
  message_retention_seconds  = 3600
  visibility_timeout_seconds = 6 * var.timeout_seconds
  sqs_managed_sse_enabled    = true
  tags                       = local.tags

  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue_policy" "wake_ups" {
  count = local.wakes

  queue_url = aws_sqs_queue.wake_ups[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "InboxWakes"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = local.wake_ups_arn
      Condition = { ArnEquals = { "aws:SourceArn" = local.arn.private }, StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_s3_bucket_notification" "inbox" {
  count = local.wakes

  bucket = aws_s3_bucket.private.id
  queue {
    queue_arn     = aws_sqs_queue.wake_ups[0].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "inbox/"
  }

  depends_on = [aws_sqs_queue_policy.wake_ups]
}

resource "aws_lambda_event_source_mapping" "wake_ups" {
  count = local.wakes

  event_source_arn                   = aws_sqs_queue.wake_ups[0].arn
  function_name                      = aws_lambda_function.sequencer[0].arn
  batch_size                         = var.wake_up_seconds > 0 ? 1000 : 10
  maximum_batching_window_in_seconds = var.wake_up_seconds
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = local.tags

  scaling_config {
    maximum_concurrency = 2 # the least that there is; the run that comes second finds nothing to do
  }

  depends_on = [aws_iam_role_policy.sequencer]
}
