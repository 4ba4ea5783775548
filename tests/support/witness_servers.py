"""What a witness's server may do to whoever waits for its answer (`tests.support.witnesses.Served.instead`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

Instead = Callable[[BaseHTTPRequestHandler], None]


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Send nothing."""
    handler.server.ended.wait(10)  # type: ignore[attr-defined]


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte of the headers now and then."""
    drip(handler, b"HTTP/1.1 200 OK\r\nX: ")


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte of the body now and then."""
    drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")


def drip(handler: BaseHTTPRequestHandler, beginning: bytes) -> None:
    """Send this, and then a byte now and then."""
    with suppress(OSError):
        handler.wfile.write(beginning)
        while not handler.server.ended.wait(0.05):  # type: ignore[attr-defined]
            handler.wfile.write(b"x")
            handler.wfile.flush()


def flood(handler: BaseHTTPRequestHandler) -> None:
    """Send a gigabyte, or as much of it as is taken."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            handler.wfile.write(b"x" * (1 << 20))
