"""Policies (https://c2sp.org/tlog-policy) of a log whose keys change: with one log line more, or one less. Pure.

All other bytes stay: comments, witnesses, groups, the quorum.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tiles.errors import UsageError
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Log, Policy, parse_policy


def with_log(policy: Policy, key: VerifierKey) -> Policy:
    """Return the policy that also accepts what this key signs, on a line behind the other keys of its log.

    Raises UsageError if the policy has no key of that log.
    """
    if key in [log.key for log in policy.logs]:
        return policy
    lines = policy.data.split(b"\n")
    at = max((number for number, line in enumerate(lines) if _key_in(policy, line, key.name)), default=None)
    if at is None:
        raise UsageError(f"the policy has no key of {key.name}")
    words = lines[at].split()
    words[1] = key.vkey.encode()
    return parse_policy(b"\n".join([*lines[: at + 1], b" ".join(words), *lines[at + 1 :]]))


def without_log(policy: Policy, key: VerifierKey) -> Policy:
    """Return the policy that does not accept what this key signs."""
    lines = policy.data.split(b"\n")
    return parse_policy(b"\n".join(line for line in lines if _key_in(policy, line, key.name) != key))


def _key_in(policy: Policy, line: bytes, origin: str) -> VerifierKey | None:
    """Return the key on a line, if it is a log line of that origin."""
    words = line.split()
    if len(words) < 2 or words[0] != b"log":
        return None
    return next((log.key for log in policy.logs if log.key.name == origin and log.key.vkey.encode() == words[1]), None)


def accepting_also(policy: Policy, keys: Iterable[VerifierKey]) -> Policy:
    """Return the policy that also accepts what these keys of a log have signed, for one reading: its text stays."""
    return replace(policy, logs=(*policy.logs, *map(Log, keys)))
