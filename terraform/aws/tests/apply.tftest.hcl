# What only an apply knows: attributes in blocks that the provider computes. Not in one file with override_during, with
# which Terraform 1.11 says "inconsistent final plan" of an apply.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "demo"
  origin       = "log.example.com"
  package_path = "tests/fixtures/empty.zip"
}

run "buckets" {
  command = apply

  assert {
    condition     = alltrue([for b in aws_s3_bucket_public_access_block.this : b.block_public_acls && b.block_public_policy && b.ignore_public_acls && b.restrict_public_buckets])
    error_message = "readers come by CloudFront only"
  }
  assert {
    condition     = keys(aws_s3_bucket_versioning.this) == ["anchor", "public"]
    error_message = "versions"
  }
  assert {
    condition = alltrue(flatten([for each in aws_s3_bucket_lifecycle_configuration.this : [
      for rule in each.rule : [for e in rule.expiration : e.days == null || e.days == 0]
    ]]))
    error_message = "what is current never expires"
  }
  assert {
    condition     = output.url == "https://d111111abcdef8.cloudfront.net"
    error_message = "address for readers"
  }
}
