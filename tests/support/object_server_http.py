"""Requests and answers over sockets, for the object server: HTTP/1.1 with connections that are kept."""

from __future__ import annotations

import contextlib
import socket
import socketserver
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedIOBase
from threading import Lock, Thread
from urllib.parse import parse_qsl

NO_BODY = (204, 304)


@dataclass
class Request:
    """A request, as it came.

    path      not decoded, without the query
    headers   names in lower case
    kind      the method; LIST for a list, POST for many deletions
    bucket    "" for none
    key       the object's; a list's prefix
    who       the access key; "" for anonymous
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: dict[str, str]
    body: bytes
    kind: str = ""
    bucket: str = ""
    key: str = ""
    who: str = ""

    @property
    def where(self) -> str:
        """Bucket and key."""
        return f"{self.bucket}/{self.key}"


@dataclass
class Answer:
    """An answer; Content-Length is added.

    cut   how many bytes of the body to keep back before the connection is closed
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int = 0


Respond = Callable[[Request], "Answer | None"]  # None: close the connection instead


class HttpServer(socketserver.ThreadingTCPServer):
    """A server on 127.0.0.1 that hands every request to `respond`, in a thread for each connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.respond = respond
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Serve nobody any more."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket, is_open: bool) -> None:
        """Take down which connections there are."""
        with self._lock:
            (self._open.add if is_open else self._open.discard)(connection)

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients may go away."""


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True  # or an answer waits 40 ms for the client's acknowledgement
    server: HttpServer

    def handle(self) -> None:
        """Answer one request after the other."""
        self.server.opened(self.connection, True)
        try:
            while self._one():
                pass
        except ConnectionError:
            pass
        finally:
            self.server.opened(self.connection, False)

    def _one(self) -> bool:
        request = read_request(self.rfile, self._go_on)
        answer = request and self.server.respond(request)
        if not request or not answer:
            return False
        self.connection.sendall(_formatted(request.method, answer))
        return not answer.cut and request.headers.get("connection", "").lower() != "close"

    def _go_on(self) -> None:
        self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def read_request(stream: BufferedIOBase, go_on: Callable[[], None]) -> Request | None:
    """Return the next request, None at the end of the stream. `go_on` tells a client that waits to send the body."""
    words = stream.readline().decode("latin-1").split()
    if len(words) != 3:
        return None
    headers = {}
    while (line := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        go_on()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _chunks(stream)
    else:
        body = stream.read(int(headers.get("content-length", 0)))
    path, _, query = words[1].partition("?")
    return Request(words[0], path, dict(parse_qsl(query, keep_blank_values=True)), headers, body)


def _chunks(stream: BufferedIOBase) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return body


def _formatted(method: str, answer: Answer) -> bytes:
    headers = dict(answer.headers)
    if answer.status not in NO_BODY:
        headers.setdefault("Content-Length", str(len(answer.body)))
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    body = b"" if method == "HEAD" or answer.status in NO_BODY else answer.body
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body[: len(body) - answer.cut]
