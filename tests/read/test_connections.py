"""Whom a connection leads to."""

from __future__ import annotations

import socket

import pytest
from urllib3 import Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ProtocolError

from tests.support.fault_server import serving
from tiles.errors import AccessError
from tiles.read.connections import connections
from tiles.store.network import Proxy

SECONDS = Timeout(5)


def test_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection knows the address of who answers."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with serving({"a": b"b"}) as server:
        answer = connections("http", None, outside=False, timeout=SECONDS).request(
            "GET", f"{server.url}/a", preload_content=False
        )
        assert getattr(answer.connection, "peer", "") == "127.0.0.1"
        assert answer.data == b"b"


def test_reset_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is gone before anybody could ask who answers is closed: nobody else knows of it."""
    made = [socket.socket()]  # connected to nobody, as one is that was reset
    monkeypatch.setattr(HTTPConnection, "_new_conn", lambda _self: made[0])
    with pytest.raises(ProtocolError):
        connections("http", None, outside=False, timeout=SECONDS).request("GET", "http://127.0.0.1:1/a")
    assert made[0].fileno() == -1


def test_no_private_address() -> None:
    """Connections that lead outside are closed before anything is sent to a private address."""
    with serving({}) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(AccessError, match="private network"):
            connections("https", None, outside=True, timeout=SECONDS).request("GET", url)
        assert server.requests == []


def test_a_proxy_is_not_who_answers() -> None:
    """Through a proxy it is not known who answers, and the proxy itself may be in a private network."""
    with serving({"a": b"b"}) as server:
        manager = connections("http", Proxy(server.url), outside=False, timeout=SECONDS)
        answer = manager.request("GET", "http://log.example.com/a", preload_content=False)
        assert getattr(answer.connection, "peer", "") == ""
