"""What the provider of our own says that the cloud said, where policies are compared: an account, ARNs of roles."""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
_READ: dict[str, dict[str, Any]] = {
    "aws_caller_identity": {"account_id": ACCOUNT},
    "aws_partition": {"partition": "aws"},
    "aws_region": {"region": "eu-west-1"},
}


def read(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what a data source says."""
    return _READ.get(kind, {})


def create(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what only the cloud knows of something new."""
    if kind == "aws_iam_role":
        return {"id": values["name"], "arn": f"arn:aws:iam::{ACCOUNT}:role/{values['name']}"}
    if kind == "aws_s3_bucket":
        return {"id": values["bucket"], "arn": f"arn:aws:s3:::{values['bucket']}"}
    if kind == "aws_kms_key":
        return {"arn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"}
    if kind == "aws_sns_topic":
        return {"arn": f"arn:aws:sns:{values['region'] or 'eu-west-1'}:{ACCOUNT}:{values['name']}"}
    if kind == "aws_cloudfront_distribution":
        return {"arn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1", "domain_name": "d1.cloudfront.net"}
    return {}


update = create


def delete(kind: str, values: dict[str, Any]) -> None:
    """Do nothing: there is nothing."""


def refresh(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what has changed since: nothing does."""
    return {}
