variable "name" {
  description = "Name of the deployment: the first part of the name of every resource. Names of buckets have the account's number as well."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name is 3 to 24 of a-z, 0-9 and '-'; it begins with a letter and does not end with '-'."
  }
}

variable "origin" {
  description = "What the log calls itself: the first line of each checkpoint. Best a bare host name, such as log.example.com."
  type        = string

  validation {
    condition     = can(regex("^[^\\s+'\"\\\\]{1,255}$", var.origin)) && !can(regex("^[a-z]+://", var.origin))
    error_message = "origin is 1 to 255 characters without space, '+', quote or backslash, and no URL with a scheme."
  }
}

variable "package_path" {
  description = "Path of the zip of the function, such as dist/tiletree-lambda-arm64.zip."
  type        = string

  validation {
    condition     = endswith(var.package_path, ".zip") && fileexists(var.package_path)
    error_message = "package_path is a zip file that is there: `make package` makes it."
  }
}

variable "architecture" {
  description = "Processor of the function: arm64 or x86_64, as the package is for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "key_arn" {
  description = "ARN of a KMS key (ECC_NIST_EDWARDS25519) that is there already, such as that of a log that is deployed anew. Its policy has to be the output key_policy_json. null makes a key."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.key_arn))
    error_message = "key_arn is null, or the ARN of a key, not of an alias."
  }
}

variable "schedule_expression" {
  description = "When the sequencer runs, as EventBridge Scheduler says it."
  type        = string
  default     = "rate(1 minute)"

  validation {
    condition     = can(regex("^(rate|cron)\\(.+\\)$", var.schedule_expression))
    error_message = "schedule_expression is rate(…) or cron(…)."
  }
}

variable "wake_up" {
  description = "Whether a submission also wakes the sequencer at once, by S3 and a queue. The schedule stays."
  type        = bool
  default     = false
}

variable "wake_up_seconds" {
  description = "Seconds for which a wake-up waits for others, so that one run takes them all. 0 to 300."
  type        = number
  default     = 10

  validation {
    condition     = var.wake_up_seconds >= 0 && var.wake_up_seconds <= 300
    error_message = "wake_up_seconds is 0 to 300."
  }
}

variable "reserved_concurrency" {
  description = "How many runs there may be at once. null reserves nothing, which new accounts need: their quota is 10 in all. Two runs at once are safe; one only saves work. With wake_up it is null, or 2 and more."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency >= (var.wake_up ? 2 : 1), false)
    error_message = "reserved_concurrency is null or at least 1; with wake_up null or at least 2, because a queue calls twice at once."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MiB, 256 to 10240. Its share of a processor grows with it. A run refuses an admission policy whose max-submission-bytes, twice, and 64 MiB are more."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 256 && var.memory_mb <= 10240
    error_message = "memory_mb is 256 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which a run is ended, 10 to 900; best less than the interval of the schedule. The next run finishes what it left."
  type        = number
  default     = 55

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 900
    error_message = "timeout_seconds is 10 to 900."
  }
}

variable "settings" {
  description = "Further environment variables of the function, each of which begins with TILETREE_, such as TILETREE_MAX_ENTRIES."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "TILETREE_")])
    error_message = "each of the settings begins with TILETREE_."
  }
  validation {
    condition     = length(setintersection(keys(var.settings), ["TILETREE_LOG", "TILETREE_PRIVATE", "TILETREE_ANCHOR", "TILETREE_KEY", "TILETREE_PRIVATE_KEY", "TILETREE_WITNESS_TIMEOUT", "TILETREE_WAIT_EXTRA", "TILETREE_FAIL_OPEN"])) == 0
    error_message = "the module itself sets the places and the key of the log, and by the input witnesses how those are asked."
  }
}

variable "witnesses" {
  description = "How the witnesses of the log's policy are asked: seconds for all of them together, seconds to go on for cosignatures that the policy does not need, and whether to publish even if too few cosign. Which they are is in the policy that `tiletree init --policy` was given. The function is in no VPC, so it reaches them by HTTPS. null for a log without witnesses."
  type = object({
    timeout_seconds    = optional(number, 10)
    wait_extra_seconds = optional(number, 0)
    fail_open          = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.witnesses == null || try(var.witnesses.timeout_seconds >= 1 && var.witnesses.wait_extra_seconds >= 0 && 3 * (var.witnesses.timeout_seconds + var.witnesses.wait_extra_seconds) <= var.timeout_seconds, false)
    error_message = "the seconds of witnesses are at least 1 and 0, and together a third of timeout_seconds at most, because a run asks them for each batch."
  }
}

variable "lock_days" {
  description = "Days for which S3 Object Lock keeps full tiles and entry bundles, in governance mode; 0 locks nothing. It is the --lock-days of `tiletree init`."
  type        = number
  default     = 0

  validation {
    condition     = var.lock_days >= 0 && var.lock_days <= 36500 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days is a whole number from 0 to 36500."
  }
}

variable "noncurrent_days" {
  description = "Days for which replaced checkpoints, anchors and page files, and deleted partial tiles, can be had back."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 3650
    error_message = "noncurrent_days is 1 to 3650."
  }
}

variable "submitters" {
  description = "Who may submit: for each name, the ARNs of principals that may assume a role which creates objects below inbox/NAME/. With no ARN there is no role; the output submitter_policies_json has the rights to attach elsewhere."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.submitters) : can(regex("^[a-z0-9][a-z0-9._-]{0,31}$", name))])
    error_message = "a submitter is called 1 to 32 of a-z, 0-9, '.', '_' and '-'; a letter or digit comes first."
  }
  validation {
    condition     = alltrue([for arn in flatten(values(var.submitters)) : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "principals are ARNs of IAM or STS; anyone (\"*\") is none."
  }
}

variable "operator_principals" {
  description = "ARNs of principals that may assume the operator's role, and that of the sequencer to begin the log. Whoever may do that can sign."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.operator_principals : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "principals are ARNs of IAM or STS; anyone (\"*\") is none."
  }
}

variable "operator_needs_mfa" {
  description = "Whether operators have to have signed in with a second factor."
  type        = bool
  default     = false
}

variable "checkpoint_ttl_seconds" {
  description = "Seconds for which the CDN may serve a checkpoint or the head of an index, 1 to 5."
  type        = number
  default     = 2

  validation {
    condition     = var.checkpoint_ttl_seconds >= 1 && var.checkpoint_ttl_seconds <= 5
    error_message = "checkpoint_ttl_seconds is 1 to 5."
  }
}

variable "domain" {
  description = "Host name of your own, and the ARN of its certificate, which has to be in us-east-1. null serves at *.cloudfront.net."
  type = object({
    name                = string
    acm_certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/", var.domain.acm_certificate_arn))
    error_message = "the certificate of domain is one of ACM in us-east-1."
  }
  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", var.domain.name))
    error_message = "the name of domain is a host name in lower case."
  }
}

variable "price_class" {
  description = "Where CloudFront serves from: PriceClass_100 (North America, Europe), PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class is PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "web_acl_arn" {
  description = "ARN of a web ACL of WAF, such as one that limits how often a reader may ask. null uses none."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null || can(regex("^arn:[a-z-]+:wafv2:us-east-1:[0-9]{12}:global/webacl/", var.web_acl_arn))
    error_message = "web_acl_arn is null, or the ARN of a web ACL for CloudFront."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics, in the region of the log, that are told when an alarm begins and ends. Without any, alarms are only seen in the console."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:", arn))])
    error_message = "alarm_topic_arns are ARNs of SNS topics."
  }
}

variable "cdn_alarm_topic_arns" {
  description = "SNS topics in us-east-1 that are told when reads fail, because the numbers of CloudFront are there."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.cdn_alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:us-east-1:[0-9]{12}:", arn))])
    error_message = "cdn_alarm_topic_arns are ARNs of SNS topics in us-east-1."
  }
}

variable "alarm_oldest_pending_seconds" {
  description = "Alarm if a submission has waited for longer. The same alarm begins if for two periods of alarm_period_seconds no run says how long."
  type        = number
  default     = 600

  validation {
    condition     = var.alarm_oldest_pending_seconds >= 60
    error_message = "alarm_oldest_pending_seconds is at least 60."
  }
}

variable "alarm_period_seconds" {
  description = "Over how many seconds alarms look at runs at a time: a multiple of 60, at most 17280, that no pause between two runs exceeds."
  type        = number
  default     = 300

  validation {
    condition     = var.alarm_period_seconds >= 60 && var.alarm_period_seconds <= 17280 && var.alarm_period_seconds % 60 == 0
    error_message = "alarm_period_seconds is a multiple of 60, from 60 to 17280: five of them are no longer than a day."
  }
}

variable "log_retention_days" {
  description = "Days for which the lines that runs print are kept, as CloudWatch allows."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "withheld_paths" {
  description = "Paths that `tiletree withhold` printed: the CDN is denied them. Then purge its copies."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for path in var.withheld_paths : can(regex("^(tile/entries|payload/sha256)/[0-9a-fx/.p*]+$", path))])
    error_message = "withheld_paths are paths of entry bundles and of published files."
  }
}

variable "frozen" {
  description = "Whether the log has ended: nobody writes, submits or signs any more, nothing runs, and readers read on. Say `tiletree freeze` first."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "false only for logs to be thrown away: then `terraform destroy` empties the buckets and deletes the key."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
