variable "region" {
  description = "Region of the log."
  type        = string
  default     = "eu-west-1"
}

variable "name" {
  description = "Name of the deployment."
  type        = string
  default     = "log"
}

variable "origin" {
  description = "What the log calls itself."
  type        = string
  default     = "log.example.com"
}
