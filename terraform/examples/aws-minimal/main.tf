terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"
    }
  }

  # The state names resources and holds no secret. Keep it where it is not lost, such as:
  # backend "s3" {
  #   bucket       = "my-terraform-states"
  #   key          = "log.tfstate"
  #   region       = "eu-west-1"
  #   use_lockfile = true
  # }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

module "log" {
  source = "../../aws"

  name         = var.name
  origin       = var.origin
  package_path = "${path.module}/../../../dist/tiletree-lambda-arm64.zip"

  # Whoever the account itself lets assume roles operates the log: its administrators.
  operator_principals = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]

  submitters = { ci = [] } # nobody yet: the output submitter_policies_json has what to attach to whoever is to submit
}
