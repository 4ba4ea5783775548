"""The page in use: by keyboard, the path with a bit flipped, the entries, on small screens."""

from __future__ import annotations

import pytest

from tests.support.browser import Chromium, check_accessible, site
from tests.support.web_logs import FILE, FRESH, PLAIN

pytest_plugins = ["tests.support.browser_fixture"]


def test_keyboard_only(chromium: Chromium) -> None:
    """All of it can be reached and used without a mouse."""
    with site(chromium, PLAIN) as one:
        one.open()
        reached = []
        for _ in range(12):
            one.page.keyboard.press("Tab")
            reached.append(one.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert reached[:3] == ["files", "text", "Check"]
        assert {"The newest entry", "The oldest entry", "A sabotaged copy", "Entries", "Whom this page trusts"} <= set(
            reached
        )
        one.page.focus("#text")
        one.page.keyboard.type("12")
        one.page.keyboard.press("Enter")
        one.said()
        assert "entry 12" in one.page.evaluate("document.activeElement.textContent")


def test_flip_one_bit(chromium: Chromium) -> None:
    """The picture shows the path, as text too; one bit flipped, and it leads elsewhere."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.ask("12")
        one.said()
        for summary in one.page.query_selector_all("#results .card > details > summary"):
            summary.click()
        one.page.click("#results summary:has-text('The same as text')")
        assert one.page.query_selector("svg .broken") is None
        assert "✓ This is the signed root" in one.page.inner_text("#results")
        check_accessible(one.page)
        one.page.check("#results input[type=checkbox]")
        assert one.page.query_selector("svg .broken") is not None
        assert "every hash on the way is another" in one.page.inner_text("#results")
        check_accessible(one.page)


def test_browsing(chromium: Chromium) -> None:
    """Entries are shown newest first, ten at a time, with a plot, and each can be proven."""
    with site(chromium, PLAIN) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry]")
        assert "Entries 282 to 301 of 302" in one.page.inner_text("#browse")
        one.page.click("#browse button:has-text('Older')")
        one.page.wait_for_selector("text=Entries 262 to 281")
        one.page.click("#browse [data-entry='270'] summary")
        one.page.click("#browse [data-entry='270'] button:has-text('Prove')")
        assert one.said()[1] == "In the log: entry 270 of 302"
        check_accessible(one.page)


@pytest.mark.slow
def test_no_sideways_scrolling(chromium: Chromium) -> None:
    """Nothing is wider than the screen, with everything open; 320 pixels is a small phone, and 200 % of 640."""
    with site(chromium, FRESH, own=True) as one:
        one.open()
        one.drop(("a" * 100, FILE))
        one.said()
        one.page.click("[data-sample=sabotaged]")
        one.said(state="inclusion")
        one.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        one.page.wait_for_selector("#browse [data-entry]")
        for width in (320, 390, 1280):
            one.page.set_viewport_size({"width": width, "height": 800})
            assert one.page.evaluate("document.documentElement.scrollWidth") <= width
