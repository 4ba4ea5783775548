# The public part, which CloudFront serves; the private part, with the inbox; the anchor, in a bucket of its own.
locals {
  buckets = {
    # Object Lock can only be turned on as long as a bucket is new, so it is on; what is locked is said by lock_days.
    public  = { id = aws_s3_bucket.public.id, arn = local.arn.public, versioned = true }
    private = { id = aws_s3_bucket.private.id, arn = local.arn.private, versioned = false }
    anchor  = { id = aws_s3_bucket.anchor.id, arn = local.arn.anchor, versioned = true }
  }
}

resource "aws_s3_bucket" "public" {
  bucket              = local.bucket.public
  object_lock_enabled = true
  force_destroy       = !var.deletion_protection
  tags                = local.tags
}

resource "aws_s3_bucket" "private" {
  bucket        = local.bucket.private
  force_destroy = !var.deletion_protection
  tags          = local.tags
}

resource "aws_s3_bucket" "anchor" {
  bucket        = local.bucket.anchor
  force_destroy = !var.deletion_protection
  tags          = local.tags
}

# The private part has no versions: each submission that is deleted would leave a marker, and lists of the inbox would
# get slower by each. What is lost of it can be made again, except submissions that were not decided.
resource "aws_s3_bucket_versioning" "this" {
  for_each = { for part, bucket in local.buckets : part => bucket if bucket.versioned }

  bucket = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = each.value.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = each.value.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256" # a key of KMS would cost a request for each object, and keep CloudFront out
    }
  }
}

# Nothing that is current ever expires: a log that rests needs its partial tiles, and a submission is not dropped.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = each.value.id
  rule {
    id     = "what-was-replaced"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
    expiration {
      expired_object_delete_marker = true
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = each.value.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.bucket_statements[each.key] })

  depends_on = [aws_s3_bucket_public_access_block.this, aws_iam_role.sequencer, aws_iam_role.operator]
}
