"""Names of the ways to keep the objects of a log: each is read, and explained."""

from __future__ import annotations

import re

from tests.support.node import ROOT
from tiles.read.layouts import LAYOUTS, name_of
from tiles.records.layout_names import LAYOUT_NAMES


def test_each_is_read() -> None:
    """Each name is that of one format, and no format is without."""
    assert tuple(LAYOUTS) == LAYOUT_NAMES
    assert [name_of(log_format) for log_format in LAYOUTS.values()] == list(LAYOUT_NAMES)


def test_each_is_explained() -> None:
    """The table in docs/other-logs.md has exactly these."""
    text = (ROOT / "docs" / "other-logs.md").read_text("utf-8")
    assert tuple(re.findall(r"^\| `([a-z][a-z-]*)` \|", text, re.MULTILINE)) == LAYOUT_NAMES
