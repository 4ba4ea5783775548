"""The record that a submission is decided although it may still be in the inbox. Pure.

    tiletree-decided/v1\\n
    submission <name, as its batch names it>\\n

It is kept at `decided/<SHA-256 of the submission's name below inbox/>`, so that a listing of these paths says which
objects of the inbox are decided, whatever they are called.
"""

from __future__ import annotations

from tiles.errors import Malformed
from tiles.records.fields import format_record, parse_record

TITLE = "tiletree-decided/v1"
MAX_DECIDED_SIZE = 1024  # bytes: the title, and a name of at most 512 characters


def format_decided(name: str) -> bytes:
    """Return the record of a submission."""
    return format_record(TITLE, [("submission", name)])


def parse_decided(data: bytes) -> str:
    """Return the name whose record is `data`. Raises Malformed if there is none."""
    if len(data) > MAX_DECIDED_SIZE:
        raise Malformed(TITLE, f"{len(data)} bytes, {MAX_DECIDED_SIZE} is the most")
    (name,) = parse_record(TITLE, data, ["submission"])
    if format_decided(name) != data:
        raise Malformed(TITLE, "not in canonical form", data[:80])
    return name
