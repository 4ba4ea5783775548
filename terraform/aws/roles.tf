locals {
  # Whoever may list is told that an object is not there; a condition on the prefix would turn that into "denied".
  list = [
    { Sid = "List", Effect = "Allow", Action = "s3:ListBucket", Resource = values(local.arn) },
    { Sid = "Read", Effect = "Allow", Action = "s3:GetObject", Resource = [for arn in values(local.arn) : "${arn}/*"] },
  ]

  sequencer_policy = {
    Version = "2012-10-17"
    Statement = concat(
      local.list,
      [
        { Sid = "Write", Effect = "Allow", Action = "s3:PutObject", Resource = local.written_arns },
        { Sid = "Clear", Effect = "Allow", Action = "s3:DeleteObject", Resource = local.cleared_arns },
        { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "arn:${local.part}:logs:${local.region}:${local.account}:log-group:${local.log_group}:*" },
        { Sid = "DeadLetters", Effect = "Allow", Action = "sqs:SendMessage", Resource = local.dead_letters_arn },
      ],
      var.lock_days == 0 ? [] : [
        { Sid = "Lock", Effect = "Allow", Action = "s3:PutObjectRetention", Resource = "${local.arn.public}/tile/*" },
      ],
      var.wake_up ? [
        { Sid = "WakeUps", Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = local.wake_ups_arn },
      ] : [],
      local.other_key,
    )
  }

  # Upkeep: it may delete what is in the way, and cannot sign.
  operator_policy = {
    Version = "2012-10-17"
    Statement = concat(
      local.list,
      [
        { Sid = "Write", Effect = "Allow", Action = "s3:PutObject", Resource = concat(local.written_arns, local.operated_arns) },
        { Sid = "Collect", Effect = "Allow", Action = "s3:DeleteObject", Resource = concat(local.cleared_arns, local.collected_arns, local.operated_arns) },
        { Sid = "HaveBack", Effect = "Allow", Action = ["s3:GetObjectVersion", "s3:ListBucketVersions"], Resource = flatten([for part in ["public", "anchor"] : [local.arn[part], "${local.arn[part]}/*"]]) },
      ],
      var.lock_days == 0 ? [] : [
        { Sid = "Lock", Effect = "Allow", Action = "s3:PutObjectRetention", Resource = "${local.arn.public}/tile/*" },
      ],
    )
  }

  written_arns   = flatten([for part, paths in local.written : [for path in paths : "${local.arn[part]}/${path}"]])
  cleared_arns   = flatten([for part, paths in local.cleared : [for path in paths : "${local.arn[part]}/${path}"]])
  collected_arns = flatten([for part, paths in local.collected : [for path in paths : "${local.arn[part]}/${path}"]])
  operated_arns  = flatten([for part, paths in local.operated : [for path in paths : "${local.arn[part]}/${path}"]])
  page_arns      = [for path in local.page : "${local.arn.public}/${path}"]

  # A key of another account needs the rights on both sides; that of this deployment gives them by its own policy alone.
  other_key = var.key_arn == null ? [] : [
    { Sid = "Key", Effect = "Allow", Action = ["kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"], Resource = var.key_arn },
  ]

  has_operator = length(var.operator_principals) > 0 ? 1 : 0
  by_operators = local.has_operator == 0 ? [] : [
    {
      Effect    = "Allow"
      Principal = { AWS = var.operator_principals }
      Action    = "sts:AssumeRole"
      Condition = { for operator in var.operator_needs_mfa ? ["Bool"] : [] : operator => { "aws:MultiFactorAuthPresent" = "true" } }
    },
  ]
}

resource "aws_iam_role" "sequencer" {
  name = "${var.name}-sequencer"
  tags = local.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }],
      local.by_operators,
    )
  })
}

resource "aws_iam_role_policy" "sequencer" {
  count = local.is_running ? 1 : 0

  name   = "sequence"
  role   = aws_iam_role.sequencer.id
  policy = jsonencode(local.sequencer_policy)
}

resource "aws_iam_role" "operator" {
  count = local.has_operator

  name               = "${var.name}-operator"
  tags               = local.tags
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.by_operators })
}

resource "aws_iam_role_policy" "operator" {
  count = local.has_operator

  name   = "upkeep"
  role   = aws_iam_role.operator[0].id
  policy = jsonencode(local.operator_policy)
}

locals {
  submitter_policies = { for name in keys(var.submitters) : name => {
    Version   = "2012-10-17"
    Statement = [{ Sid = "Submit", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.arn.private}/inbox/${name}/*" }]
  } }
  with_role = { for name, principals in var.submitters : name => principals if length(principals) > 0 && local.is_running }
}

resource "aws_iam_role" "submitter" {
  for_each = local.with_role

  name = "${var.name}-submit-${each.key}"
  tags = local.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = each.value }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "submitter" {
  for_each = local.with_role

  name   = "submit"
  role   = aws_iam_role.submitter[each.key].id
  policy = jsonencode(local.submitter_policies[each.key])
}
