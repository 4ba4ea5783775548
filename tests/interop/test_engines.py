"""The page in Firefox and in WebKit: the words that it has in Chromium, and the verdicts of the core."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.interop.engine_page import EnginePage
from tests.interop.engines import ENGINES
from tests.support.web_server import PAGE
from tests.web.test_states import STATES, State

pytestmark = [pytest.mark.interop]


@pytest.fixture(scope="module", params=list(ENGINES))
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnginePage]:
    """Return a page in a window of an engine, which all tests use one after the other."""
    name = request.param
    with ENGINES[name](tmp_path_factory.mktemp(name)) as window:
        print(f"{name}: {window.version}")
        page = EnginePage(name, window, tmp_path_factory.mktemp("files"))
        yield page
        page.close()


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.name}-{state.where}")
def test_state(one: EnginePage, state: State) -> None:
    """Each state of the page is told in the words that it has in Chromium."""
    one.begin(state.before or state.objects, state.script)
    if state.before:
        one.open()
        one.become(state.objects)
    for knob, value in state.knobs.items():
        setattr(one.server, knob, value)
    one.open(state.fragment)
    if state.before:
        one.reload()
    state.act(cast("Any", one))
    name, headline, words = one.said(state.where)
    assert (name, headline) == (state.name, state.headline), words
    assert state.words in words
    one.save_picture(f"{STATES.index(state):02}-{state.name}{state.where}")
    one.judge()
