"""Reading a log over HTTP (https://c2sp.org/tlog-tiles, "APIs"). Errors of urllib3 are translated here only.

A server can send anything, send it late, or never stop. So every object has a limit in bytes, for what comes over the
wire and for what that decodes to, and a deadline for all attempts together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Lock
from urllib.parse import unquote

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3 import exceptions as http
from urllib3.util import Url

from tiles.errors import AccessError, Malformed, NotFound
from tiles.notes.encoding import encode_base64
from tiles.parallel import SERVER_READS, in_background
from tiles.read.connections import connections
from tiles.read.redirects import is_private, is_same_server, redirected
from tiles.read.trouble import too_long
from tiles.retry import Clock, Pauses
from tiles.store import TooLong
from tiles.store.address import parse_http_url, shown_http_url
from tiles.store.content_encoding import ACCEPTED, decode_all, on_wire_after, times_encoded
from tiles.store.network import Proxy, proxy_for
from tiles.tree.layout import CHECKPOINT
from tiles.version import __version__

PAUSES = Pauses(attempts=4, first=0.25, longest=30.0, spread=(0.5, 1.5))  # a longer Retry-After is cut to `longest`
MAX_REDIRECTS = 3

NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}  # Pragma: for caches of HTTP/1.0

_HEADERS = {"Accept-Encoding": ACCEPTED, "User-Agent": f"tiletree/{__version__}"}
_REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: ([0-9]{3})")  # as http.client words it
_CHUNK = 1 << 16  # bytes
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 429})


class _Again(Exception):
    """An attempt failed, and another one may succeed. pause: seconds that the server asks for, if it does."""

    def __init__(self, problem: str, pause: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a server is waited for.

    connect   for one connection
    read      without a byte
    whole     for one object, all attempts, redirects and pauses together
    """

    connect: float = 10.0
    read: float = 20.0
    whole: float = 120.0


USUAL = Patience()


@dataclass(frozen=True, slots=True)
class _Anew:
    """Asks for an object past every cache.

    query   what makes the address another one for a cache; "" for the object's own address
    """

    query: str = ""


class HttpFetcher:
    """Fetches objects below an http(s):// URL. Threads may share it.

    url     a query (a storage token, say) is sent with every request, user:password as basic authentication, both
            to this server only; `url` shows neither
    clock   its seconds only ever grow
    """

    parallel = SERVER_READS

    def __init__(
        self,
        url: str,
        *,
        patience: Patience = USUAL,
        clock: Clock | None = None,
    ) -> None:
        self._base = parse_http_url(url)
        self.url = shown_http_url(self._base)
        self._patience = patience
        self._clock = clock or Clock(now=time.monotonic)
        self._timeout = Timeout(connect=patience.connect, read=patience.read)
        self._pools: dict[tuple[str, Proxy | None, bool], PoolManager] = {}
        self._lock = Lock()
        self._pool(self._base)  # what the environment says wrongly is said at once

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object, decoded. Raises NotFound; AccessError, and TooLong for one of more than `limit` bytes."""
        return self._fetch(path, limit)

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object, past the caches (PastCaches): by asking them to, and if they do not, by another query."""
        try:
            found = self._fetch(path, limit, _Anew())
            if found != rejected:
                return found
        except (NotFound, TooLong):
            if rejected is not None:
                raise
            found = None
        # The same again, from a cache that ignores what it was asked for, or because the log has nothing else.
        try:
            return self._fetch(path, limit, _Anew(f"{self._clock.rng.getrandbits(64):016x}"))
        except AccessError:  # there are servers that refuse a query
            if found is None:
                raise
            return found

    def _fetch(self, path: str, limit: int, anew: _Anew | None = None) -> bytes:
        where = f"{self.url}/{path}"
        until = self._clock.now() + self._patience.whole
        attempt = 1
        while True:
            try:
                return self._in_time(lambda: self._get(path, limit, until, anew), until, where)
            except _Again as again:
                asked = again.pause
                pause = PAUSES.after(attempt, self._clock.rng) if asked is None else min(asked, PAUSES.longest)
                if attempt == PAUSES.attempts or self._clock.now() + pause >= until:
                    tried = f", {attempt} attempts" if attempt > 1 else ""
                    raise AccessError(f"{where}: {again.problem}{tried}") from again
            self._clock.sleep(pause)
            attempt += 1

    def _in_time(self, job: Callable[[], bytes], until: float, where: str) -> bytes:
        """Return what the job returns, or give up on it.

        In a thread of its own, because name look-up, TLS handshake and response headers know no deadline: a server
        that sends a byte now and then would hold its reader for hours.
        """
        try:
            return in_background(job).result(timeout=max(0.0, until - self._clock.now()))
        except TimeoutError:
            raise self._too_late(where) from None

    def _get(self, path: str, limit: int, until: float, anew: _Anew | None) -> bytes:
        """Return an object after one attempt, redirects included."""
        where = f"{self.url}/{path}"
        at = self._base._replace(auth=None, path=f"{(self._base.path or '').rstrip('/')}/{path}")
        if anew is not None and anew.query:
            at = at._replace(query="&".join(filter(None, (at.query, f"past={anew.query}"))))
        outside = False
        for _ in range(1 + MAX_REDIRECTS):
            try:
                response = self._pool(at, outside=outside).request(
                    "GET", str(at), headers=self._headers(at, anew), redirect=False, preload_content=False
                )
                inside = is_private(self._peer(response, at))
                try:
                    if response.status == 200:
                        return self._body(response, limit, until, where)
                    _drain(response)
                finally:
                    response.close()
            except http.HTTPError as error:
                raise _failed(error, where) from error
            if response.status not in _REDIRECTS:
                raise _refusal(response, path, where)
            target = redirected(at, response.headers.get("Location"), where, inside=inside)
            outside = outside or not (inside or is_same_server(at, target))
            at = target
        raise AccessError(f"{where}: redirected more than {MAX_REDIRECTS} times")

    def _pool(self, at: Url, *, outside: bool = False) -> PoolManager:
        """Return the connections by which a server is reached: through the proxy, if the environment names one.

        outside   connect to public addresses only, whatever the names of hosts stand for
        """
        key = at.scheme or "", proxy_for(at.scheme or "", at.host or "", at.port), outside
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = connections(*key, timeout=self._timeout)
        return pool

    @staticmethod
    def _peer(response: BaseHTTPResponse, at: Url) -> str:
        """Return the address that an answer came from; through a proxy, the host that was asked."""
        return getattr(response.connection, "peer", "") or at.host or ""

    def _headers(self, at: Url, anew: _Anew | None) -> dict[str, str]:
        headers = dict(_HEADERS) | ({} if anew is None else NO_CACHE)
        if self._base.auth and is_same_server(at, self._base):
            headers["Authorization"] = f"Basic {encode_base64(unquote(self._base.auth).encode())}"
        return headers

    def _body(self, response: BaseHTTPResponse, limit: int, until: float, where: str) -> bytes:
        times = times_encoded(response.headers.get("Content-Encoding", ""), where)
        room = on_wire_after(times, limit)
        sent = bytearray()
        while chunk := response.read1(_CHUNK, decode_content=False):
            sent += chunk
            if len(sent) > room:
                raise too_long(b"" if times else bytes(sent), where, limit)
            if self._clock.now() >= until:
                raise self._too_late(where)
        try:
            data = decode_all(bytes(sent), times, limit)
        except Malformed:
            raise _Again("the answer broke off, or is not the gzip it says it is") from None
        if len(data) > limit:
            raise too_long(data, where, limit)
        return data

    def _too_late(self, where: str) -> AccessError:
        return AccessError(f"{where}: no whole answer within {self._patience.whole:g} seconds")


def _drain(response: BaseHTTPResponse) -> None:
    """Read a short answer to its end, so that the connection can be used again; give up on a long one."""
    for _ in range(4):
        if not response.read1(_CHUNK, decode_content=False):
            return


def _refusal(response: BaseHTTPResponse, path: str, where: str) -> Exception:
    """Return the error that an answer without the object means."""
    status = response.status
    if status in _GONE:
        return NotFound(f"{where}: not found")
    if status == 403:
        if path == CHECKPOINT:  # every log has one, so 403 does not say that it is not there
            hint = "some storage answers this for what is not there, too: check the URL"
            return AccessError(f"{where}: access is denied (403)", hint=hint)
        return NotFound(f"{where}: not found (403)")
    if status in _BUSY or status >= 500:
        return _Again(f"the server answers {status}", _retry_after(response))
    return AccessError(f"{where}: the server answers {status}")


def _retry_after(response: BaseHTTPResponse) -> float | None:
    """Return the seconds that Retry-After asks for; a date counts from the answer's own."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        dates = [parsedate_to_datetime(date) for date in (value, response.headers.get("Date", ""))]
        return max(0.0, (dates[0] - dates[1]).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a time zone, or one that no clock reaches
        return None


def _failed(error: http.HTTPError, where: str) -> Exception:
    """Return what an error of urllib3 means here."""
    if isinstance(error, http.SSLError):
        return AccessError(f"{where}: no secure connection: {error}")
    if refusal := _REFUSED_BY_PROXY.search(str(error)):
        return AccessError(f"{where}: the proxy refuses ({refusal[1]})", hint="look at $https_proxy and $no_proxy")
    if isinstance(error, http.LocationValueError):
        return AccessError(f"{where}: the host name is not one")
    for kind, problem in (
        (http.ProxyError, "the proxy cannot be reached"),
        (http.NameResolutionError, "the host name cannot be resolved"),
        (http.NewConnectionError, "no connection"),
        (http.ConnectTimeoutError, "no connection in time"),
        (http.ReadTimeoutError, "no answer in time"),
    ):
        if isinstance(error, kind):
            return _Again(problem)
    return _Again("the answer broke off")
