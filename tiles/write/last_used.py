"""Where the anchor of a log was last used, and where the log was moved to, by its private part, for people."""

from __future__ import annotations

from contextlib import suppress

from tiles.errors import AccessError, Malformed
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.moved import parse_moved
from tiles.records.paths import MOVED, SETTINGS
from tiles.records.settings import parse_settings
from tiles.store import Store


def last_used(private: Store) -> str:
    """Return, in words that follow "there is no anchor there", where it or the log is, as far as that is known."""
    if moved := moved_to(private):
        return moved
    with suppress(AccessError, Malformed):
        if place := parse_settings(private.read(SETTINGS, MAX_RECORD_SIZE).data).anchor:
            return f"; the log used it last at {place}"
    return ""


def moved_to(private: Store) -> str:
    """Return where a log was moved to, in words that follow what is wrong here; "" if it was not."""
    with suppress(AccessError, Malformed):
        return f"; the log was moved to {parse_moved(private.read(MOVED, MAX_RECORD_SIZE).data)}"
    return ""
