"""Sending something over HTTP: what a server may do to whoever waits for its answer, and for how long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.proxy_server import proxying
from tests.support.witness_servers import Instead, drip_body, drip_headers, flood, hang
from tests.support.witnesses import Served, Witness, serving, witness_key
from tiles.errors import AccessError, UsageError
from tiles.read.http_post import HttpPoster


@pytest.fixture
def served() -> Iterator[Served]:
    """A server of one witness."""
    with serving([Witness(witness_key(0), [])]) as server:
        yield server


@pytest.mark.parametrize("how", [hang, drip_headers, drip_body])
def test_no_answer_takes_longer_than_the_deadline(served: Served, how: Instead) -> None:
    """It is given up, and the error says where."""
    served.instead[0] = how
    began = time.monotonic()
    with pytest.raises(AccessError, match=r"/0/add-checkpoint: no"):
        HttpPoster(served.url(0)).post("add-checkpoint", b"x", 1000, 0.4)
    assert time.monotonic() - began < 2


def test_no_answer_is_longer_than_its_limit(served: Served) -> None:
    """The rest of a gigabyte is not read."""
    served.instead[0] = flood
    with pytest.raises(AccessError, match="longer than 1000 bytes"):
        HttpPoster(served.url(0)).post("add-checkpoint", b"x", 1000, 5.0)


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "encoded"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx", "broke off"),
        (b"garbage", "broke off"),
    ],
)
def test_answers_that_are_none(served: Served, head: bytes, problem: str) -> None:
    """Each is an error that says what came."""
    served.instead[0] = lambda handler: handler.wfile.write(head) and None
    with pytest.raises(AccessError, match=problem):
        HttpPoster(served.url(0)).post("add-checkpoint", b"x", 1000, 5.0)


def test_a_redirect_is_not_followed(served: Served) -> None:
    """It is an answer like any other: whoever answers could send the request elsewhere."""
    served.instead[0] = lambda handler: (
        handler.wfile.write(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") and None
    )
    assert HttpPoster(served.url(0)).post("add-checkpoint", b"x", 1000, 5.0).status == 307


def test_connections_are_kept_and_every_status_is_an_answer(served: Served) -> None:
    """A witness answers 400 to what is no request."""
    poster = HttpPoster(served.url(0))
    for _ in range(2):
        assert poster.post("add-checkpoint", b"x", 1000, 5.0).status == 400


def test_it_goes_through_the_proxy_that_the_environment_names(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every reader does (docs/network.md)."""
    with proxying() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert HttpPoster(served.url(0)).post("add-checkpoint", b"x", 1000, 5.0).status == 400
        assert proxy.asked == [f"POST {served.url(0)}/add-checkpoint"]


def test_credentials_are_sent_and_not_shown(served: Served) -> None:
    """user:password is basic authentication."""
    seen: list[str | None] = []

    def take(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    served.instead[0] = take
    poster = HttpPoster(served.url(0).replace("http://", "http://ann:secret@"))
    poster.post("add-checkpoint", b"x", 1000, 5.0)
    assert seen == ["Basic YW5uOnNlY3JldA=="]
    assert "secret" not in poster.url


def test_an_address_that_is_none() -> None:
    """It is the caller's trouble."""
    with pytest.raises(UsageError):
        HttpPoster("ftp://w.example")
