variable "package_path" {
  description = "Path of the function's zip."
  type        = string
  default     = "../../../dist/tiletree-lambda-arm64.zip"
}

variable "frozen" {
  description = "Whether the log has ended."
  type        = bool
  default     = false
}
