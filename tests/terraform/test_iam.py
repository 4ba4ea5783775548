"""What policies allow, by the rules of AWS that the other tests here rely on; and what is said without Terraform."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.terraform import __main__ as checks
from tests.terraform import iam

WHO, BUCKET = "arn:aws:iam::1:role/r", "arn:aws:s3:::b"
ALLOW = {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"{BUCKET}/*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"{BUCKET}/tile/*"}
TILE = f"{BUCKET}/tile/0/000"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy of some statements."""
    return {"Statement": list(statements)}


@pytest.mark.parametrize(
    ("own", "of_bucket", "resource", "context", "allowed"),
    [
        ([], [], TILE, {}, False),
        ([ALLOW], [], TILE, {}, True),
        ([ALLOW], [], "arn:aws:s3:::other/tile", {}, False),
        ([ALLOW], [DENY], TILE, {}, False),
        ([ALLOW], [DENY], f"{BUCKET}/checkpoint", {}, True),
        ([ALLOW], [{**DENY, "Principal": {"AWS": "arn:aws:iam::1:role/other"}}], TILE, {}, True),
        ([], [{**DENY, "Effect": "Allow", "Principal": {"AWS": [WHO]}}], TILE, {}, True),
        # a condition with several keys holds if all of them do; one that is negated holds where the key is missing
        ([ALLOW], [{**DENY, "Condition": {"Null": {"s3:a": "true", "s3:b": "true"}}}], TILE, {"s3:a": "1"}, True),
        ([ALLOW], [{**DENY, "Condition": {"Null": {"s3:a": "true", "s3:b": "true"}}}], TILE, {}, False),
        ([ALLOW], [{**DENY, "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:*:role/r"]}}}], TILE, {}, True),
        ([ALLOW], [{**DENY, "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:*:role/s"]}}}], TILE, {}, False),
        ([ALLOW], [{**DENY, "Condition": {"ArnNotLike": {"aws:none": ["arn:*"]}}}], TILE, {}, False),
        ([{**ALLOW, "Condition": {"StringEquals": {"s3:a": "1"}}}], [], TILE, {"S3:A": "1"}, True),
        ([{**ALLOW, "Condition": {"StringEquals": {"s3:a": "1"}}}], [], TILE, {}, False),
    ],
)
def test_what_is_allowed(
    own: list[dict[str, Any]], of_bucket: list[dict[str, Any]], resource: str, context: dict[str, str], allowed: bool
) -> None:
    """A denial wins over everything, one permission is enough, and what nobody allows is denied."""
    call = iam.Call(WHO, "s3:GetObject", resource, context)
    assert iam.is_allowed(call, [policy(*own)], [policy(*of_bucket)]) == allowed


def test_all_but_some_resources() -> None:
    """A statement with NotResource is about everything else."""
    statement = {"Effect": "Allow", "Action": "*", "NotResource": [f"{BUCKET}/*.html"]}
    calls = [iam.Call(WHO, "s3:PutObject", f"{BUCKET}/{name}") for name in ("a", "a.html")]
    assert [iam.is_allowed(call, [policy(statement)], []) for call in calls] == [True, False]


def test_a_condition_that_is_not_known() -> None:
    """An operator that this does not know is no reason to allow anything."""
    statement = {**ALLOW, "Condition": {"StringLike": {"s3:prefix": "*"}}}
    with pytest.raises(NotImplementedError, match="StringLike"):
        iam.is_allowed(iam.Call(WHO, "s3:GetObject", TILE), [policy(statement)], [])


def test_without_terraform(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no Terraform, the target says so in one line and passes."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert checks.main() == 0
    assert capsys.readouterr().out == "terraform/ is not checked here: there is no terraform on PATH\n"
