output "url" {
  description = "Where readers find the log."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.log.domain_name : var.domain.name}"
}

output "begin" {
  description = "The command that begins the log, once, with the profiles of aws_config."
  value = join(" ", [
    "AWS_PROFILE=${var.name}-sequencer tiletree init '${local.address.public}' --private '${local.address.private}'",
    "--anchor '${local.address.anchor}' --key '${local.key}' --origin '${var.origin}' --no-page",
    var.lock_days == 0 ? "&&" : "--lock-days ${var.lock_days} &&",
    "AWS_PROFILE=${var.name}-operator tiletree page '${local.address.public}'",
  ])
}

output "aws_config" {
  description = "Two profiles for ~/.aws/config: that of the sequencer, to begin the log, and that of the operator, for upkeep."
  value = join("", [for who in ["sequencer", "operator"] :
    "\n[profile ${var.name}-${who}]\nrole_arn = ${local.roles[who]}\nsource_profile = default\nregion = ${local.region}\n"
  ])
}

output "log" {
  description = "Address of the public part, for TILETREE_LOG."
  value       = local.address.public
}

output "private" {
  description = "Address of the private part, for TILETREE_PRIVATE."
  value       = local.address.private
}

output "anchor" {
  description = "Address of the anchor, for TILETREE_ANCHOR."
  value       = local.address.anchor
}

output "key" {
  description = "Address of the key, for TILETREE_KEY."
  value       = local.key
}

output "key_policy_json" {
  description = "The policy of the key; one that is named by key_arn has to have it."
  value       = jsonencode(local.key_policy)
}

output "sequencer_role_arn" {
  description = "Role that signs, and writes the log."
  value       = aws_iam_role.sequencer.arn
}

output "operator_role_arn" {
  description = "Role for upkeep, which cannot sign; null without operator_principals."
  value       = one(aws_iam_role.operator[*].arn)
}

output "submitter_role_arns" {
  description = "Role of each submitter that has principals."
  value       = { for name, role in aws_iam_role.submitter : name => role.arn }
}

output "submitter_policies_json" {
  description = "All the rights that a submitter needs, by its name, to attach to an identity that is there already."
  value       = { for name, policy in local.submitter_policies : name => jsonencode(policy) }
}

output "function_name" {
  description = "The sequencer, for `aws lambda invoke`; null if the log is frozen."
  value       = one(aws_lambda_function.sequencer[*].function_name)
}

output "dead_letters_url" {
  description = "Queue of the runs that failed."
  value       = aws_sqs_queue.dead_letters.id
}

output "distribution" {
  description = "The CDN: its id, its own host name, and the zone for an alias record of your domain."
  value = {
    id             = aws_cloudfront_distribution.log.id
    domain_name    = aws_cloudfront_distribution.log.domain_name
    hosted_zone_id = aws_cloudfront_distribution.log.hosted_zone_id
  }
}

output "alarm_names" {
  description = "The alarms, for a dashboard."
  value       = concat([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name], [aws_cloudwatch_metric_alarm.cdn.alarm_name])
}
