"""Whom a call says to trust, and what this user remembers: from words to keys and policies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

from tiles.errors import AccessError, Malformed, UsageError
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiletree.files import read_named

if TYPE_CHECKING:
    from tiles.inbox.admission import Admission

Kept = TypeVar("Kept")

_POLICIES = "https://c2sp.org/tlog-policy has the format; `tiletree policy check FILE` says what one asks for"
ADMISSIONS = "docs/admission.md has the format; `tiletree admission LOG` prints the policy that a log has"


def read_policy(path: Path | None) -> Policy | None:
    """Return the policy in a file the user named. Raises UsageError if there is none."""
    return None if path is None else read_named(path, "--policy", MAX_POLICY_SIZE, parse_policy, _POLICIES)


def read_admission(path: Path | None) -> Admission | None:
    """Return the admission policy in a file the user named. Raises UsageError if there is none."""
    from tiles.inbox.admission import MAX_ADMISSION_SIZE, parse_admission

    return None if path is None else read_named(path, "--admission", MAX_ADMISSION_SIZE, parse_admission, ADMISSIONS)


def read_vkey(text: str | None) -> VerifierKey | None:
    """Return the key the user named with --vkey, if any. Raises UsageError if it is none."""
    if text is not None and (words := len(text.split())) > 1:  # while its key is changed, a log has two
        raise UsageError(
            f"--vkey: this is {words} words, and a vkey is one",
            hint="of a log with several keys, name one; a policy that --policy names accepts each: docs/keys.md",
        )
    return None if text is None else to_verifier(text, "--vkey")


def to_verifier(text: str, what: str) -> VerifierKey:
    """Return the key that an argument of that name spells, with or without space around it. Raises UsageError."""
    try:
        return parse_vkey(text.strip())
    except Malformed as error:
        raise UsageError(f"{what}: {error.plain}", hint=_how_to_name(text)) from error


def _how_to_name(text: str) -> str:
    if not text.strip():
        return "it is empty: is the variable set, or the file read, that it was to come from?"
    if "+" not in text and Path(text).is_file():
        return f'{text} is a file: "$(cat {quote(text)})" is what is in it'
    return (
        "a vkey is one line, NAME+KEY ID+KEY: copy all of it, from where whoever runs the log has published it; "
        "`tiletree init` and `tiletree key show` print it there"
    )


def memory(kind: Callable[[], Kept]) -> Kept | None:
    """Return one of this user's memories; None for a user who has no home directory."""
    try:
        return kind()
    except AccessError:
        return None
