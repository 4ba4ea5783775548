"""A timestamp authority that answers over HTTP, by the clock (https://www.rfc-editor.org/rfc/rfc3161#section-3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.support.sigstore_authority import Authority
from tests.support.timestamping import INTEGER, Timestamp

BOOLEAN = 0x01


@contextmanager
def timestamp_server(who: Authority) -> Iterator[str]:
    """Run it on this machine; give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            digest, nonce, wanted = _asked(self.rfile.read(int(self.headers["Content-Length"])))
            embed = [who.tsa.certificate] if wanted else []
            stamp = Timestamp(datetime.now(UTC), imprint=digest, nonce=nonce, embed=embed)
            answer = stamp.response(b"", who.tsa.certificate, who.tsa.key)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1/timestamp"
    finally:
        server.shutdown()
        server.server_close()


def _asked(request: bytes) -> tuple[bytes, int | None, bool]:
    """Return the digest, the nonce if there is one, and whether certificates are wanted (2.4.1, TimeStampReq)."""
    ((_, body),) = _values(request)
    _, (_, imprint), *rest = _values(body)
    options = dict(rest)
    nonce = int.from_bytes(options[INTEGER]) if INTEGER in options else None
    return _values(imprint)[1][1], nonce, options.get(BOOLEAN) == b"\xff"


def _values(data: bytes) -> list[tuple[int, bytes]]:
    """Return the tags and contents of DER values, one after the other."""
    found = []
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start])
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found
