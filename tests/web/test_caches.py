"""What caches keep between a log and its page: what is wrong there alone is asked for again, past them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Chromium, Site, site
from tests.support.sampling import quickly
from tests.support.web_logs import PLAIN, flip
from tests.support.web_server import PAGE
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]

PORTAL = b"<!doctype html><title>Log in to this network</title>"
TILES = ["tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/001.p/46"]
RENEW = "paths => Promise.all(paths.map(path => fetch(path, { cache: 'reload' }).then(answer => answer.arrayBuffer())))"
WRONG = {
    "damaged": lambda data: flip(data, 8 * (len(data) // 2)),
    "a captive portal": lambda _data: PORTAL,
    "cut": lambda data: data[:-3],
    "gone": lambda _data: None,
    "too long": lambda data: data * (20_000_000 // len(data)),
}


EACH_TIME = [
    ("tile/0/000", "damaged"),
    ("tile/entries/000", "a captive portal"),
]


@pytest.fixture(scope="module")
def lasting(chromium: Chromium) -> Iterator[Site]:
    """Return the page of a log whose tiles a browser keeps; the browser keeps them for no other page."""
    with site(chromium, PLAIN, faults=True, own=True) as one:
        one.open()
        yield one


@pytest.mark.parametrize(("path", "what"), quickly([(path, what) for path in TILES for what in WRONG], EACH_TIME))
def test_what_the_browser_keeps(lasting: Site, path: str, what: str) -> None:
    """A tile that was wrong once, and may be kept for a year, is read once it is right; no way to reload is needed."""
    spoilt = WRONG[what](PLAIN[path])
    objects = {name: data for name, data in {**PLAIN, path: spoilt}.items() if data is not None}
    one = lasting
    one.begin({**PAGE, **objects, "blank.html": b"<!doctype html>"}, faults=True)
    one.server.lasting = True
    one.page.goto(f"{one.server.url}blank.html")
    one.page.evaluate(RENEW, TILES)
    one.open()
    one.ask("9")
    assert one.said()[0] in ("tile", "network", "web-page")
    one.become(PLAIN)
    one.ask("9")
    assert one.said()[1] == "In the log: entry 9 of 302"
    one.server.asked.clear()
    one.reload()
    one.ask("9")
    assert one.said()[1] == "In the log: entry 9 of 302"
    assert [name for name in one.server.asked if name.startswith("tile/")] == []  # the cache has what is right now
    one.leave()
    one.judge()


@pytest.mark.parametrize("stubborn", [False, True], ids=["asked past", "stubborn"])
@pytest.mark.parametrize("path", quickly([*TILES[:2], CHECKPOINT, "policy.txt"], [CHECKPOINT]))
def test_what_a_cache_on_the_way_keeps(chromium: Chromium, path: str, stubborn: bool) -> None:
    """The same where the cache is not the browser's own, and also where it does not listen."""
    with site(chromium, PLAIN, faults=True) as one:
        one.server.held, one.server.stubborn = {path: PORTAL}, stubborn
        one.open()
        assert one.said("#head")[0] == "verified-log-only"
        one.ask("9")
        assert one.said()[1] == "In the log: entry 9 of 302"
        assert one.server.asked.count(path) == (3 if stubborn else 2)


def test_what_is_damaged(chromium: Chromium) -> None:
    """A tile that its log has damaged is asked for three times, and then called so."""
    with site(chromium, {**PLAIN, "tile/0/000": flip(PLAIN["tile/0/000"], 9)}) as one:
        one.open()
        one.ask("9")
        assert one.said()[0] == "tile"
        assert one.server.asked.count("tile/0/000") == 3
