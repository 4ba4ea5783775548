"""By what a log is known whose origin is not its key's name (https://c2sp.org/tlog-checkpoint, "Signatures").

"The log's key name in its signature line SHOULD match the origin line": of some logs it does not. Anyone can write an
origin, so such a log is known by its key, and by its origin beside that: one key may sign several logs.
"""

from __future__ import annotations

from tiles.errors import Refused
from tiles.notes.keys import VerifierKey


def kept_as(key: VerifierKey, origin: str | None) -> str:
    """Return by what memories keep a log: by its key, and its origin where that is not the key's name (or None)."""
    return key.vkey if is_named_by(key, origin) else f"{key.vkey}\n{origin}"


def is_named_by(key: VerifierKey, origin: str | None) -> bool:
    """Whether an origin is the key's name, as it should be; None stands for the key's name."""
    return origin is None or origin == key.name


def check_named_by(key: VerifierKey, origin: str) -> None:
    """Raise Refused for a log that is not to be witnessed or mirrored, as both are done under the hash of its origin.

    Two logs may have such an origin, and what was said of one would be taken for the other.
    """
    if not is_named_by(key, origin):
        raise Refused(f"the origin {origin!r} is not the name of the key {key}: witnesses know logs by their origins")
