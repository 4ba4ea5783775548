terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"
    }
  }

  # backend "s3" { … } as in aws-minimal
}

provider "aws" {
  region = "eu-west-1"
}

resource "aws_sns_topic" "alarms" {
  name = "log-alarms"
}

resource "aws_sns_topic" "cdn_alarms" {
  region = "us-east-1"
  name   = "log-cdn-alarms"
}

module "log" {
  source = "../../aws"

  name         = "log"
  origin       = "log.example.com"
  package_path = var.package_path
  architecture = "arm64"

  schedule_expression  = "rate(5 minutes)"
  wake_up              = true
  wake_up_seconds      = 20
  reserved_concurrency = 2
  memory_mb            = 1024
  timeout_seconds      = 120
  settings             = { TILETREE_MAX_ENTRIES = "100000" }
  witnesses            = { timeout_seconds = 20, wait_extra_seconds = 5 }

  lock_days       = 365
  noncurrent_days = 90

  submitters = {
    release = ["arn:aws:iam::123456789012:role/release"]
    nightly = ["arn:aws:iam::123456789012:role/nightly", "arn:aws:iam::210987654321:root"]
  }
  operator_principals = ["arn:aws:iam::123456789012:role/log-operators"]
  operator_needs_mfa  = true

  domain = {
    name                = "log.example.com"
    acm_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  }
  price_class = "PriceClass_All"
  web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/log/11111111-2222-3333-4444-555555555555"

  alarm_topic_arns             = [aws_sns_topic.alarms.arn]
  cdn_alarm_topic_arns         = [aws_sns_topic.cdn_alarms.arn]
  alarm_oldest_pending_seconds = 900
  alarm_period_seconds         = 600
  log_retention_days           = 90

  withheld_paths = ["tile/entries/x001/234", "tile/entries/x001/234.p/*"]
  frozen         = var.frozen
  tags           = { team = "releases" }
}
