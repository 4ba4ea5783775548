"""Every state of the page has its picture in docs/page.md, and is shown to be accessible, on a small phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.browser import Chromium, Site, check_accessible
from tests.support.page_states import Shown, states

pytest_plugins = ["tests.support.browser_fixture"]

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([a-z-]+)` \|.*\| !\[\1\]\(page-states/\1\.webp\) \|$", re.MULTILINE)
WHOLE = ("page.png", "page-sabotaged-dark.png", "page-path-phone.png")


def test_every_state_has_its_picture() -> None:
    """The table has a row with a picture for each state, and no picture is left over; all are small."""
    rows = ROW.findall((DOCS / "page.md").read_text(encoding="utf-8"))
    assert rows == [state.name for state in states()]
    pictures = sorted((DOCS / "page-states").iterdir())
    assert [picture.name for picture in pictures] == sorted(f"{name}.webp" for name in rows)
    sizes = [picture.stat().st_size for picture in (*pictures, *(DOCS / name for name in WHOLE))]
    assert max(sizes) < 45_000
    assert sum(sizes) <= 850_000


@pytest.mark.slow
@pytest.mark.parametrize("state", states(), ids=lambda state: str(state.name))
def test_each_state_on_a_phone(chromium: Chromium, state: Shown) -> None:
    """The card says what to do; axe-core finds nothing with everything open, and nothing is wider than 320 pixels."""
    one = Site(chromium, viewport={"width": 320, "height": 640})
    told = state.reach(one).query_selector(":scope > .next")
    assert (told is not None and "What to do" in told.inner_text()) == (state.name != "working")
    one.page.evaluate("document.querySelectorAll('.card details').forEach(one => (one.open = true))")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
    check_accessible(one.page)
    one.close()
