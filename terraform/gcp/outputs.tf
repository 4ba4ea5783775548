output "log_url" {
  description = "Where readers find the log."
  value       = local.log_url
}

output "log" {
  description = "The public part, as tiletree's LOG."
  value       = local.environment.TILETREE_LOG
}

output "private" {
  description = "The private part, for --private."
  value       = local.environment.TILETREE_PRIVATE
}

output "anchor" {
  description = "Where the anchor is, for --anchor."
  value       = local.environment.TILETREE_ANCHOR
}

output "key" {
  description = "The log's key, for --key."
  value       = local.environment.TILETREE_KEY
}

output "job" {
  description = "The job that commands are run in by hand; null for a frozen log."
  value       = one(google_cloud_run_v2_job.sequencer[*].name)
}

output "sequencer" {
  description = "The service account that signs and publishes."
  value       = local.accounts.sequencer
}

output "load_balancer_ip" {
  description = "What the domain's A record is to hold; null without a domain."
  value       = one(google_compute_global_address.log[*].address)
}
