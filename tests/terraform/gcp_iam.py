"""What a bucket's policy on Google Cloud allows: roles, members, and conditions on names, as far as terraform/gcp uses
them. Anything else is an error here, so that nothing is believed to be allowed or denied that nobody looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EVERYONE = "allUsers"
_GET, _LIST, _CREATE, _DELETE = (f"storage.objects.{verb}" for verb in ("get", "list", "create", "delete"))

# https://cloud.google.com/storage/docs/access-control/iam-roles, those of their permissions that matter here
ROLES: Mapping[str, frozenset[str]] = {
    "roles/storage.legacyObjectReader": frozenset({_GET}),
    "roles/storage.objectViewer": frozenset({_GET, _LIST}),
    "roles/storage.objectCreator": frozenset({_CREATE}),
    "roles/storage.objectUser": frozenset({_GET, _LIST, _CREATE, _DELETE}),
    "roles/storage.objectAdmin": frozenset({_GET, _LIST, _CREATE, _DELETE}),
}
# what a request needs; overwriting needs the right to delete as well, and nothing less
NEEDS: Mapping[str, frozenset[str]] = {
    "get": frozenset({_GET}),
    "list": frozenset({_LIST}),
    "create": frozenset({_CREATE}),
    "overwrite": frozenset({_CREATE, _DELETE}),
    "delete": frozenset({_DELETE}),
}
MOST_OPERATORS = 12  # &&, || and ! of one condition: https://cloud.google.com/iam/docs/conditions-overview
MOST_BINDINGS = 20  # of one role and member, with different conditions

_TERM = re.compile(r'resource\.name(?: == |\.(startsWith|endsWith)\()"([^"\\]+)"(\)?)')


def holds(expression: str, name: str) -> bool:
    """Return whether a condition holds for a resource of that name. Raises ValueError for what it cannot judge."""
    return any(all(_term(term, name) for term in each.split(" && ")) for each in expression.split(" || "))


def _term(text: str, name: str) -> bool:
    match = _TERM.fullmatch(text)
    if match is None or bool(match[1]) != bool(match[3]):
        raise ValueError(f"{text!r} is no condition that this test can judge")
    if match[1] is None:
        return name == match[2]
    return name.startswith(match[2]) if match[1] == "startsWith" else name.endswith(match[2])


@dataclass(frozen=True)
class BucketPolicy:
    """All rights on a bucket.

    bindings   as in the policy's JSON
    custom     permissions of roles of the project, by their names
    """

    bucket: str
    bindings: list[dict[str, Any]]
    custom: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def permissions(self, member: str, key: str) -> set[str]:
        """Return the permissions of a member on an object, with those that everyone has."""
        found: set[str] = set()
        for binding in self.bindings:
            expression = binding.get("condition", {}).get("expression")
            name = f"projects/_/buckets/{self.bucket}/objects/{key}"
            if {member, EVERYONE} & set(binding["members"]) and (expression is None or holds(expression, name)):
                found |= {**ROLES, **self.custom}[binding["role"]]
        return found

    def may(self, member: str, what: str, key: str = "") -> bool:
        """Return whether a member may do something with an object: a name of NEEDS."""
        return NEEDS[what] <= self.permissions(member, key)

    def problems(self) -> list[str]:
        """Return where the policy breaks the limits that Google Cloud sets."""
        wrong = []
        conditional = [binding for binding in self.bindings if "condition" in binding]
        for binding in conditional:
            expression = binding["condition"]["expression"]
            if (count := len(re.findall(r"&&|\|\||!", expression))) > MOST_OPERATORS:
                wrong.append(f"{self.bucket}: {count} operators in {binding['condition']['title']}")
            if EVERYONE in binding["members"]:
                wrong.append(f"{self.bucket}: a condition on what everyone may do")
        for role, member in {(each["role"], member) for each in conditional for member in each["members"]}:
            same = [each for each in conditional if each["role"] == role and member in each["members"]]
            if len(same) > MOST_BINDINGS:
                wrong.append(f"{self.bucket}: {len(same)} bindings of {role} for {member}")
        return wrong


def parse_policy(bucket: str, text: str, custom: Mapping[str, frozenset[str]]) -> BucketPolicy:
    """Return the policy that the JSON of a `policy_data` says."""
    return BucketPolicy(bucket, json.loads(text)["bindings"], custom)
