"""What a commit costs, counted: the tables of docs/data-flow.md say so."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.commit_counts import tables

PAGE = Path(__file__).parents[2] / "docs/data-flow.md"


def test_what_a_commit_costs_is_what_the_page_says() -> None:
    """System calls and requests are those of the tables: `python -m tests.support.commit_counts` prints them."""
    written = re.search(r"<!-- counts: .* -->\n\n(.*)\n<!-- end of counts -->", PAGE.read_text(), re.DOTALL)
    assert written, "the page has no such tables"
    assert written[1].strip().splitlines() == tables().strip().splitlines()
