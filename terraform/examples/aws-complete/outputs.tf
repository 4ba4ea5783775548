output "log" {
  description = "All that the module says."
  value       = module.log
}
