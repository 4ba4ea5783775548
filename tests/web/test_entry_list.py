"""The log's entries as a list: by day, by kind, from an index or a day on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.readers import Objects as Fetcher
from tests.support.signed_text import LOG, ORIGIN, signed
from tests.support.web_logs import POLICY, Objects, log_of
from tiles.entries.file_digest import DigestEntry
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.records.paths import day_path

pytest_plugins = ["tests.support.browser_fixture"]

TODAY = datetime.now(UTC).date()
SHA256 = hashlib.sha256(b"a release").hexdigest()
RARE = b'{"kind":"<b>rare</b>"}'


def release(number: int) -> bytes:
    """Return the entry of a file with a name."""
    return DigestEntry(SHA256, 40_000 + number, f"example-1.{number}.tar.gz").data


@cache
def released() -> Objects:
    """Return a log of 3,000 entries, a rare one at 3, files with names at the end, and checkpoints of some days."""
    objects = log_of([*(RARE if at == 3 else b"note %d" % at for at in range(2900)), *map(release, range(100))])
    objects = {path: data for path, data in objects.items() if not path.startswith("checkpoints/days/")}
    client = LogClient(Fetcher(objects), policy_for(LOG.verifier))
    for ago, size in ((0, 2990), (2, 2950), (3, 2900), (9, 2600), (40, 1000)):
        objects[day_path(TODAY - timedelta(ago))] = signed(Checkpoint(ORIGIN, client.tree_at(size)), LOG).data
    return {**objects, "policy.txt": POLICY}


def listed(one: Site) -> list[int]:
    """Return the indexes of the rows."""
    return [int(row.get_attribute("data-entry") or "") for row in one.page.query_selector_all("#browse [data-entry]")]


def opened(one: Site) -> None:
    """Open the list."""
    one.open()
    one.page.click("#browse > summary")
    one.page.wait_for_selector("#browse [data-entry]")


def go(one: Site, where: str, says: str) -> None:
    """Go to an index or a day, and wait for the words that follow."""
    one.page.fill("#where", where)
    one.page.press("#where", "Enter")
    one.page.wait_for_selector(f"#browse [role=status]:has-text('{says}')")


def test_what_a_row_says(chromium: Chromium) -> None:
    """Kind, name, digest and day; the digest is copied whole; the plot counts entries by day."""
    with site(chromium, released(), permissions=["clipboard-read", "clipboard-write"]) as one:
        opened(one)
        assert listed(one) == list(range(2999, 2979, -1))
        row = one.page.wait_for_selector(f"#browse [data-entry='2980']:has-text('by {TODAY}')")
        assert row.query_selector("summary").inner_text().split("\n")[0].startswith("2,980")
        assert row.inner_text().split("\n")[1:4] == ["example-1.80.tar.gz", "file", f"{SHA256[:10]}…{SHA256[-6:]}"]
        row.query_selector("button:has-text('Copy')").click()
        one.page.wait_for_selector("#browse [data-entry='2980'] button:has-text('Copied')")
        assert one.page.evaluate("navigator.clipboard.readText()") == SHA256
        newest = one.page.inner_text("#browse [data-entry='2999'] summary")
        assert newest.endswith("by now")  # it is not in today's first checkpoint
        plot = one.page.wait_for_selector("#browse svg")
        week, three = TODAY - timedelta(9), TODAY - timedelta(3)
        assert f"2,990 entries from {week} to {TODAY}, at most 2,600 a day" in plot.get_attribute("aria-label")
        titles = one.page.eval_on_selector_all("#browse svg title", "all => all.map(one => one.textContent)")
        assert titles == [f"{week}: 2,600", f"{three}: 300", f"{TODAY - timedelta(2)}: 50", f"{TODAY}: 40"]
        assert "10 more since." in one.page.inner_text("#browse")
        first, last = one.page.eval_on_selector_all(
            "#browse svg + .axis > span", "ends => ends.map(one => one.textContent)"
        )
        assert (first, last) == (str(TODAY - timedelta(27)), str(TODAY))
        assert one.page.inner_text("#browse .axis:has(+ svg)").split("\n") == ["Entries a day", "most: 2,600"]
        check_accessible(one.page)


@pytest.mark.slow
def test_going_somewhere(chromium: Chromium) -> None:
    """An index is on top; a day leads to its first checkpoint, or to that of the last day before it."""
    with site(chromium, released(), viewport={"width": 320, "height": 700}) as one:
        opened(one)
        go(one, "2910", "Entries 2,891 to 2,910 of 3,000")
        assert listed(one)[0] == 2910
        three = TODAY - timedelta(3)
        for day in (three, TODAY - timedelta(4)):
            found = three if day == three else TODAY - timedelta(9)
            go(one, str(day), f"By the first checkpoint of {found} the log had {'2,900' if day == three else '2,600'}")
        one.page.wait_for_selector(f"#browse [data-entry='2599']:has-text('by {TODAY - timedelta(9)}')")
        go(one, "1999-01-01", "Of 1999-01-01, and of the month before it, nothing is kept here")
        for wrong in ("3000", "2026-13-01", "<b>", ""):
            go(one, wrong, "Expected the number of an entry, below 3,000")
            go(one, "0", "Entries 0 to 0 of 3,000")
        assert one.page.is_disabled("#browse button:has-text('Older')")
        one.page.click("#browse button:has-text('Newer')")
        one.page.wait_for_selector("#browse [role=status]:has-text('Entries 1 to 20')")
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        check_accessible(one.page)


@pytest.mark.slow
def test_one_kind(chromium: Chromium) -> None:
    """Entries of a kind are looked for, a few thousand at a time; kinds that were seen can be chosen, and are text."""
    with site(chromium, released()) as one:
        opened(one)
        one.page.select_option("#kind", "text")
        one.page.wait_for_selector("#browse [role=status]:has-text('Of the kind “text” among entries 2,880 to 2,999')")
        assert listed(one) == list(range(2899, 2879, -1))
        one.page.click("#browse button:has-text('Older')")
        one.page.wait_for_selector("#browse [data-entry='2879']")
        one.page.click("#browse button:has-text('Newer')")
        one.page.wait_for_selector("#browse [data-entry='2899']")
        go(one, "9", "Of the kind “text” among entries 0 to 9")
        assert listed(one) == [9, 8, 7, 6, 5, 4, 2, 1, 0]
        one.page.select_option("#kind", "<b>rare</b>")
        one.page.wait_for_selector("#browse:has-text('None of these is of that kind')")
        assert listed(one) == []
        one.page.click("#browse button:has-text('Older')")
        one.page.wait_for_selector("#browse [data-entry='3']")
        assert one.page.query_selector("b") is None
        one.page.select_option("#kind", "")
        one.page.wait_for_selector("#browse [data-entry='2999']")


def test_a_day_of_another_history(chromium: Chromium) -> None:
    """A checkpoint of a day that the log has signed of another history is a fork, wherever it is met."""
    client = LogClient(Fetcher(log_of([b"other %d" % at for at in range(3000)])), policy_for(LOG.verifier))
    other: Mapping[str, bytes] = {day_path(TODAY): signed(Checkpoint(ORIGIN, client.tree_at(2995)), LOG).data}
    with site(chromium, {**released(), **other}) as one:
        one.open()
        one.page.click("#browse > summary")
        one.page.wait_for_selector("#browse [data-state=fork]")
