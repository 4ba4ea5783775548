"""Sending something to a server over HTTP, and reading its short answer (https://c2sp.org/tlog-witness).

As in `tiles.read.http_fetcher`, a server can send anything, send it late, or never stop: the answer has a limit in
bytes, and all of it a deadline. It is asked once, no redirect is followed, and the answer comes as it is, whatever its
status: what that means is for the caller to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from urllib.parse import unquote

from urllib3 import PoolManager, Timeout
from urllib3 import exceptions as http

from tiles.errors import AccessError
from tiles.notes.encoding import encode_base64
from tiles.parallel import in_background
from tiles.read.connections import connections
from tiles.read.http_answers import CHUNK, Again, failed
from tiles.read.trouble import too_long
from tiles.store.address import parse_http_url, shown_http_url
from tiles.store.network import Proxy, proxy_for
from tiles.version import __version__

CONNECT = 10.0  # seconds for one connection, at most


@dataclass(frozen=True, slots=True)
class Posted:
    """What a server answered: its status, and the body, not encoded."""

    status: int
    data: bytes


class HttpPoster:
    """Sends to one server, below an http(s):// URL, over connections that it keeps. Threads may share it.

    url     a query is sent with every request, user:password as basic authentication; `url` shows neither
    now     seconds that only ever grow
    """

    def __init__(self, url: str, now: Callable[[], float] = time.monotonic) -> None:
        self._base = parse_http_url(url)
        self.url = shown_http_url(self._base)
        self._now = now
        self._pools: dict[Proxy | None, PoolManager] = {}
        self._lock = Lock()

    def post(self, path: str, body: bytes, limit: int, seconds: float) -> Posted:
        """Send a body, and return the answer. Raises AccessError; TooLong for one of more than `limit` bytes."""
        where = f"{self.url}/{path}"
        until = self._now() + seconds
        # in a thread of its own, because name look-up, TLS handshake and response headers know no deadline
        sent = in_background(lambda: self._post(path, body, limit, until, where))
        try:
            return sent.result(timeout=max(0.0, seconds))
        except TimeoutError:
            raise _too_late(where, seconds) from None
        except Again as again:
            raise AccessError(f"{where}: {again.problem}", hint=again.hint) from again

    def _post(self, path: str, body: bytes, limit: int, until: float, where: str) -> Posted:
        left = max(0.001, until - self._now())
        target = self._base._replace(auth=None, path=f"{(self._base.path or '').rstrip('/')}/{path}")
        headers = {
            "Accept-Encoding": "identity",
            "Content-Type": "text/plain; charset=utf-8",
            "User-Agent": f"tiletree/{__version__}",
        }
        if self._base.auth:
            headers["Authorization"] = f"Basic {encode_base64(unquote(self._base.auth).encode())}"
        try:
            response = self._pool().request(
                "POST",
                str(target),
                body=body,
                headers=headers,
                timeout=Timeout(connect=min(CONNECT, left), read=left),
                redirect=False,
                preload_content=False,
            )
            data = bytearray()
            try:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise AccessError(f"{where}: the answer is encoded, which was not asked for")
                while len(data) <= limit and (chunk := response.read1(CHUNK, decode_content=False)):
                    data += chunk
                    if self._now() >= until:
                        raise AccessError(f"{where}: no whole answer in time")
            finally:
                response.close()  # and the connection, unless all of the answer was read
        except http.HTTPError as error:
            raise failed(error, where) from error
        if len(data) > limit:
            raise too_long(bytes(data), where, limit)
        return Posted(response.status, bytes(data))

    def _pool(self) -> PoolManager:
        """Return the connections to the server: through the proxy, if the environment names one."""
        proxy = proxy_for(self._base.scheme or "", self._base.host or "", self._base.port)
        with self._lock:
            pool = self._pools.get(proxy)
            if pool is None:
                pool = self._pools[proxy] = connections(
                    self._base.scheme or "", proxy, False, timeout=Timeout(connect=CONNECT)
                )
        return pool


def _too_late(where: str, seconds: float) -> AccessError:
    return AccessError(f"{where}: no whole answer within {seconds:g} seconds")
