"""A module of AWS, applied to nothing: its policies and what else it made, to be looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.terraform import iam
from tests.terraform.modules import call
from tests.terraform.tools import HERE

ACCOUNT = "123456789012"
PLACEHOLDERS = HERE / "placeholders.py"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/administrator"
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Deployment:
    """What Terraform says that it made: the values of each resource of the module, by type and name."""

    resources: Mapping[str, Values]

    def all(self, kind: str) -> list[Values]:
        """Return all resources of a type."""
        return [values for address, values in self.resources.items() if address.startswith(f"{kind}.")]

    @cached_property
    def buckets(self) -> dict[str, str]:
        """The names of the buckets, by part."""
        return {part: self.resources[f"aws_s3_bucket.{part}"]["bucket"] for part in ("public", "private", "anchor")}

    @cached_property
    def bucket_policies(self) -> dict[str, iam.Policy]:
        """The policies of the buckets, by name of bucket."""
        return {values["bucket"]: json.loads(values["policy"]) for values in self.all("aws_s3_bucket_policy")}

    @cached_property
    def role_policies(self) -> dict[str, list[iam.Policy]]:
        """The policies of roles, by the ARN of the role. OTHER may do everything, as far as its own policy goes."""
        found: dict[str, list[iam.Policy]] = {role["arn"]: [] for role in self.all("aws_iam_role")}
        for policy in self.all("aws_iam_role_policy"):
            found[f"arn:aws:iam::{ACCOUNT}:role/{policy['role']}"].append(json.loads(policy["policy"]))
        return {**found, OTHER: [EVERYTHING]}

    def role(self, name: str) -> str:
        """Return the ARN of a role, by the end of its name."""
        (arn,) = [role["arn"] for role in self.all("aws_iam_role") if role["name"].endswith(f"-{name}")]
        return str(arn)

    def may(self, who: str, action: str, bucket: str, path: str = "", **context: str) -> bool:
        """Whether somebody may do something with an object, or with the bucket itself if path is ""."""
        resource = f"arn:aws:s3:::{bucket}/{path}" if path else f"arn:aws:s3:::{bucket}"
        asked = iam.Call(who, action, resource, {f"s3:{key.replace('_', '-')}": text for key, text in context.items()})
        return iam.is_allowed(asked, self.role_policies.get(who, []), [self.bucket_policies[bucket]])


def deployed(folder: Path, configuration: Path, **variables: str) -> Deployment:
    """Apply a folder, of which nothing is made, and return what there is then. Raises Failed."""
    given = [f"-var={name}={value}" for name, value in variables.items()]
    hooks = {"TERRAFORM_HOOKS": str(PLACEHOLDERS)}
    call(folder, configuration, "init", "-backend=false", "-input=false", "-no-color")
    call(folder, configuration, "apply", "-auto-approve", "-input=false", "-no-color", *given, **hooks)
    shown = json.loads(call(folder, configuration, "show", "-json"))
    (module,) = shown["values"]["root_module"]["child_modules"]
    resources = [each for each in module["resources"] if each["mode"] == "managed"]
    return Deployment({each["address"].removeprefix(f"{module['address']}."): each["values"] for each in resources})


Deploy = Callable[..., Deployment]
