"""Servers that are late, busy, unknown or not there, and how long they are waited for."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import current_thread

import pytest

from tests.support import fault_server as answers
from tests.support.certificates import make_certificates
from tests.support.fault_server import Server, serving
from tests.support.http_fetching import DATA, LIMIT, TILE, Sleeper, fetcher
from tiles.errors import AccessError, NotFound
from tiles.read.http_fetcher import PAUSES, HttpFetcher, Patience
from tiles.read.http_post import HttpPoster
from tiles.retry import Clock
from tiles.tree.layout import CHECKPOINT


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one tile and something in place of a checkpoint."""
    with serving({TILE: DATA, CHECKPOINT: DATA}) as server:
        yield server


NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


def http_date(seconds: float) -> str:
    """Return so many seconds after noon as HTTP writes it."""
    return (NOON + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (http_date(9), 9.0),
        (http_date(-9), 0.0),
        ("99999", PAUSES.longest),
        ("9" * 400, PAUSES.longest),
        (http_date(1e9), PAUSES.longest),
        ("soon", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("-1", None),
        ("\xb2", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(server: Server, status: int, value: str, pause: float | None) -> None:
    """Retry-After is honoured, as seconds and as a date by the server's own clock, up to half a minute."""
    headers = {"Retry_After": value, "Date": http_date(0)}
    server.script[f"/{TILE}"] = [answers.status(status, **headers), answers.body(DATA)]
    sleeper = Sleeper()
    assert fetcher(server.url, sleeper).fetch(TILE, LIMIT) == DATA
    if pause is None:
        assert 0.5 * PAUSES.first <= sleeper.slept[0] <= 1.5 * PAUSES.first
    else:
        assert sleeper.slept == [pause]


def test_deadline_ends_the_attempts(server: Server) -> None:
    """No pause goes beyond the deadline: it is given up before."""
    server.script[f"/{TILE}"] = [answers.status(503, Retry_After="20")]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="answers 503, 3 attempts"):
        fetcher(server.url, sleeper, whole=50.0).fetch(TILE, LIMIT)
    assert sleeper.slept == [20.0, 20.0]


def test_no_answer(server: Server) -> None:
    """A server that says nothing is given up after the read timeout."""
    server.script[f"/{TILE}"] = [answers.silence]
    with pytest.raises(AccessError, match="no answer in time"):
        fetcher(server.url, read=0.05).fetch(TILE, LIMIT)


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
)
def test_slow_answer(server: Server, start: bytes, endless: bytes) -> None:
    """A server that sends a byte now and then holds nobody beyond the deadline, in status, headers or body."""
    server.script[f"/{TILE}"] = [answers.drip(start, endless)]
    with pytest.raises(AccessError, match=r"no whole answer within 0.3 seconds"):
        HttpFetcher(server.url, patience=Patience(whole=0.3)).fetch(TILE, LIMIT)


def test_body_that_comes_too_late(server: Server) -> None:
    """Reading a body ends at the deadline too, so that what nobody waits for any more does not go on."""
    caller = current_thread()
    late_for_the_reader = Clock(now=lambda: 0.0 if current_thread() is caller else 20.0)
    with pytest.raises(AccessError, match="no whole answer within 15 seconds"):
        HttpFetcher(server.url, patience=Patience(whole=15), clock=late_for_the_reader).fetch(TILE, LIMIT)


def test_endless_error(server: Server) -> None:
    """What comes along with a 404 does not keep anybody from knowing that it is one."""
    server.script[f"/{TILE}"] = [answers.drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 8192\r\n\r\n", b".")]
    with pytest.raises(NotFound):
        fetcher(server.url).fetch(TILE, LIMIT)


def test_no_server() -> None:
    """A port where nobody listens is tried again, and is a broken way."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="no connection, 4 attempts"):
        fetcher(f"http://127.0.0.1:{port}/log", sleeper).fetch(CHECKPOINT, LIMIT)
    assert len(sleeper.slept) == 3


def test_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is a broken way, and the message says that it is the name."""

    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AccessError, match="host name cannot be resolved"):
        fetcher("http://log.example.com").fetch(CHECKPOINT, LIMIT)


def test_what_is_no_host() -> None:
    """A host that no name server could know is not tried again."""
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="the host name is not one"):
        fetcher("http://a..example", sleeper).fetch(CHECKPOINT, LIMIT)
    assert sleeper.slept == []


def test_unknown_certificate(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is a broken way, and is not tried again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificates(tmp_path)[1])
    sleeper = Sleeper()
    with serving({CHECKPOINT: DATA}, context) as server, pytest.raises(AccessError) as raised:
        fetcher(server.url.replace("http:", "https:"), sleeper).fetch(CHECKPOINT, LIMIT)
    assert re.search("no secure connection: the server's certificate is not accepted: [a-z -]+$", raised.value.message)
    assert "$SSL_CERT_FILE" in raised.value.hint
    assert sleeper.slept == []


def test_https_where_there_is_http(server: Server) -> None:
    """It is said in words that the server has no TLS, and when to try without; it is not tried again."""
    sleeper, url = Sleeper(), server.url.replace("http:", "https:")
    with pytest.raises(AccessError) as raised:
        fetcher(url, sleeper).fetch(CHECKPOINT, LIMIT)
    problem = "no secure connection: the server does not speak https (TLS) there"
    assert raised.value.message == f"{url}/{CHECKPOINT}: {problem}"
    assert "http:// only for a server on your own machine" in raised.value.hint
    assert sleeper.slept == []
    with pytest.raises(AccessError) as posted:
        HttpPoster(url).post("add-checkpoint", b"", LIMIT, 10.0)
    assert posted.value.message.endswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        b"<center>The plain HTTP request was sent to HTTPS port</center>",  # nginx
        b"Client sent an HTTP request to an HTTPS server.\n",  # Go
        b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",  # Apache
    ],
)
def test_http_where_there_is_https(server: Server, text: bytes) -> None:
    """A server that says that it speaks TLS is not said to answer 400 only; that means something else elsewhere."""
    server.script[f"/{CHECKPOINT}"] = [answers.status(400, text), answers.status(400)]
    with pytest.raises(AccessError) as raised:
        fetcher(server.url).fetch(CHECKPOINT, LIMIT)
    assert raised.value.message.endswith("the server takes no http:// there")
    assert raised.value.hint == "the server speaks https there: name it by https://"
    with pytest.raises(AccessError, match=r"the server answers 400$"):
        fetcher(server.url).fetch(CHECKPOINT, LIMIT)


def test_http_where_https_is_waited_for(tmp_path: Path, server: Server) -> None:
    """A server that ends the connection without an answer may speak TLS; one that breaks off its answer does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificates(tmp_path)[1])
    with serving({CHECKPOINT: DATA}, context) as tls, pytest.raises(AccessError) as raised:
        fetcher(tls.url.replace("https:", "http:")).fetch(CHECKPOINT, LIMIT)
    assert "the answer broke off, 4 attempts" in raised.value.message
    assert raised.value.hint == "if the server speaks https there, name it by https://"
    server.script[f"/{CHECKPOINT}"] = [answers.cut(DATA, 1)] * PAUSES.attempts
    with pytest.raises(AccessError) as cut:
        fetcher(server.url).fetch(CHECKPOINT, LIMIT)
    assert (cut.value.message.count("broke off"), cut.value.hint) == (1, "")
