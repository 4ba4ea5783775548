"""Entries and names that whoever can log wrote, to harm who reads them."""

from __future__ import annotations

import pytest

from tests.support.browser import Chromium, check_accessible, site
from tests.support.signed_text import W1, key
from tests.support.web_logs import POLICY, log_of, with_times
from tests.support.web_server import PAGE
from tests.support.web_strangers import HOSTILE, SPOILING

pytest_plugins = ["tests.support.browser_fixture"]


def test_hostile_entries(chromium: Chromium) -> None:
    """Entries are text: nothing in them runs, turns other words around, or makes the page wider."""
    with site(chromium, {**log_of(HOSTILE), "policy.txt": POLICY}, viewport={"width": 320, "height": 700}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry]")
        for summary in one.page.query_selector_all("#browse [data-entry] summary"):
            summary.click()
        for index in range(len(HOSTILE)):
            one.ask(str(index))
            one.page.wait_for_selector(f"h2:has-text('entry {index} of')")
        text = one.page.inner_text("body")
        assert "<img src=x onerror=" in text
        assert "⟨U+202E⟩" in text
        assert "\u202e" not in text
        assert one.page.title() == "Is my file in the log?"
        assert one.page.query_selector_all("img, iframe, main script, a[href^='javascript']") == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        check_accessible(one.page)


@pytest.mark.slow
def test_entries_that_cannot_be_described(chromium: Chromium) -> None:
    """Each entry has its row and its card, short ones, whatever its neighbours are."""
    with site(chromium, {**log_of([b"first", *SPOILING.values(), b"last"]), "policy.txt": POLICY}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry], #browse [data-state]")
        count = len(SPOILING) + 2
        rows = one.page.query_selector_all("#browse [data-entry]")
        shown = min(20, count)
        assert len(rows) == shown
        assert one.page.query_selector_all("#browse [data-state]") == []
        assert max(len(row.query_selector("summary").inner_text()) for row in rows) < 300
        assert max(len(row.query_selector_all("dt")) for row in rows) <= 51
        for index in range(count):
            one.ask(str(index))
            assert one.said()[:2] == ("verified-log-only", f"In the log: entry {index} of {count}")


MISTAKES = [  # what an edited entry.js does for the entry of so many bytes
    "throw new Error('no');",
    "return undefined;",
    "return { kind: 7, rows: [[1, { toString: 1 }]], text: null };",
    "return { kind: 'k'.repeat(1e6), rows: Array(1e5).fill(['label', 'x'.repeat(1e4)]), text: 'x'.repeat(1e7) };",
]


@pytest.mark.slow
def test_an_operators_mistake(chromium: Chromium) -> None:
    """An edited entry.js that throws, or says far too much, of one entry spoils no other, and no verdict."""
    mistakes = "".join(f"  if (entry.length === {size}) {{ {words} }}\n" for size, words in enumerate(MISTAKES))
    start = b"export function describe(entry) {\n"
    changed = PAGE["page/entry.js"].replace(start, start + mistakes.encode())
    assert changed != PAGE["page/entry.js"]
    entries = [*(b"x" * size for size in range(len(MISTAKES))), b"a sound one"]
    objects = {**log_of(entries), "policy.txt": POLICY, "page/entry.js": changed}
    with site(chromium, objects, own=True) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-entry], #browse [data-state]")
        assert len(one.page.query_selector_all("#browse [data-entry]")) == len(entries)
        assert len(one.page.inner_text("#browse")) < 10_000
        for index in range(len(entries)):
            one.ask(str(index))
            assert one.said()[1] == f"In the log: entry {index} of {len(entries)}"


def test_hostile_names(chromium: Chromium) -> None:
    """Origins, witness names and file names are text too."""
    name = "<img/src=x/onerror=document.title='owned'>"
    other = key(name, 91)
    policy = f"log {other.verifier.vkey}\nwitness <b>w</b> {W1.verifier.vkey}\nquorum <b>w</b>\n".encode()
    objects = {**with_times(log_of([b"x"], other), (W1, 3)), "policy.txt": policy}
    with site(chromium, objects) as one:
        one.open()
        assert name in one.said("#head")[2]
        one.page.click("#keys > summary")
        one.drop((name, b"x"))
        one.said(state="verified")
        assert one.page.query_selector_all("img, b") == []
