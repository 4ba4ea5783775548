variable "project_id" {
  description = "The project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "europe-west1"
}

variable "origin" {
  description = "The log's name."
  type        = string
}

variable "image" {
  description = "The container of tiletree, by digest."
  type        = string
}

variable "operators" {
  description = "IAM members who run gc and page, and start the job by hand."
  type        = list(string)
  default     = []
}

variable "submitters" {
  description = "Who may submit, by the name of their folder."
  type        = map(list(string))
  default     = {}
}
