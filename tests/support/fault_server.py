"""An HTTP server on 127.0.0.1 that serves objects, and on demand everything a server can do wrong."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers one request after the other of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds
    disable_nagle_algorithm = True  # or an answer in two writes waits 40 ms in between
    server: Server

    def do_GET(self) -> None:
        """Answer by the server's script, or else with the object."""
        path = self.path.partition("?")[0]
        self.server.requests.append((self.path, self.headers))
        answers = self.server.script.get(path)
        if answers:
            # the last answer of a script is given for ever
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)
        elif (data := self.server.objects.get(path.removeprefix("/"))) is not None:
            self.send(200, data)
        else:
            self.send(404, b"no such object\n")

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send an answer; underscores in names of headers are dashes. Content-Length is sent unless given as ""."""
        self.send_response_only(status)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | given).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """objects by path; script: what to answer for a path ("/…") instead, one after the other."""

    daemon_threads = True

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects = dict(objects)
        self.script: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, Message]] = []
        self.over = Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients that go away are what is tested."""


@contextmanager
def serving(objects: Mapping[str, bytes], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve until the block is left."""
    with Server(objects) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def gzip(data: bytes) -> bytes:
    """Return data as one gzip member, the same in every Python."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


# ---- answers


def status(code: int, text: bytes = b"answered\n", **headers: str) -> Answer:
    """Answer with a status, and nothing that was asked for."""
    return lambda handler: handler.send(code, text, **headers)


def body(data: bytes, **headers: str) -> Answer:
    """Answer with other bytes."""
    return lambda handler: handler.send(200, data, **headers)


def hang_up(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def cut(data: bytes, missing: int, **headers: str) -> Answer:
    """Announce more than is sent, and close the connection."""

    def answer(handler: Handler) -> None:
        handler.send(200, data[: len(data) - missing], Content_Length=str(len(data)), **headers)
        handler.close_connection = True

    return answer


def chunked(*chunks: bytes, finished: bool = True) -> Answer:
    """Answer in chunks; without `finished` the connection is closed before the last."""

    def answer(handler: Handler) -> None:
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        handler.send(200, framed + (b"0\r\n\r\n" if finished else b""), Content_Length="", Transfer_Encoding="chunked")
        handler.close_connection = not finished

    return answer


def silence(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.over.wait(10)
    handler.close_connection = True


def drip(start: bytes, endless: bytes) -> Answer:
    """Send `start`, and then `endless` again and again, a little at a time, until the test is over."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(start)
        while not handler.server.over.wait(0.02):
            handler.wfile.write(endless)

    return answer
