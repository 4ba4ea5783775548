"""An HTTP server's connections: each has a thread of its own, and there are only so many at a time."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore
from typing import Any

from tiles.errors import AccessError


class BoundedServer(ThreadingMixIn, TCPServer):
    """A server that is listening.

    most   connections at a time
    hint   what to do if the port cannot be had, which raises AccessError
    """

    allow_reuse_address = True
    timeout = 0.2  # seconds between looks whether to end

    def __init__(self, listen: tuple[str, int], handler: type[BaseHTTPRequestHandler], most: int, hint: str) -> None:
        self._free = BoundedSemaphore(most)
        try:
            super().__init__(listen, handler)
        except OSError as error:
            raise AccessError(f"port {listen[1]} cannot be had: {error.strerror}", hint=hint) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a thread for a connection, unless there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.refuse(request)
            self.shutdown_request(request)

    def refuse(self, request: Any) -> None:
        """Answer a connection that is one too many, before it is closed."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection's calls."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_given: Any) -> None:
        """Say nothing: what is not answered by now is a client that has gone."""
