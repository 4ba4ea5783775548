"""A server of logs and pages for tests: objects in a dict, the faults that servers have, a record of what was asked."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

WEB = Path(__file__).resolve().parents[2] / "web"
PAGE = {
    path.relative_to(WEB).as_posix(): path.read_bytes()
    for path in WEB.rglob("*")
    if path.suffix in {".html", ".js", ".css", ".svg"}
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


class LogServer:
    """Serves `objects` on loopback; change it, or the knobs, at any time.

    status    path → HTTP status instead of the object
    missing   status of what is not there: 404, 403 as some storage has it, or 200 with a page
    gzipped   entry bundles are sent gzip-encoded
    delay     seconds before each answer; hang: paths that are never answered
    """

    objects: Mapping[str, bytes]
    status: dict[str, int]
    missing: int
    gzipped: bool
    delay: float
    hang: set[str]
    asked: list[str]

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.begin(objects)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def begin(self, objects: Mapping[str, bytes]) -> None:
        """Serve other objects from now on, as a server without faults that nobody has asked yet."""
        self.objects = {"favicon.ico": b"", **objects}
        self.status, self.hang, self.asked = {}, set(), []
        self.missing, self.gzipped, self.delay = 404, False, 0.0

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

            def do_GET(self) -> None:
                """Answer."""
                path = self.path.partition("?")[0].lstrip("/") or "index.html"
                outer.asked.append(path)
                if path in outer.hang:
                    time.sleep(60)
                    return
                time.sleep(outer.delay)
                body = outer.objects.get(path)
                status = outer.status.get(path, 200 if body is not None else outer.missing)
                if body is None or status != 200:
                    body = b"<!doctype html><title>Nothing here</title>"
                self.send_response(status)
                suffix = Path(path).suffix
                self.send_header("Content-Type", TYPES.get(suffix, "application/octet-stream"))
                self.send_header("X-Content-Type-Options", "nosniff")
                if suffix == ".html" and path != "verify.html":  # which has its own, with hashes, in it
                    self.send_header("Content-Security-Policy", CSP)
                if outer.gzipped and path.startswith("tile/entries/") and status == 200:
                    self.send_header("Content-Encoding", "gzip")
                    body = gzip.compress(body)
                # the page's own files are the same for all tests; a browser that keeps them saves time
                kept = status == 200 and body is PAGE.get(path)
                self.send_header("Cache-Control", "max-age=3600" if kept else "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
