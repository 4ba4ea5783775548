# These hold for everyone, the account's administrators too: who wants to break them has to change them first, and that
# is in CloudTrail.
locals {
  change = ["s3:PutObject", "s3:DeleteObject"]
  # whoever is neither sequencer nor operator
  others = { ArnNotLike = { "aws:PrincipalArn" = concat(values(local.roles), values(local.sessions)) } }

  guards = { for part, arn in local.arn : part => concat(
    [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [arn, "${arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # A write says that nothing is there yet (If-None-Match), or which version it replaces (If-Match). It is a
        # statement of its own, because a condition with two keys holds only if both are absent.
        Sid       = "CompareAndSwap"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "${arn}/*"
        Condition = { Null = { "s3:if-none-match" = "true", "s3:if-match" = "true" } }
      },
      {
        # Copies and multipart uploads, which say neither, are stopped by it as well.
        Sid         = "WriteOnce"
        Effect      = "Deny"
        Principal   = "*"
        Action      = "s3:PutObject"
        NotResource = [for path in local.replaced[part] : "${arn}/${path}"]
        Condition   = { Null = { "s3:if-none-match" = "true" } }
      },
      {
        # What was deleted or replaced in a bucket with versions can be had back, until the lifecycle removes it.
        Sid       = "NothingIsGoneAtOnce"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"]
        Resource  = "${arn}/*"
      },
      {
        Sid         = "NeverDeleted"
        Effect      = "Deny"
        Principal   = "*"
        Action      = "s3:DeleteObject"
        NotResource = [for path in concat(local.cleared[part], local.collected[part], local.operated[part]) : "${arn}/${path}"]
      },
    ],
    [
      for sid in var.frozen && part != "public" ? ["Frozen"] : [] :
      { Sid = sid, Effect = "Deny", Principal = "*", Action = local.change, Resource = "${arn}/*" }
    ],
    [
      for sid in var.frozen && part == "public" ? ["Frozen"] : [] :
      { Sid = sid, Effect = "Deny", Principal = "*", Action = local.change, NotResource = local.page_arns }
    ],
  ) }

  bucket_statements = {
    public = concat(
      [
        {
          Sid       = "CloudFrontReads"
          Effect    = "Allow"
          Principal = { Service = "cloudfront.amazonaws.com" }
          Action    = "s3:GetObject"
          Resource  = "${local.arn.public}/*"
          Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.log.arn } }
        },
        {
          # Without it S3 answers 403 for what is not there. CloudFront hands on no query, so nobody can list.
          Sid       = "CloudFrontIsToldWhatIsMissing"
          Effect    = "Allow"
          Principal = { Service = "cloudfront.amazonaws.com" }
          Action    = "s3:ListBucket"
          Resource  = local.arn.public
          Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.log.arn } }
        },
        {
          Sid       = "OnlySequencerAndOperatorWrite"
          Effect    = "Deny"
          Principal = "*"
          Action    = concat(local.change, ["s3:PutObjectRetention"])
          Resource  = "${local.arn.public}/*"
          Condition = local.others
        },
      ],
      [
        for sid in length(var.withheld_paths) > 0 ? ["Withheld"] : [] : {
          # The sequencer reads on: it grows the last bundle from what is there.
          Sid       = sid
          Effect    = "Deny"
          Principal = { Service = "cloudfront.amazonaws.com" }
          Action    = "s3:GetObject"
          Resource  = [for path in var.withheld_paths : "${local.arn.public}/${path}"]
        }
      ],
      local.guards.public,
    )
    private = concat(
      [
        {
          # Submitters create below inbox/, by their own rights.
          Sid         = "OnlySequencerAndOperatorWrite"
          Effect      = "Deny"
          Principal   = "*"
          Action      = "s3:PutObject"
          NotResource = "${local.arn.private}/inbox/*"
          Condition   = local.others
        },
        {
          Sid       = "OnlySequencerAndOperatorDelete"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:DeleteObject"
          Resource  = "${local.arn.private}/*"
          Condition = local.others
        },
      ],
      local.guards.private,
    )
    anchor = concat(
      [
        {
          Sid       = "OnlySequencerAndOperator"
          Effect    = "Deny"
          Principal = "*"
          Action    = concat(local.change, ["s3:GetObject", "s3:GetObjectVersion"])
          Resource  = "${local.arn.anchor}/*"
          Condition = local.others
        },
      ],
      local.guards.anchor,
    )
  }
}
