output "url" {
  description = "Where readers find the log."
  value       = module.log.url
}

output "begin" {
  description = "The command that begins the log."
  value       = module.log.begin
}

output "aws_config" {
  description = "Profiles for ~/.aws/config."
  value       = module.log.aws_config
}

output "private" {
  description = "Where submitters submit to."
  value       = module.log.private
}

output "submitter_policies_json" {
  description = "The rights of submitters."
  value       = module.log.submitter_policies_json
}
