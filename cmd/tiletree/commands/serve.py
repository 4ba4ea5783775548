"""`tiletree serve`: a log and its page, shown to a browser on this machine."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import click

from tiles.errors import AccessError, NotFound, TilesError, UsageError
from tiles.page import VERIFY, page_files, published_policy
from tiles.records.serving import headers_of
from tiles.store import Store
from tiles.store.address import shown_address
from tiles.user.places import public_store
from tiletree.keys import check_log
from tiletree.options import json_option, log_argument, output
from tiletree.ui import Output, own_fault, shown

PORT = 8765
MAX_OBJECT = 32 << 20  # bytes; the longest entry bundle has 16 MiB

# what every answer carries: an entry bundle must never be taken for a script (it is whatever somebody logged)
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Referrer-Policy": "no-referrer",
}
# the page's own policy, which is in its <meta> too, but for frame-ancestors, which only a header can say
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII | re.IGNORECASE)
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}


@click.command()
@log_argument
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="on this machine")
@json_option
@output
def serve(out: Output, log: str, port: int) -> None:
    """Show LOG and its page to a browser on this machine, until interrupted.

    \b
    Example:
      tiletree serve ./log

    This is for trying out: it listens on the loopback address only, and shows the page even if the log does not hold
    it. To publish a log, use any web server or CDN; docs/hosting.md names the headers.
    """
    store = public_store(log)
    check_log(store)
    server = log_server(store, page_files(published_policy(store)), port)
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        out.result({"url": url}, f"{shown_address(log)} is at {url} until you press Ctrl-C")
        server.serve_forever()  # once the address is said, Ctrl-C is how it ends, however early
    except KeyboardInterrupt:
        out.note("stopped")
    finally:
        server.server_close()


def log_server(store: Store, page: dict[str, bytes], port: int) -> ThreadingHTTPServer:
    """Return a server of a log's public objects on the loopback address; `page` stands in for files that are not there.

    port   0 for any that is free
    Raises AccessError if the port cannot be had.
    """

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_given: Any) -> None:
            """Say nothing: what is not answered by now is a browser that has gone."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "tiletree"
        sys_version = ""

        def do_GET(self) -> None:
            """Answer with an object."""
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """Answer without it."""
            self._answer(with_body=False)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing for each request."""

        def _answer(self, *, with_body: bool) -> None:
            given = answer(store, page, self.path, self.headers.get("Host", ""))
            # no answer has a validator, so If-Range never holds
            wanted = "" if "If-Range" in self.headers else self.headers.get("Range", "")
            status, headers, body = part_of(given, wanted) if with_body else given
            self.send_response(status)
            for name, value in {**headers, **SAFE, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    try:
        server = Server(("127.0.0.1", port), Handler)
    except OSError as error:
        raise AccessError(f"port {port} cannot be had: {error.strerror}", hint="choose another with --port") from error
    server.daemon_threads = True
    return server


def answer(store: Store, page: dict[str, bytes], target: str, host: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body for a request.

    host   the Host header: another site's name, made to lead here, is refused
    """
    plain = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    if host.rpartition(":")[0] not in _LOCAL and host not in _LOCAL:
        return 421, plain, b"this server is for this machine only\n"
    path = unquote(target.partition("?")[0]).removeprefix("/") or "index.html"
    try:
        data = _object(store, page, path)
    except NotFound:
        return 404, plain, b"not found\n"
    except TilesError as error:
        return 502, plain, f"{shown(error.message)}\n".encode()
    except Exception as error:  # noqa: BLE001  nobody expected it, and the next request may fare better
        return 500, plain, f"{shown(own_fault(error)[0])}\n".encode()
    headers = headers_of(path)
    if path in page:
        headers["Cache-Control"] = "no-cache"
    if path.endswith(".html"):
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if path != VERIFY:  # which names the hashes of its own script and style
            headers["Content-Security-Policy"] = PAGE_POLICY
    return 200, headers, data


def _object(store: Store, page: dict[str, bytes], path: str) -> bytes:
    if any(part in ("", ".", "..") or part.startswith(".") for part in path.split("/")):
        raise NotFound(f"{path}: no object has such a name")
    try:
        return store.read(path, MAX_OBJECT).data
    except NotFound:
        if path not in page:
            raise
        return page[path]
    except UsageError as error:  # no path of a store
        raise NotFound(f"{path}: no object has such a name") from error


def part_of(given: tuple[int, dict[str, str], bytes], wanted: str) -> tuple[int, dict[str, str], bytes]:
    """Return what to answer to a GET: the part that a request asks for, or what was given (RFC 9110, section 14).

    wanted   the Range header; "" for none

    Nothing is encoded here, so a part is one of the object itself. The whole is sent where several parts are asked for,
    or what cannot be understood.
    """
    status, headers, data = given
    if status != 200:
        return given
    headers = {**headers, "Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(wanted)
    if match is None or match[0].endswith("=-"):
        return status, headers, data
    if match[1]:
        start, stop = int(match[1]), min(len(data), int(match[2]) + 1 if match[2] else len(data))
        if match[2] and int(match[2]) < int(match[1]):
            return status, headers, data
    else:
        start, stop = max(0, len(data) - int(match[2])), len(data)
    if start >= stop:
        unsatisfied = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return 416, {**unsatisfied, "Content-Range": f"bytes */{len(data)}"}, b"there is no such part\n"
    return 206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}, data[start:stop]
