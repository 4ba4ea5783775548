"""The rights of terraform/gcp: its table against every object of a log, and the policies that Terraform makes of it.

The table, `objects.json`, is read without Terraform, and the policies are planned by it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terraform.gcp_iam import EVERYONE, NEEDS, BucketPolicy, parse_policy
from tests.terraform.log_objects import REPLACE, ROWS, Row
from tests.terraform.modules import TERRAFORM, Failed, call

MODULE = TERRAFORM / "gcp"
TABLE: dict[str, dict[str, list[str]]] = json.loads((MODULE / "objects.json").read_text(encoding="utf-8"))
_CHANGING = ("create", "overwrite", "delete")
_MEANT = {"create": {"create"}, "replace": set(REPLACE), "delete": {"delete"}}

PROJECT, NAME = "project-1", "demo"
SUBMITTER, OPERATOR = "serviceAccount:ci@project-2.iam.gserviceaccount.com", "user:operator@example.com"
SEQUENCER, MAINTENANCE = (
    f"serviceAccount:{NAME}-{role}@{PROJECT}.iam.gserviceaccount.com" for role in ("sequencer", "maintenance")
)
EDITOR = "projectEditor:project-1"  # has rights on a new bucket, and is to have none on these
VARIABLES: dict[str, Any] = {
    "project_id": PROJECT,
    "region": "europe-west1",
    "name": NAME,
    "origin": "log.example.com",
    "image": f"europe-docker.pkg.dev/p/r/tiletree@sha256:{'0' * 64}",
    "submitters": {"ci": [SUBMITTER]},
    "operators": [OPERATOR],
}


def matches(pattern: str, path: str) -> bool:
    """Return whether a pattern of the table matches a path: one "*" stands for any characters."""
    before, star, after = pattern.partition("*")
    if not star:
        return path == pattern
    return len(path) >= len(before) + len(after) and path.startswith(before) and path.endswith(after)


def granted(part: str, path: str) -> frozenset[str]:
    """Return what the table lets the sequencer do with an object."""
    found: set[str] = set()
    for right, patterns in TABLE[part].items():
        if any(matches(pattern, path) for pattern in patterns):
            found |= _MEANT[right]
    return frozenset(found | {"overwrite"} if {"create", "delete"} <= found else found)


@dataclass(frozen=True)
class Planned:
    """The policies of the three buckets, as Terraform plans them."""

    policies: dict[str, BucketPolicy]

    def may(self, member: str, row: Row) -> frozenset[str]:
        """Return what a member may change about an object."""
        return frozenset(what for what in _CHANGING if self.policies[row.part].may(member, what, row.path))


def planned(folder: Path, configuration: Path, **variables: Any) -> Planned:
    """Plan the module in a folder, which Terraform has initialised, and return its policies. Raises Failed."""
    said = json.dumps(VARIABLES | variables)
    (folder / "rights.auto.tfvars.json").write_text(said, encoding="utf-8")
    call(folder, configuration, "plan", "-input=false", "-no-color", "-out=rights.tfplan")
    document = json.loads(call(folder, configuration, "show", "-json", "rights.tfplan"))
    resources = document["planned_values"]["root_module"]["resources"]
    found = {(each["type"], each["name"]): each["values"] for each in resources}
    role = found["google_project_iam_custom_role", "deleter"]
    custom = {f"projects/{PROJECT}/roles/{role['role_id']}": frozenset(role["permissions"])}
    policies = {}
    for part in TABLE:
        values = found["google_storage_bucket_iam_policy", part]
        policies[part] = parse_policy(values["bucket"], values["policy_data"], custom)
    return Planned(policies)


def check(folder: Path, configuration: Path) -> str:
    """Check the planned policies against every object of a log. Raises Failed. Return what was done."""
    call(folder, configuration, "init", "-backend=false", "-input=false", "-no-color")
    ordinary = planned(folder, configuration)
    wrong = [problem for policy in ordinary.policies.values() for problem in policy.problems()]
    for row in ROWS:
        where = f"{row.part} {row.path}"
        wrong += _differences(f"the sequencer and {where}", ordinary.may(SEQUENCER, row), row.may)
        submitted = {"create"} if row.path.startswith("inbox/ci/") else set()
        wrong += _differences(f"a submitter and {where}", ordinary.may(SUBMITTER, row), submitted)
        kept = set() if row.part == "anchor" else set(REPLACE)
        wrong += _differences(f"an operator and {where}", ordinary.may(OPERATOR, row), kept)
        for member in (EVERYONE, EDITOR, MAINTENANCE):
            wrong += _differences(f"{member} and {where}", ordinary.may(member, row), set())
        policy = ordinary.policies[row.part]
        reads = {EVERYONE: row.part == "public", SUBMITTER: row.part == "public", SEQUENCER: True, OPERATOR: True}
        wrong += [
            f"{who} reads {where}: {not may}" for who, may in reads.items() if policy.may(who, "get", row.path) != may
        ]
    for part, policy in ordinary.policies.items():
        lists = {EVERYONE: False, SUBMITTER: False, SEQUENCER: True, OPERATOR: True}
        wrong += [f"{who} lists {part}: {not may}" for who, may in lists.items() if policy.may(who, "list") != may]
    frozen = planned(folder, configuration, frozen=True, maintenance=True)
    members = (SEQUENCER, SUBMITTER, OPERATOR, MAINTENANCE, EVERYONE)
    for row, member in ((row, member) for row in ROWS for member in members):
        wrong += _differences(f"{member}, frozen, and {row.part} {row.path}", frozen.may(member, row), set())
    if wrong:
        raise Failed("\n".join(wrong))
    return f"{len(ROWS)} objects, {len(members)} members, {len(NEEDS)} requests"


def _differences(who: str, may: frozenset[str], wanted: set[str] | frozenset[str]) -> list[str]:
    return [f"{who}: may {sorted(may) or 'nothing'}, and should {sorted(wanted) or 'nothing'}"] if may != wanted else []
