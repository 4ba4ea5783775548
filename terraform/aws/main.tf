data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  region  = data.aws_region.this.region
  part    = data.aws_partition.this.partition

  # Addresses are put together from names, so that all policies are known when a plan is made.
  bucket = { for part in ["public", "private", "anchor"] : part => "${var.name}-${part}-${local.account}" }
  arn    = { for part, bucket in local.bucket : part => "arn:${local.part}:s3:::${bucket}" }

  function_name    = "${var.name}-sequencer"
  function_arn     = "arn:${local.part}:lambda:${local.region}:${local.account}:function:${local.function_name}"
  log_group        = "/aws/lambda/${local.function_name}"
  dead_letters     = "${var.name}-dead-letters"
  dead_letters_arn = "arn:${local.part}:sqs:${local.region}:${local.account}:${local.dead_letters}"
  wake_ups         = "${var.name}-wake-ups"
  wake_ups_arn     = "arn:${local.part}:sqs:${local.region}:${local.account}:${local.wake_ups}"

  roles = { for who in ["sequencer", "operator"] : who => "arn:${local.part}:iam::${local.account}:role/${var.name}-${who}" }
  # aws:PrincipalArn of a session is the ARN of its role; emulators of AWS have that of the session.
  sessions = { for who in ["sequencer", "operator"] : who => "arn:${local.part}:sts::${local.account}:assumed-role/${var.name}-${who}/*" }

  key_arn = var.key_arn == null ? aws_kms_key.log[0].arn : var.key_arn
  # What tiletree is told.
  address = { for part, bucket in local.bucket : part => "s3://${bucket}?region=${local.region}" }
  key     = "awskms:///${local.key_arn}"

  is_running = !var.frozen
  tags       = merge({ "tiletree:name" = var.name, "tiletree:origin" = var.origin }, var.tags)
}
