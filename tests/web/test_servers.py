"""What servers do to a page: encodings, statuses, silence, and a script among the entries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import Chromium, site
from tests.support.web_logs import GROWN, PLAIN, POLICY, SMALLER
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]

IMPATIENT = "const wait = setTimeout; setTimeout = (done, time) => wait(done, time > 10_000 ? 300 : time);"


@pytest.mark.parametrize("knobs", [{"gzipped": True}, {"missing": 403}, {"missing": 200}, {"delay": 0.02}], ids=str)
def test_servers(chromium: Chromium, knobs: dict[str, Any]) -> None:
    """Servers gzip, and say 403 for what is not there; partial tiles that are gone are cut from the full ones."""
    objects = {path: data for path, data in GROWN.items() if ".p/44" not in path}
    objects |= {CHECKPOINT: SMALLER[CHECKPOINT], "policy.txt": POLICY}
    with site(chromium, objects, faults=True) as one:
        for knob, value in knobs.items():
            setattr(one.server, knob, value)
        one.open()
        for index in (280, 3):
            one.ask(str(index))
            one.page.wait_for_selector(f"h2:has-text('In the log: entry {index} of 300')")


def test_a_server_that_never_answers(chromium: Chromium) -> None:
    """A request that is never answered ends, and is the network's trouble, not the log's."""
    with site(chromium, PLAIN, faults=True, script=IMPATIENT) as one:
        one.open()
        one.server.hang = {"tile/0/000"}
        one.ask("5")
        one.page.wait_for_selector("#results progress:indeterminate")  # it moves: a bar at 0 looks as if it stood still
        one.said(state="network")
        assert "no byte for too long" in one.page.text_content("#results > .card > details")


@pytest.mark.parametrize(
    "knobs", [{"slow": (2000, 0.1)}, {"trouble": {"tile/0/000": [429, "closed", 500]}, "after": "0"}], ids=str
)
def test_a_server_that_is_slow_or_busy(chromium: Chromium, knobs: dict[str, Any]) -> None:
    """What takes longer than a server may be silent is read to its end; what is busy, or breaks off, is asked again."""
    with site(chromium, PLAIN, faults=True, script=IMPATIENT) as one:
        one.open()
        for knob, value in knobs.items():
            setattr(one.server, knob, value)
        one.ask("5")
        assert one.said()[1] == "In the log: entry 5 of 302"


def test_bundles_are_no_scripts(chromium: Chromium) -> None:
    """An entry bundle that is a script is not run as one: the server says that it is none."""
    with site(
        chromium,
        {
            **PLAIN,
            "evil.html": b"<!doctype html><script src='tile/entries/evil'></script>",
            "tile/entries/evil": b"document.title = 'owned'",
        },
    ) as one:
        one.page.goto(f"{one.server.url}evil.html")
        assert one.page.title() != "owned"
        assert one.trouble != []  # refused, and said so
        one.trouble.clear()
