"""A proxy on 127.0.0.1 that passes on what it is asked to, to whatever host it is told the names stand for."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class Proxy(ThreadingHTTPServer):
    """Takes down what it is asked for: "METHOD target", and what Proxy-Authorization there is.

    refusing   a status with which every request is refused; 0 passes it on
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.users: set[str | None] = set()
        self.refusing = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients that go away are usual."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds
    server: Proxy

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _is_refused(self) -> bool:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.users.add(self.headers.get("Proxy-Authorization"))
        if self.server.refusing:
            self.send_response(self.server.refusing)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return bool(self.server.refusing)

    def do_CONNECT(self) -> None:
        """Open a tunnel; every name stands for this machine."""
        if self._is_refused():
            return
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as there:
            self.send_response(200)
            self.end_headers()
            pairs = {self.connection: there, there: self.connection}
            with suppress(OSError):
                while ready := select.select(list(pairs), [], [], 10)[0]:
                    for side in ready:
                        data = side.recv(1 << 16)
                        if not data:
                            return
                        pairs[side].sendall(data)

    def do_GET(self) -> None:
        """Pass a request on."""
        if self._is_refused():
            return
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        left_out = {"proxy-authorization", "proxy-connection", "connection"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
        # closed whatever happens: a client that went away must not leave a connection behind
        with closing(HTTPConnection("127.0.0.1", target.port or 80, timeout=10)) as there:
            there.request(self.command, target._replace(scheme="", netloc="").geturl(), body, headers)
            answer = there.getresponse()
            data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(data)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815


@contextmanager
def proxying() -> Iterator[Proxy]:
    """Run a proxy until the block is left."""
    with Proxy() as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
