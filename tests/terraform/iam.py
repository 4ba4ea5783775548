"""What policies of AWS allow and deny, as far as those of terraform/aws go. Pure.

A request of the same account is allowed if no policy denies it, and a policy of whoever asks, or of what is asked for,
allows it. An operator of conditions that is not known here raises: nothing is taken for allowed by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A request: who asks for what on what.

    who      ARN of the role, or the name of a service
    context  further keys of conditions, in lower case; the ARN of who asks is one by itself
    """

    who: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, str]:
        """All keys of conditions."""
        over_tls = {"aws:securetransport": "true"}
        return {**over_tls, "aws:principalarn": self.who, **{key.lower(): value for key, value in self.context.items()}}


def is_allowed(call: Call, own: Iterable[Policy], of_resource: Iterable[Policy]) -> bool:
    """Whether a call is allowed.

    own          the policies of whoever asks
    of_resource  the policies of what is asked for, such as a bucket's
    """
    found = [s for policy in own for s in statements(policy) if _fits(s, call)]
    found += [s for policy in of_resource for s in statements(policy) if _names(s, call.who) and _fits(s, call)]
    effects = {statement["Effect"] for statement in found}
    return "Allow" in effects and "Deny" not in effects


def statements(policy: Policy) -> list[Policy]:
    """Return the statements of a policy."""
    return several(policy["Statement"])


def several(value: Any) -> list[Any]:
    """Return a list: policies may have one value instead of a list of one."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str, *, case: bool = True) -> bool:
    """Whether a text is what a pattern with * and ? says. A * stands for slashes as well."""
    parts = ({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL if case else re.DOTALL | re.IGNORECASE) is not None


def _names(statement: Policy, who: str) -> bool:
    principal = statement["Principal"]
    if principal == "*":
        return True
    names = [name for kind in principal.values() for name in several(kind)]
    return who in names or "*" in names


def _fits(statement: Policy, call: Call) -> bool:
    if not any(matches(action, call.action, case=False) for action in several(statement["Action"])):
        return False
    key = "Resource" if "Resource" in statement else "NotResource"
    if any(matches(resource, call.resource) for resource in several(statement[key])) != (key == "Resource"):
        return False
    tests = statement.get("Condition", {})
    return all(
        _holds(operator, call.keys.get(key.lower()), several(values))
        for operator, pairs in tests.items()
        for key, values in pairs.items()
    )


def _holds(operator: str, found: str | None, values: list[str]) -> bool:
    if operator == "Null":
        return (found is None) == (values == ["true"])
    if operator in ("StringEquals", "Bool"):
        return found in values
    if operator in ("ArnEquals", "ArnLike"):
        return found is not None and any(matches(value, found) for value in values)
    if operator == "ArnNotLike":
        return found is None or not any(matches(value, found) for value in values)
    raise NotImplementedError(f"conditions with {operator}")
