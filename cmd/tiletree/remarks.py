"""Remarks that several commands make on their answers."""

from __future__ import annotations

from tiletree.ui import Output


def remark_unsure(out: Output) -> None:
    """Say that entries were logged of which nobody could see whether they are in the log already."""
    text = "some may have been in the log already: its index does not cover all of it (`tiletree index build LOG`)"
    out.remark("once", False, text)
