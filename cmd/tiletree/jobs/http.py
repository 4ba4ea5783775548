"""The door of Cloud Run, and of whatever else calls by HTTP: `python -m tiletree.jobs.http` listens on $PORT.

    POST /          runs the job once: 200 with the document of `tiletree sequence --json`, 500 with its error
    GET /healthz    200 as long as the service takes calls

A call is a wake-up: its body and its headers are not looked at. One run goes on at a time; a call that comes meanwhile
gets 429, and whoever sent it tries again. After SIGTERM the batch in hand is finished, its call is answered, and no
further batch is begun. The service knows nobody: whoever runs it decides who may call.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any

from tiles.errors import TilesError, UsageError
from tiletree.connections import BoundedServer
from tiletree.ending import until_told_to_end
from tiletree.jobs.job import Deadline, Ran, arguments, run
from tiletree.jobs.record import Record
from tiletree.ui import EXIT_OK, exit_code

PORT = "PORT"
_DEFAULT_PORT = "8080"
_CONNECTIONS = 16  # at a time
_PATIENCE = 20.0  # seconds for what a caller sends, and for taking an answer
_BODY = 1 << 20  # bytes of a call that are read, and thrown away


class Service(BoundedServer):
    """A server that is listening.

    job       runs the job
    Raises AccessError if the port cannot be had.
    """

    daemon_threads = False
    block_on_close = True  # the end waits for the call that is being answered

    def __init__(self, address: tuple[str, int], job: Callable[[], Ran]) -> None:
        self._job = job
        self._running = Lock()
        super().__init__(address, _Handler, _CONNECTIONS, f"${PORT} names it")

    def call(self) -> tuple[int, Mapping[str, Any]]:
        """Run the job, unless it runs already; return status and document of the answer."""
        if not self._running.acquire(blocking=False):
            return 429, {"error": {"kind": "Busy", "message": "a run goes on", "hint": "call again"}}
        try:
            ran = self._job()
        finally:
            self._running.release()
        return (200, ran.document) if ran.code == EXIT_OK else (500, {**ran.document, "error": ran.error})


class _Handler(BaseHTTPRequestHandler):
    server: Service
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Say that the service is there."""
        if self.path == "/healthz":
            self._send(200, {"ok": True})
        else:
            self._send(404, {"error": {"kind": "NotFound", "message": "GET /healthz, POST /", "hint": ""}})

    def do_POST(self) -> None:
        """Run the job."""
        if self.path != "/":
            self._send(404, {"error": {"kind": "NotFound", "message": "GET /healthz, POST /", "hint": ""}})
            return
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit() and len(length) <= 10) or int(length) > _BODY:
            self._send(413, {"error": {"kind": "UsageError", "message": "a call needs no body", "hint": ""}})
            return
        self.rfile.read(int(length))
        self._send(*self.server.call())

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        body = (json.dumps(document) + "\n").encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Return what the Server header says."""
        return "tiletree"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing of each call: the run itself says what it did."""


def serve(environment: Mapping[str, str], write: Callable[[str], object]) -> None:
    """Answer calls until told to end by SIGTERM or Ctrl-C. Raises TilesError if that cannot be begun."""
    arguments(environment, {})  # a service that could do nothing does not begin
    port = environment.get(PORT) or _DEFAULT_PORT
    if not (port.isascii() and port.isdigit() and len(port) <= 5) or int(port) > 65_535:
        raise UsageError(f"${PORT} is {port!r}, which is no port")
    with until_told_to_end() as ended:

        def job() -> Ran:
            return run(Record(write, {"woken_by": "http"}), Deadline(ended=ended.is_set))

        with Service(("", int(port)), job) as service:
            Record(write, {}).say("info", "listening", port=service.server_address[1])
            while not ended.is_set():
                service.handle_request()


def main() -> int:
    """Serve, and return an exit code."""

    def write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        serve(os.environ, write)
    except TilesError as error:
        Record(write, {}).error(type(error).__name__, error.message, error.hint)
        return exit_code(error)
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
