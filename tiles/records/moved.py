"""The record that a log was moved, `moved` in the private part that it left. Pure.

    tiletree-moved/v1\\n
    to <place>\\n             where its public part is now
    private <place>\\n        where its private part is now

It is for whoever comes to the old place, and decides nothing: the head there names no anchor any more.
"""

from __future__ import annotations

from tiles.records.fields import format_record, is_value, parse_record

TITLE = "tiletree-moved/v1"
_NAMES = ("to", "private")


def format_moved(public: str, private: str) -> bytes | None:
    """Return the record; None for places that no record can hold, such as one with a line break in its name."""
    if not is_value(public) or not is_value(private):
        return None
    return format_record(TITLE, list(zip(_NAMES, (public, private), strict=True)))


def parse_moved(data: bytes) -> str:
    """Return where the log is, in words. Raises Malformed."""
    public, private = parse_record(TITLE, data, _NAMES)
    return f"{public}, its private part to {private}"
