"""The job's door for HTTP: its calls, one run at a time, and how it ends; real requests, in this process."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
import urllib3

from tests.support.jobs import job_of
from tests.support.submissions import check_submitted, submitted, with_inbox
from tests.support.world import ORIGIN
from tiles.errors import UsageError
from tiletree.ending import until_told_to_end
from tiletree.jobs import http, job
from tiletree.jobs.http import Service, main, serve
from tiletree.jobs.job import Ran

DONE = Ran(0, {"size": 3}, {})
FAILED = Ran(5, {"batches": []}, {"kind": "Unfinished", "message": "m", "hint": "h"})
PATIENCE = 20.0  # seconds


@contextmanager
def serving(run: Callable[[], Ran]) -> Iterator[str]:
    """Answer calls in another thread, and yield the URL."""
    ended = Event()
    with Service(("127.0.0.1", 0), run) as service:
        service.timeout = 0.01

        def answer() -> None:
            while not ended.is_set():
                service.handle_request()

        thread = Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{service.server_address[1]}"
        finally:
            ended.set()
            thread.join()


def call(url: str, method: str = "POST", **options: Any) -> tuple[int, dict[str, Any]]:
    """Return status and document of an answer."""
    answer = urllib3.request(method, url, timeout=PATIENCE, retries=False, **options)
    return answer.status, answer.json()


def test_calls() -> None:
    """A run is 200 or 500 with its document; nothing but the two calls is known, and no body is believed or kept."""
    runs = [DONE, FAILED, DONE]
    with serving(lambda: runs.pop(0)) as url:
        assert call(f"{url}/healthz", "GET") == (200, {"ok": True})
        assert call(url) == (200, {"size": 3})
        assert call(url, body=b'{"message": {"data": "eyJ9"}}') == (500, {"batches": [], "error": dict(FAILED.error)})
        assert call(f"{url}/") == (200, {"size": 3})
        assert [call(*wrong)[0] for wrong in ((url, "GET"), (f"{url}/other",), (f"{url}/healthz",))] == [404] * 3
        for length in (str((1 << 20) + 1), "9" * 11, "1 ", "+1"):
            assert call(url, headers={"Content-Length": length})[0] == 413
        assert urllib3.request("PUT", url, retries=False).status == 501
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as peer:
            peer.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
            assert b"400" in peer.recv(1000)
    assert runs == []


def test_one_run_at_a_time() -> None:
    """A call that comes meanwhile is told to come again; the service is healthy all the same."""
    begun, go = Event(), Event()

    def run() -> Ran:
        begun.set()
        assert go.wait(PATIENCE)
        return DONE

    with serving(run) as url:
        first: list[Any] = []
        thread = Thread(target=lambda: first.append(call(url)))
        thread.start()
        assert begun.wait(PATIENCE)
        again = urllib3.request("POST", url, retries=False)
        assert (again.status, again.headers["Retry-After"], again.json()["error"]["kind"]) == (429, "1", "Busy")
        assert call(f"{url}/healthz", "GET") == (200, {"ok": True})
        go.set()
        thread.join()
    assert first == [(200, {"size": 3})]


def test_sigterm_finishes_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run in hand ends after its batch, and its call is answered; then the service ends."""
    answers: list[Any] = []
    callers: list[Thread] = []
    world = with_inbox(3)
    expected = submitted(world)
    job_of(world, monkeypatch)
    monkeypatch.setenv("TILETREE_MAX_ENTRIES", "2")
    decided = job._told
    events: list[Event] = []

    @contextmanager
    def kept() -> Iterator[Event]:
        with until_told_to_end() as ended:
            events.append(ended)
            yield ended

    def told(*given: Any) -> None:
        decided(*given)
        os.kill(os.getpid(), signal.SIGTERM)
        assert events[0].wait(PATIENCE)

    def write(line: str) -> None:
        said = json.loads(line)
        if said["event"] == "listening":
            url = f"http://127.0.0.1:{said['port']}"
            callers.append(Thread(target=lambda: answers.append(call(url))))
            callers[0].start()

    monkeypatch.setattr(job, "_told", told)
    monkeypatch.setattr(http, "until_told_to_end", kept)
    serve({"PORT": "0", "TILETREE_LOG": "unused"}, write)
    callers[0].join()
    ((status, document),) = answers
    assert (status, document["origin"], len(document["batches"])) == (200, ORIGIN, 1)
    assert document["backlog"]["objects"] > 0
    check_submitted(world, expected, complete=False)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "TILETREE_LOG is not set"),
        ({"TILETREE_LOG": "log", "PORT": "http"}, "which is no port"),
        ({"TILETREE_LOG": "log", "PORT": "65536"}, "which is no port"),
        ({"TILETREE_LOG": "log", "TILETREE_ALIGN": "maybe"}, "TILETREE_ALIGN is 'maybe'"),
    ],
)
def test_a_service_that_could_do_nothing_does_not_begin(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says why in a line, and its exit code is that of a wrong call."""
    with pytest.raises(UsageError, match=said):
        serve(environment, lambda _: None)
    monkeypatch.setattr(os, "environ", environment)
    assert main() == 2
    assert said in json.loads(capsys.readouterr().out)["message"]


def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so."""
    with socket.create_server(("", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("TILETREE_LOG", "log")
        assert main() == 3
    assert "cannot be had" in json.loads(capsys.readouterr().out)["message"]
