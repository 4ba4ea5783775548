output "log" {
  description = "What the module made."
  value       = module.log
}
