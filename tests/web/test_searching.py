"""Searching on the page: by name, digest and leaf hash, and in words what is proven and what is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.readers import OTHER_KEY
from tests.support.readers import Objects as Fetcher
from tests.support.signed_text import LOG, ORIGIN, signed
from tests.support.web_indexed import FEW, NAME, OTHER, SPECIAL, TWINS, WHERE, head_of, indexed, twins
from tests.support.web_logs import FILE, Objects
from tests.support.web_server import PAGE
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.index_head import sign_index_head
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.records.paths import day_path
from tiles.tree.merkle import leaf_hash

pytest_plugins = ["tests.support.browser_fixture"]

TODAY = datetime.now(UTC).date()
TWIN = hashlib.sha256(b"twin").hexdigest()


@contextmanager
def opened(
    chromium: Chromium, objects: Objects, fragment: str = "", *, few: bool = True, **options: Any
) -> Iterator[Site]:
    """Open the page of a log. It asks for days of which no checkpoint is kept, and for indexes that there are not."""
    page = FEW if few else {}
    with site(chromium, {**objects, **page}, faults=True, own=True, **options) as one:
        one.server.ranges = "yes"
        one.open(fragment)
        yield one


def kept(objects: Objects, *days: tuple[int, int]) -> Objects:
    """Return a log that keeps checkpoints of some days, (days ago, size)."""
    made = {path: data for path, data in objects.items() if not path.startswith("checkpoints/days/")}
    for ago, size in days:
        tree = LogClient(Fetcher(objects), policy_for(LOG.verifier)).tree_at(size)
        made[day_path(TODAY - timedelta(ago))] = signed(Checkpoint(ORIGIN, tree), LOG).data
    return made


def test_by_name_and_digest(chromium: Chromium) -> None:
    """Hits are entries, newest first, with the day they were there by; names are text; more are shown by a button."""
    with opened(chromium, kept(twins(), (0, 4200), (6, 4149), (9, 90)), viewport={"width": 320, "height": 700}) as one:
        one.ask(NAME)
        state, headline, text = one.said()
        assert (state, headline) == ("found", "In the log: 2 entries")
        assert "There are no others." in text
        assert "the log's signed index of names" in text
        rows = one.page.query_selector_all("#results [data-entry]")
        assert [row.get_attribute("data-entry") for row in rows] == ["4150", "100"]
        days = {4150: TODAY, 100: TODAY - timedelta(6)}
        for index, day in days.items():
            one.page.wait_for_selector(f"#results [data-entry='{index}'][data-day='{day}']")
        assert f"by {TODAY}" in rows[0].inner_text()
        rows[0].query_selector("summary").click()
        assert "<b>résumé<b>⟨U+202E⟩.txt" in one.page.inner_text("#results")
        assert one.page.query_selector_all("img, b") == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320
        check_accessible(one.page)
        assert one.page.get_attribute("#results a", "href") == "#name=%3Cb%3Er%C3%A9sum%C3%A9%3Cb%3E%E2%80%AE.txt"
        one.page.click("#results [data-entry='4150'] button")
        one.page.wait_for_selector("h2:has-text('In the log: entry 4,150 of 4,200')")
        one.ask(TWIN)
        assert one.said()[:2] == ("found", "In the log: 5 entries")
        one.ask("never.txt")
        state, headline, text = one.said()
        assert (state, headline) == ("absent", "Not in the log")
        assert "What to do" in text
        assert "Only names that were logged with their files are found" in text
        assert all("?" not in path for path in one.server.asked)


@pytest.mark.slow
def test_by_a_link(chromium: Chromium) -> None:
    """A link to a search is a fragment; the hit is one card, and says that it is the only one."""
    digest = hashlib.sha256(FILE).hexdigest()
    with opened(chromium, kept(twins(), (3, 4100), (400, 4200)), f"#sha256={digest}") as one:
        state, headline, text = one.said()
        assert (state, headline) == ("verified-log-only", "In the log: entry 200 of 4,200")
        by_index = "So the log's signed index of SHA-256 digests says of the first 4,096 entries."
        assert f"It is the only entry. {by_index}" in text
        one.page.wait_for_selector(f"#results .card[data-day='{TODAY - timedelta(3)}']")
        assert f"In the log by {TODAY - timedelta(3)}, says the log." in one.said()[2]
        assert digest not in "".join(one.server.asked)


CASES = ["run", "tail", "leaf", "absent", "missing", "unsigned", "lie", "damaged"]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_is_proven(chromium: Chromium, case: str) -> None:
    """Each kind of index, and each way to be wrong, has its words; a hit is a hit in any case."""
    objects, wanted = dict(indexed()), WHERE["run"][0]
    head = head_of(indexed(), "sha256/1")
    if case == "missing":
        del objects["index/sha256/1/head"], objects["index/leaf/1/head"]
    if case == "unsigned":
        objects["index/sha256/1/head"] = sign_index_head(head, OTHER_KEY).data
    if case == "lie":
        wrong = type(head)(head.origin, head.kind, type(head.tree)(head.tree.size, head.runs[0].root), head.runs)
        objects["index/sha256/1/head"] = sign_index_head(wrong, LOG).data
    if case == "damaged":
        objects["index/sha256/1/1/000/000"] = objects["index/sha256/1/1/000/000"][:-16]
    wanted = {
        "tail": leaf_hash(b"20650").hex(), "leaf": leaf_hash(SPECIAL[17_000]).hex(), "absent": "0" * 64,
    }.get(case, wanted)  # fmt: skip
    with opened(chromium, objects, few=False) as one:
        one.ask(wanted)
        state, headline, text = one.said()
        expected = {
            "run": ("verified-log-only", "In the log: entry 7,000 of 20,700", "It is the only entry."),
            "tail": ("verified-log-only", "In the log: entry 20,650 of 20,700", "It is the only entry."),
            "leaf": ("verified-log-only", "In the log: entry 17,000 of 20,700", "signed index of leaf hashes"),
            "absent": ("absent", "Not in the log", "The 220 entries after these were all checked."),
            "missing": ("not-searched", "Not looked for among 20,700 entries", "has no index"),
            "unsigned": ("verified-log-only", "In the log: entry 7,000 of 20,700", "not signed by the log's key"),
            "lie": ("index-wrong", "The log's signed index is wrong", "Save the evidence"),
            "damaged": ("not-found", "Not found among 20,700 entries, but it may be there", "is damaged"),
        }[case]
        assert (state, headline) == expected[:2], text
        assert expected[2] in text
        if case == "lie":
            assert one.page.query_selector("#results [data-entry='7000']") is not None
        check_accessible(one.page)


@pytest.mark.slow
@pytest.mark.parametrize("ranges", ["", "416", "gzip", "whole gzip", "silent", "short"])
def test_servers_without_ranges(chromium: Chromium, ranges: str) -> None:
    """A server that knows no ranges, or something on the way that encodes them, costs bytes and no verdict."""
    with opened(chromium, indexed(), few=False) as one:
        one.server.ranges = ranges
        one.ask(OTHER)
        assert one.said()[:2] == ("found", "In the log: 3 entries"), one.said()[2]


@pytest.mark.slow
def test_a_file_in_a_large_log(chromium: Chromium) -> None:
    """A dropped file is looked for through the index, by its digest, whatever its name was, or by its leaf hashes."""
    with opened(chromium, indexed(), few=False) as one:
        one.drop(("hello", FILE))
        _, headline, text = one.said()
        assert headline == "In the log: entry 7,000 of 20,700"
        assert "It is logged by its SHA-256 and size." in text
        one.drop(("other", b"never logged"))
        assert one.said()[:2] == ("absent", "Not in the log")
        one.server.objects = {path: data for path, data in one.server.objects.items() if "sha256/1" not in path}
        one.drop(("hello", FILE))
        _, headline, text = one.said()
        assert headline == "In the log: entry 7,000 of 20,700"
        assert "There is no index of SHA-256 digests" in text


@pytest.mark.slow
def test_more_hits(chromium: Chromium) -> None:
    """Ten hits are shown at a time; that these are all is said once all were looked at."""
    page = {"page/search.js": PAGE["page/search.js"].replace(b"SHOWN = 10;", b"SHOWN = 1;")}
    with opened(chromium, {**twins(), **page}) as one:
        one.ask(TWIN)
        said = one.said()
        assert said[:2] == ("found", "In the log: at least 2 entries")
        for _ in range(len(TWINS) - 2):
            one.page.click("#results button:has-text('Show more')")
            one.page.wait_for_timeout(200)
        assert one.said()[:2] == ("found", "In the log: 5 entries")
        rows = one.page.query_selector_all("#results [data-entry]")
        assert [int(row.get_attribute("data-entry") or "") for row in rows] == sorted(TWINS, reverse=True)
