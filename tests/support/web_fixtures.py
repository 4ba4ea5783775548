"""Node and the vectors, once for many tests; test files name this module in `pytest_plugins`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.node import Script, Session
    from tests.support.web_server import LogServer
    from tests.support.web_verdicts import Verdicts


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """Return one process of Node for all tests of a run."""
    from tests.support.node import Session

    made = Session()
    yield made
    made.close()


@pytest.fixture(scope="session")
def running() -> Iterator[LogServer]:
    """Return one server for all tests of a run."""
    from tests.support.web_server import LogServer

    made = LogServer({})
    yield made
    made.close()


@pytest.fixture
def server(running: LogServer) -> LogServer:
    """Return a server of a log of 600 entries, which nobody has asked yet."""
    from tests.support.web_logs import SIX

    running.begin(SIX)
    return running


@pytest.fixture
def script(session: Session, server: LogServer) -> Script:
    """Return what runs a script that has a `log`, read from the server; timeout: milliseconds without a byte."""
    from tests.support.signed_text import LOG

    def run(body: str, timeout: int = 20_000) -> str:
        opened = f"""
            const policy = policyFor(parseVkey({json.dumps(LOG.verifier.vkey)}));
            const log = new Log(httpFetcher({json.dumps(server.url)}, {{ timeout: {timeout} }}), policy);
        """
        return session.run(opened + body)

    return run


@pytest.fixture(scope="session", params=[20, pytest.param(1, marks=pytest.mark.slow)], ids=["one in 20", "all"])
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Return the vectors with the core's answers, made once for all processes of a run."""
    from tests.support.web_verdicts import verdicts_in

    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return verdicts_in(folder / f"verdicts{request.param}", request.param)
