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
MAX_FILE = 256  # characters of what may be a file that is named in the place of what is in it


def read_policy(path: Path | None) -> Policy | None:
    """Return the policy in a file the user named. Raises UsageError if there is none."""
    return None if path is None else read_named(path, "--policy", MAX_POLICY_SIZE, parse_policy)


def read_admission(path: Path | None) -> Admission | None:
    """Return the admission policy in a file the user named. Raises UsageError if there is none."""
    from tiles.inbox.admission import MAX_ADMISSION_SIZE, parse_admission

    return None if path is None else read_named(path, "--admission", MAX_ADMISSION_SIZE, parse_admission)


def read_vkey(text: str | None) -> VerifierKey | None:
    """Return the key the user named with --vkey, if any. Raises UsageError if it is none."""
    return None if text is None else to_verifier(text, "--vkey")


def to_verifier(text: str, what: str) -> VerifierKey:
    """Return the key that an argument of that name spells. Raises UsageError if it is none."""
    try:
        return parse_vkey(text)
    except Malformed as error:
        problem, hint = error.plain, "it is one line: who runs the log publishes it, `tiletree key show` prints it"
        if (lines := len(text.split())) > 1:  # of a log whose key is being changed, `tiletree key show` prints two
            problem = f"this is {lines} words, and a vkey is one"
            hint = "of a log with several keys, name one; a policy that `--policy` names accepts each: docs/keys.md"
        elif "+" not in text and len(text) < MAX_FILE and Path(text).is_file():
            hint = f'that is a file: name what is in it, as in {what} "$(cat {quote(text)})"'
        raise UsageError(f"{what}: {problem}", hint=hint) from error


def memory(kind: Callable[[], Kept]) -> Kept | None:
    """Return one of this user's memories; None for a user who has no home directory."""
    try:
        return kind()
    except AccessError:
        return None
