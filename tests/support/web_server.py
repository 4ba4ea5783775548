"""A server of logs and pages for tests: objects in a dict, the faults that servers have, a record of what was asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.support.encodings import encoded

WEB = Path(__file__).resolve().parents[2] / "web"
FOR_NPM = {"verifier/index.js"}
PAGE = {
    path.relative_to(WEB).as_posix(): path.read_bytes()
    for path in WEB.rglob("*")
    if path.suffix in {".html", ".js", ".css", ".svg"} and path.relative_to(WEB).as_posix() not in FOR_NPM
}

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of readers who hang up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class LogServer:
    """Serves `objects` on loopback; change it, or the knobs, at any time.

    status    path → HTTP status instead of the object
    missing   status of what is not there: 404, 403 as some storage has it, or 200 with a page
    gzipped   entry bundles are sent gzip-encoded
    encoding  the Content-Encoding of tiles and bundles, and how often they are gzip-encoded
    moved     path → where a redirect leads
    delay     seconds before each answer; hang: paths that are never answered
    held      path → what a cache on the way holds, None for a 404; it is asked past by "no-cache"
    stubborn  and only by a query, as some are
    lasting   tiles, and what is in their place, may be kept for ever, as the docs ask for it
    trouble   path → what is answered first, one after the other: a status, "cut" in the middle, "closed" at once
    after     the Retry-After of all
    slow      bytes at a time, seconds between them
    ranges    what is answered to those who ask for a part: see `part_of`
    """

    objects: Mapping[str, bytes]
    status: dict[str, int]
    missing: int
    gzipped: bool
    encoding: tuple[str, int]
    moved: dict[str, str | None]
    delay: float
    hang: set[str]
    asked: list[str]
    held: dict[str, bytes | None]
    stubborn: bool
    lasting: bool
    trouble: dict[str, list[int | str]]
    after: str
    slow: tuple[int, float] | None
    ranges: str
    sent: list[int]

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.begin(objects)
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def begin(self, objects: Mapping[str, bytes]) -> None:
        """Serve other objects from now on, as a server without faults that nobody has asked yet."""
        self.objects = {"favicon.ico": b"", **objects}
        self.status, self.hang, self.asked = {}, set(), []
        self.missing, self.gzipped, self.delay = 404, False, 0.0
        self.encoding, self.moved = ("", 0), {}
        self.held, self.stubborn, self.lasting = {}, False, False
        self.trouble, self.after, self.slow = {}, "", None
        self.ranges, self.sent = "", []

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def found(self, path: str, past: object) -> bytes | None:
        """Return what is at a path; past: a cache on the way is asked past."""
        return self.objects.get(path) if past or path not in self.held else self.held[path]

    def keeping(self, path: str, status: int, body: bytes) -> str:
        """Return how long an answer may be kept."""
        if self.lasting and path.startswith("tile/"):
            return "public, max-age=31536000, immutable"
        # the page's own files are the same for all tests; a browser that keeps them saves time
        return "max-age=3600" if status == 200 and body is PAGE.get(path) else "no-store"

    def encoded(self, path: str, status: int) -> tuple[dict[str, str], int]:
        """Return more headers of an answer, and how often its body is gzip-encoded."""
        headers, times = {"Location": self.moved.get(path) or ""}, 0
        if self.gzipped and path.startswith("tile/entries/") and status == 200:
            headers["Content-Encoding"], times = "gzip", 1
        elif path.startswith("tile/"):
            headers["Content-Encoding"], times = self.encoding
        return {name: value for name, value in headers.items() if value}, times

    def part_of(self, status: int, body: bytes, wanted: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers for who wants a part of an object that is there, as `ranges` has it.

        "": the whole object; "yes": the part; "silent": without its place; "other", "short": another part; "416": none;
        "gzip": a part of the encoded bytes; "whole gzip": all of them
        """
        if not wanted or status != 200:
            return status, body, {}
        first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
        packed = encoded(body, 1) if "gzip" in self.ranges else body
        if self.ranges in ("", "416", "whole gzip"):
            return 416 if self.ranges == "416" else 200, packed, {"Content-Encoding": "gzip"} if packed != body else {}
        first, last = (number + 16 * (self.ranges == "other") for number in (first, last))
        part = packed[first : last + (0 if self.ranges == "short" else 1)]
        place = (
            {}
            if self.ranges == "silent"
            else {"Content-Range": f"bytes {first}-{last}/{len(body) if packed == body else '*'}"}
        )
        return 206, part, {**place, **({"Content-Encoding": "gzip"} if packed != body else {})}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

            def do_GET(self) -> None:
                """Answer."""
                path, query, _ = self.path.partition("?")
                path = path.lstrip("/") or "index.html"
                outer.asked.append(path)
                if path in outer.hang:
                    time.sleep(60)
                    return
                time.sleep(outer.delay)
                trouble = outer.trouble[path].pop(0) if outer.trouble.get(path) else None
                if trouble == "closed":
                    self.close_connection = True
                    return
                body = outer.found(path, query if outer.stubborn else self.headers.get("Cache-Control") == "no-cache")
                status = (
                    trouble
                    if isinstance(trouble, int)
                    else outer.status.get(path, 200 if body is not None else outer.missing)
                )
                status = 302 if path in outer.moved else status
                kept = outer.keeping(path, status, body or b"")
                if body is None or status != 200:
                    body = b"<!doctype html><title>Nothing here</title>"
                status, body, part = outer.part_of(status, body, self.headers.get("Range", ""))
                self.send_response(status)
                suffix = Path(path).suffix
                self.send_header("Content-Type", TYPES.get(suffix, "application/octet-stream"))
                self.send_header("X-Content-Type-Options", "nosniff")
                if suffix == ".html" and path != "verify.html":  # which has its own, with hashes, in it
                    self.send_header("Content-Security-Policy", CSP)
                headers, times = outer.encoded(path, status)
                body = encoded(body, times)
                for name, value in {**headers, **part}.items():
                    self.send_header(name, value)
                self.send_header("Cache-Control", kept)
                self.send_header("Retry-After", outer.after)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                outer.sent.append(len(body))
                self.send(body[: len(body) // 2] if trouble == "cut" else body)
                self.close_connection = trouble == "cut"

            def send(self, body: bytes) -> None:
                """Send a body, slowly if so it is."""
                size, pause = outer.slow or (len(body) or 1, 0.0)
                with suppress(OSError):  # the reader gave up
                    for at in range(0, len(body), size):
                        self.wfile.write(body[at : at + size])
                        self.wfile.flush()
                        time.sleep(pause)

        return Handler
