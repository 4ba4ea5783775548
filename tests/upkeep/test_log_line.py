"""A line of a structured log."""

from __future__ import annotations

import json

from tiles.upkeep.log_line import log_line


def test_one_line() -> None:
    """Time in UTC, level, event and fields, and nothing that could end the line or move the cursor."""
    line = log_line("warning", "remark", {"text": "a\nb\x1b[2J\x7f\u2028é", "count": 3}, 1_795_912_345.6789)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {
        "time": "2026-11-29T00:32:25.678Z",
        "level": "warning",
        "event": "remark",
        "text": "a\nb\x1b[2J\x7f\u2028é",
        "count": 3,
    }
