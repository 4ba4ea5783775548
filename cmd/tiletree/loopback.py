"""An HTTP server with a bound on everything that a peer decides: for programs on this machine, unless told otherwise.

It takes calls as its `Calls` say, and answers one at a time on each connection.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Condition
from typing import Any, Protocol

from tiles.errors import UsageError
from tiletree.connections import BoundedServer

MAX_CONNECTIONS = 64  # at a time; one more is told to try again
READ_WITHIN = 20.0  # seconds in which a whole request has to have come, and for which a connection may be idle
WRITE_WITHIN = 20.0  # seconds in which the other side has to take something of an answer
DRAIN_WITHIN = 1.0  # seconds for which more is read of a request that was refused, so that its sender sees the answer
ANSWER_WITHIN = 10.0  # seconds that the end of the server waits for answers that are known to be sent


class Reply(Protocol):
    """What is sent back: status, body and headers of HTTP. Without a Content-Type it is JSON."""

    @property
    def status(self) -> int:
        """The status."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values."""
        ...


class Calls(Protocol):
    """Which calls are taken, and what they are answered. Threads share it.

    busy    the reply to a connection that is one too many
    fault   the reply where an exception was raised that nobody expected
    """

    @property
    def busy(self) -> Reply:
        """Say to try again."""
        ...

    @property
    def fault(self) -> Reply:
        """Say that it is our fault."""
        ...

    def check(self, method: str, target: str, header: Callable[[str], str | None]) -> int | Reply:
        """Return how many bytes of body a call has, or the reply that refuses it. header: by name, in any case"""
        ...

    def respond(self, method: str, target: str, body: bytes) -> Reply:
        """Return the reply to a call that `check` took."""
        ...

    def not_http(self, status: int) -> Reply:
        """Return the reply to what is no request of HTTP that is taken."""
        ...


def parse_listen(text: str, why: str = "", *, anywhere: bool = False) -> tuple[str, int]:
    """Return address and port of `ADDRESS:PORT`. Raises UsageError unless the address is of this machine alone.

    why        no other will do
    anywhere   any other will do
    """
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise UsageError(f"--listen {text}: not an address and a port", hint="such as 127.0.0.1:0") from None
    if not (port.isascii() and port.isdigit() and len(port) <= 5) or int(port) > 65_535:
        raise UsageError(f"--listen {text}: not a port from 0 to 65535", hint="such as 127.0.0.1:0")
    if not anywhere and str(address) not in ("127.0.0.1", "::1"):
        raise UsageError(
            f"--listen {text}: not an address of this machine alone",
            hint=f"127.0.0.1 or [::1]: {why}",
        )
    return str(address), int(port)


class LoopbackServer(BoundedServer):
    """A server that is listening; `serve` answers.

    calls     says what is answered
    told      is told an exception that nobody expected
    Raises AccessError if the port cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, listen: tuple[str, int], calls: Calls, told: Callable[[Exception], object]) -> None:
        self.address_family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self.calls = calls
        self._told = told
        self._answering = 0
        self._changed = Condition()
        super().__init__(listen, _Handler, MAX_CONNECTIONS, "choose another port, or 0 for any that is free")

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def answer(self, method: str, target: str, body: bytes) -> Reply:
        """Return the answer to a call, whatever happens."""
        try:
            return self.calls.respond(method, target, body)
        except Exception as error:  # noqa: BLE001  nobody expected it, and the next call may fare better
            self._told(error)
            return self.calls.fault

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a call that is being answered."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    def serve(self, ended: Callable[[], bool]) -> None:
        """Take calls, each in a thread of its own, until it is time to end."""
        while not ended():
            self.handle_request()

    def finish(self) -> None:
        """Wait, for some seconds, until all calls have been answered."""
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, ANSWER_WITHIN)

    def refuse(self, request: Any) -> None:
        """Say to a connection that is one too many to try again."""
        with suppress(OSError):
            request.settimeout(WRITE_WITHIN)
            request.sendall(_raw(self.calls.busy, closes=True))


class _Deadline(io.RawIOBase):
    """What a connection sends, up to a moment."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come. Raises TimeoutError once the moment is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def setup(self) -> None:
        """Bound how long the connection may take for what it sends."""
        super().setup()
        self._deadline = _Deadline(self.connection)
        self.rfile = io.BufferedReader(self._deadline)

    def handle_one_request(self) -> None:
        """Answer one call."""
        self._deadline.until = time.monotonic() + READ_WITHIN
        super().handle_one_request()

    def __getattr__(self, name: str) -> Any:
        """Return what answers a call of any method."""
        if name.startswith("do_"):
            return self._answer_call
        raise AttributeError(name)

    def _answer_call(self) -> None:
        length = self.server.calls.check(self.command, self.path, self.headers.get)
        if not isinstance(length, int):
            self._refuse(length)
            return
        body = self.rfile.read(length)
        if len(body) < length:  # the client has gone
            self.close_connection = True
            return
        with self.server.answering():
            self._send(self.server.answer(self.command, self.path, body))

    def handle_expect_100(self) -> bool:
        """Let a body be sent only if the call is one that is taken."""
        taken = self.server.calls.check(self.command, self.path, self.headers.get)
        if not isinstance(taken, int):
            self._refuse(taken)
            return False
        self.connection.settimeout(WRITE_WITHIN)
        return super().handle_expect_100()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse what is no request of HTTP."""
        self._refuse(self.server.calls.not_http(int(code)))

    def _refuse(self, answer: Reply) -> None:
        """Answer, and end the connection: the rest of the request is thrown away, as far as it comes soon."""
        self.close_connection = True
        self._send(answer)
        self.connection.shutdown(socket.SHUT_WR)
        self._deadline.until = time.monotonic() + DRAIN_WITHIN
        while self.rfile.read1(1 << 16):
            pass

    def _send(self, answer: Reply) -> None:
        self.connection.settimeout(WRITE_WITHIN)
        self.wfile.write(_raw(answer, closes=self.close_connection))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing of each call."""


def _raw(answer: Reply, *, closes: bool) -> bytes:
    """Return an answer as HTTP/1.1 sends it."""
    headers = [
        *([] if any(name == "Content-Type" for name, _ in answer.headers) else [("Content-Type", "application/json")]),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *answer.headers,
        *([("Connection", "close")] if closes else []),
    ]
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *(f"{k}: {v}" for k, v in headers), "", ""]
    return "\r\n".join(lines).encode("ascii") + answer.body
