variable "project_id" {
  description = "The project that everything is made in. One that holds nothing but the log is best: its owners can change every right."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be 6 to 30 of a-z, 0-9 and '-', starting with a letter and not ending with '-'."
  }
}

variable "region" {
  description = "Region of the key, the sequencer and its schedule, such as europe-west1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.region))
    error_message = "region must be the name of a region, such as europe-west1."
  }
}

variable "bucket_location" {
  description = "Location of the buckets: a region, or a multi-region such as EU; null for the region."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_location == null || can(regex("^[A-Za-z][A-Za-z0-9-]+$", var.bucket_location))
    error_message = "bucket_location must be the name of a region or of a multi-region, such as EU."
  }
}

variable "name" {
  description = "What this deployment is called. Every resource's name begins with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 18 of a-z, 0-9 and '-', starting with a letter and not ending with '-'."
  }
}

variable "origin" {
  description = "The log's name, the first line of every checkpoint; best a host name. It never changes."
  type        = string

  validation {
    condition     = can(regex("^[^\\s+\"]{1,255}$", var.origin)) && !can(regex("^[a-z]+://", var.origin))
    error_message = "origin must be 1 to 255 characters without white space, '+', '\"' or a URL scheme."
  }
}

variable "image" {
  description = "The container of tiletree, by digest, so that what runs changes only when this does."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must end with @sha256: and 64 hexadecimal digits."
  }
}

variable "runner" {
  description = "What the schedule starts: \"service\", billed for the time of requests, or \"job\", for runs that take longer than 30 minutes."
  type        = string
  default     = "service"

  validation {
    condition     = contains(["service", "job"], var.runner)
    error_message = "runner must be \"service\" or \"job\"."
  }
}

variable "schedule" {
  description = "When a run starts, in the form of cron, UTC."
  type        = string
  default     = "* * * * *"

  validation {
    condition     = length(split(" ", var.schedule)) == 5
    error_message = "schedule must have five fields, as cron has, with one space between them."
  }
}

variable "timeout_seconds" {
  description = "How long one run may take. A run that is stopped is finished by the next one."
  type        = number
  default     = 300

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 1800 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 60 to 1800, which is as long as Cloud Scheduler waits."
  }
}

variable "memory" {
  description = "Memory of a run."
  type        = string
  default     = "1Gi"

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.memory))
    error_message = "memory must be a number with Mi or Gi, such as 512Mi."
  }
}

variable "environment" {
  description = "Further environment variables of the sequencer, by name. No secrets: they are in Terraform's state."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : !contains(["TILETREE_LOG", "TILETREE_PRIVATE", "TILETREE_ANCHOR", "TILETREE_KEY", "TILETREE_URL", "TILETREE_WITNESS_TIMEOUT", "TILETREE_WAIT_EXTRA", "TILETREE_FAIL_OPEN"], name)])
    error_message = "environment must not name a variable that the module sets."
  }
}

variable "witnesses" {
  description = "How the witnesses of the log's policy are asked: seconds for all of them together, seconds to go on for cosignatures that the policy does not need, and whether to publish even if too few cosign. Which they are is in the policy that `tiletree init --policy` was given. The sequencer has the usual egress of Cloud Run, so it reaches them by HTTPS. null for the defaults of the job."
  type = object({
    timeout_seconds    = optional(number, 10)
    wait_extra_seconds = optional(number, 0)
    fail_open          = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.witnesses == null || try(var.witnesses.timeout_seconds >= 1 && var.witnesses.wait_extra_seconds >= 0 && 3 * (var.witnesses.timeout_seconds + var.witnesses.wait_extra_seconds) <= var.timeout_seconds, false)
    error_message = "the seconds of witnesses must be at least 1 and 0, and together a third of timeout_seconds at most, because a run asks them for each batch."
  }
}

variable "kms_protection_level" {
  description = "Where the key of the log is kept: SOFTWARE, or HSM if Google Cloud has Ed25519 in those of the region. It cannot be changed later."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.kms_protection_level)
    error_message = "kms_protection_level must be SOFTWARE or HSM."
  }
}

variable "submitters" {
  description = "Who may submit, by the name of their folder below inbox/: IAM members, such as serviceAccount:ci@p.iam.gserviceaccount.com."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.submitters) : can(regex("^[a-z0-9][a-z0-9._-]{0,63}$", name))])
    error_message = "A submitter is called 1 to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit."
  }
  validation {
    condition     = alltrue([for member in flatten(values(var.submitters)) : can(regex("^(user|group|serviceAccount|principal|principalSet):", member))])
    error_message = "A submitter's members begin with user:, group:, serviceAccount:, principal: or principalSet:; never with allUsers."
  }
}

variable "operators" {
  description = "IAM members who run gc, page and withhold with credentials of their own, and start the job by hand. They cannot sign, and cannot write the anchor."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|group|serviceAccount):", member))])
    error_message = "operators begin with user:, group: or serviceAccount:."
  }
}

variable "maintenance" {
  description = "Whether there is a second job that may sign, and write and delete everything: for repair, and for nothing longer than that."
  type        = bool
  default     = false
}

variable "frozen" {
  description = "Whether the log is closed: no schedule, no sequencer, nobody may sign, submit or write. What is published stays. Run `tiletree freeze` before."
  type        = bool
  default     = false
}

variable "domain" {
  description = "Host name that a load balancer with Cloud CDN serves, at about 18 USD a month; null serves from storage.googleapis.com."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name in lower case, without a scheme and a path."
  }
}

variable "superseded_days" {
  description = "Days for which what was replaced or deleted in the public bucket can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.superseded_days >= 1 && floor(var.superseded_days) == var.superseded_days
    error_message = "superseded_days must be a whole number, at least 1."
  }
}

variable "anchor_days" {
  description = "Days for which earlier anchors are kept, as evidence of what was signed when."
  type        = number
  default     = 400

  validation {
    condition     = var.anchor_days >= 30 && floor(var.anchor_days) == var.anchor_days
    error_message = "anchor_days must be a whole number, at least 30."
  }
}

variable "private_recovery_days" {
  description = "Days for which what was deleted in the private bucket can be brought back: 7 to 90, or 0. All of it is billed for as long."
  type        = number
  default     = 7

  validation {
    condition     = var.private_recovery_days == 0 || (var.private_recovery_days >= 7 && var.private_recovery_days <= 90)
    error_message = "private_recovery_days must be 0, or 7 to 90: Cloud Storage has no other."
  }
}

variable "notification_channels" {
  description = "Ids of the channels of Cloud Monitoring that alerts go to. Without one, alerts are only seen in the console."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "notification_channels have the form projects/PROJECT/notificationChannels/ID."
  }
}

variable "max_wait_seconds" {
  description = "Alert when what was submitted has waited for longer than this."
  type        = number
  default     = 900

  validation {
    condition     = var.max_wait_seconds >= 60
    error_message = "max_wait_seconds must be at least 60."
  }
}

variable "silence_seconds" {
  description = "Alert when no run has ended for as long as this. Longer than the schedule's longest pause."
  type        = number
  default     = 900

  validation {
    condition     = var.silence_seconds >= 300 && var.silence_seconds <= 84600 && var.silence_seconds % 60 == 0
    error_message = "silence_seconds must be 300 to 84600, and a multiple of 60: Cloud Monitoring has no other."
  }
}

variable "deletion_protection" {
  description = "Whether `terraform destroy` refuses to delete buckets that hold objects. false only for a log to throw away."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of every resource that has them."
  type        = map(string)
  default     = {}
}
