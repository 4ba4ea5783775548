"""A line of a structured log: what happened, when, and how grave it is, as one JSON document. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LEVELS = ("debug", "info", "warning", "error")


def log_line(level: str, event: str, fields: Mapping[str, Any], now: float) -> str:
    """Return one event in one line of printable ASCII, without the line break.

    level   one of LEVELS
    event   what kind of thing happened, in a word
    now     POSIX seconds
    """
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"time": time, "level": level, "event": event, **fields}
    return json.dumps(document).replace("\x7f", "\\u007f")  # the one control character that dumps leaves
