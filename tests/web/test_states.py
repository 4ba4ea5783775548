"""Every state of the page: reached by a log that is in it, and told in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.log_states import EXAMINED, STATES, State, reach
from tests.support.sampling import quickly
from tests.support.web_bundles import STATES_OF_BUNDLES
from tests.support.web_server import WEB

pytest_plugins = ["tests.support.browser_fixture"]


@pytest.mark.parametrize("state", quickly(STATES, EXAMINED[::2]), ids=lambda state: f"{state.name}-{state.where}")
def test_state(chromium: Chromium, state: State) -> None:
    """Each state has its own words, and nothing else happens."""
    with shown(chromium, state):
        pass


@contextmanager
def shown(chromium: Chromium, state: State) -> Iterator[Site]:
    """Reach a state, hold its words, and return the site that shows it."""
    own = "verifier/mldsa.js" in state.knobs.get("status", {})  # which a browser that other tests used has already
    with site(chromium, state.before or state.objects, faults=state.faults, script=state.script, own=own) as one:
        reach(one, state)
        yield one


# one of each look
LOOKS = {("verified-log-only", "#results"), ("signature", "#head"), ("stale", "#head")}
BY_LOOK = [state for state in EXAMINED if (state.name, state.where) in LOOKS]


@pytest.mark.parametrize("state", quickly(EXAMINED, BY_LOOK), ids=lambda state: f"{state.name}-{state.where}")
def test_accessible(chromium: Chromium, state: State) -> None:
    """axe-core finds nothing in a state, in light or dark; each time in one of each look, all of them in the soak."""
    with shown(chromium, state) as one:
        check_accessible(one.page)


def test_every_state_is_reached() -> None:
    """No state is told in words that no test has seen."""
    words = "".join(path.read_text() for path in (WEB / "page").glob("*.js"))
    told = set(re.findall(r'(?:say\(|warn\(|\bstate:)\s*"([a-z-]+)"', words))
    elsewhere = {
        "working",
        "many",
        "page",
        "memory",
        "needs-proof",
        "ready",
        "unproven",
        "unread",
        "unknown-key",
        "found",
        "not-found",
        "index-wrong",
        "search-proof",
        "search-wrong",
        "signer-unchecked",
        *STATES_OF_BUNDLES,
    }  # at work, or in other tests
    assert len(told) > 20
    described = (WEB.parent / "docs" / "page.md").read_text(encoding="utf-8")
    assert [state for state in sorted(told) if f"| `{state}` |" not in described] == []  # the table of states
    assert told <= {state.name for state in STATES} | elsewhere
