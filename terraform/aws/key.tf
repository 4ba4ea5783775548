locals {
  # kms:Sign is allowed here and nowhere else, to the sequencer alone: administrators do not get it by IAM.
  key_policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Administer"
          Effect    = "Allow"
          Principal = { AWS = "arn:${local.part}:iam::${local.account}:root" }
          Action    = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Enable*", "kms:Disable*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]
          Resource  = "*"
        },
        {
          Sid       = "ReadPublicKey"
          Effect    = "Allow"
          Principal = { AWS = concat([aws_iam_role.sequencer.arn], aws_iam_role.operator[*].arn) }
          Action    = ["kms:GetPublicKey", "kms:DescribeKey"]
          Resource  = "*"
        },
      ],
      local.is_running ? [
        {
          Sid       = "SequencerSigns"
          Effect    = "Allow"
          Principal = { AWS = aws_iam_role.sequencer.arn }
          Action    = "kms:Sign"
          Resource  = "*"
          Condition = { StringEquals = { "kms:SigningAlgorithm" = "ED25519_SHA_512", "kms:MessageType" = "RAW" } }
        },
      ] : [],
    )
  }
}

resource "aws_kms_key" "log" {
  count = var.key_arn == null ? 1 : 0

  description              = "Key of the transparency log ${var.origin} (Ed25519): signs its checkpoints"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_EDWARDS25519"
  deletion_window_in_days  = var.deletion_protection ? 30 : 7
  policy                   = jsonencode(local.key_policy)
  tags                     = local.tags
}

resource "aws_kms_alias" "log" {
  count = var.key_arn == null ? 1 : 0

  name          = "alias/${var.name}-log"
  target_key_id = aws_kms_key.log[0].key_id
}
