"""What commands that publish remark on the index of the log."""

from __future__ import annotations

from shlex import quote

from tiles.store.address import shown_address
from tiletree.ui import Output


def remark_index(out: Output, log: str, problem: str) -> None:
    """Say why the index of a log does not cover all that it could; nothing if it does."""
    if problem:
        command = f"`tiletree index build {quote(shown_address(log))}`"
        out.remark("index", problem, f"the index is not up to date: {problem}; {command} lets it catch up")
