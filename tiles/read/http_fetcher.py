"""Reading a log over HTTP (https://c2sp.org/tlog-tiles, "APIs").

A server can send anything, send it late, or never stop. So every object has a limit in bytes, for what comes over the
wire and for what that decodes to, and a deadline for all attempts together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO, TypeVar
from urllib.parse import unquote

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3 import exceptions as http
from urllib3.util import Url

from tiles.errors import AccessError, Malformed, NotFound, TooLong
from tiles.notes.encoding import encode_base64
from tiles.parallel import SERVER_READS, in_background
from tiles.read.connections import connections
from tiles.read.http_answers import CHUNK, Again, drain, failed, refusal
from tiles.read.http_ranges import SATISFIED, UNSATISFIABLE, asking_for, length_of
from tiles.read.http_stream import PLAIN, stream
from tiles.read.redirects import is_private, is_same_server, redirected
from tiles.read.trouble import too_long
from tiles.retry import Clock, Pauses
from tiles.store import Part
from tiles.store.address import parse_http_url, shown_http_url
from tiles.store.content_encoding import ACCEPTED, decode_all, on_wire_after, times_encoded
from tiles.store.network import Proxy, proxy_for
from tiles.version import __version__

Result = TypeVar("Result")

PAUSES = Pauses(attempts=4, first=0.25, longest=30.0, spread=(0.5, 1.5))  # a longer Retry-After is cut to `longest`
MAX_REDIRECTS = 3

NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}  # Pragma: for caches of HTTP/1.0

_HEADERS = {"Accept-Encoding": ACCEPTED, "User-Agent": f"tiletree/{__version__}"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


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
class _Way:
    """How an object is asked for.

    headers   more of them
    query     what makes the address another one for a cache; "" for the object's own address
    span      the part that is asked for: from where to where; None for the whole
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    span: tuple[int, int] | None = None


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
        return self._fetch(path, limit, _Way())

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole, decoded (ReadsRanges).

        Where a server makes of the request something else than the part or the whole, the whole is asked for.
        """
        until = self._until()
        part = self._get_patiently(path, size, until, _Way(asking_for(start, stop), span=(start, stop)))
        return part or self._get_patiently(path, size, until, _Way()) or Part(0, b"")

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object, past the caches (PastCaches): by asking them to, and if they do not, by another query."""
        try:
            found = self._fetch(path, limit, _Way(NO_CACHE))
            if found != rejected:
                return found
        except (NotFound, TooLong):
            if rejected is not None:
                raise
            found = None
        # The same again, from a cache that ignores what it was asked for, or because the log has nothing else.
        try:
            return self._fetch(path, limit, _Way(NO_CACHE, f"past={self._clock.rng.getrandbits(64):016x}"))
        except AccessError:  # there are servers that refuse a query
            if found is None:
                raise
            return found

    def _fetch(self, path: str, limit: int, way: _Way) -> bytes:
        found = self._get_patiently(path, limit, self._until(), way)
        return b"" if found is None else found.data

    def _until(self) -> float:
        """Return when to give up what begins now."""
        return self._clock.now() + self._patience.whole

    @contextmanager
    def opened(self, path: str, limit: int, seconds: float) -> Iterator[BinaryIO]:
        """Give an object as a stream, in constant memory, with the bytes that the server sends.

        seconds   in which all of it has to come, once an answer has begun
        It is asked for again until an answer begins. Where that breaks off, reading raises AccessError; TooLong where
        there are more than `limit` bytes. Raises as `fetch` does.
        """
        where, until = f"{self.url}/{path}", self._until()
        held, answer = self._patiently(lambda: self._begun(path, where), until, where)
        late = self._clock.now() + seconds
        with held:
            yield stream(answer, limit, where, lambda: self._clock.now() >= late)

    def _begun(self, path: str, where: str) -> tuple[ExitStack, BaseHTTPResponse]:
        """Return an answer that has the object, and what closes it."""
        with ExitStack() as stack:
            answer = stack.enter_context(self._answered(path, _Way(PLAIN), where))
            if answer.status != 200:
                raise refusal(answer, path, where, drain(answer))
            return stack.pop_all(), answer

    def _get_patiently(self, path: str, limit: int, until: float, way: _Way) -> Part | None:
        """Return what `_get` does; a whole object is never None."""
        return self._patiently(lambda: self._get(path, limit, until, way), until, f"{self.url}/{path}")

    def _patiently(self, job: Callable[[], Result], until: float, where: str) -> Result:
        """Return the job's result, after several attempts if need be."""
        attempt = 1
        while True:
            try:
                return self._in_time(job, until, where)
            except Again as again:
                asked = again.pause
                pause = PAUSES.after(attempt, self._clock.rng) if asked is None else min(asked, PAUSES.longest)
                if attempt == PAUSES.attempts or self._clock.now() + pause >= until:
                    tried = f", {attempt} attempts" if attempt > 1 else ""
                    raise AccessError(f"{where}: {again.problem}{tried}", hint=again.hint) from again
            self._clock.sleep(pause)
            attempt += 1

    def _in_time(self, job: Callable[[], Result], until: float, where: str) -> Result:
        """Return what the job returns, or give up on it.

        In a thread of its own, because name look-up, TLS handshake and response headers know no deadline: a server
        that sends a byte now and then would hold its reader for hours.
        """
        try:
            return in_background(job).result(timeout=max(0.0, until - self._clock.now()))
        except TimeoutError:
            raise self._too_late(where) from None

    def _get(self, path: str, limit: int, until: float, way: _Way) -> Part | None:
        """Return an object, or the part that is asked for, after one attempt, redirects included.

        None   the answer is another part, or none, and the whole was not asked for
        """
        where = f"{self.url}/{path}"
        with self._answered(path, way, where) as response:
            if response.status == 200:
                return Part(0, self._body(response, limit, until, where))
            if way.span and response.status == SATISFIED:
                return self._part(response, way.span, limit, until, where)
            beginning = drain(response)
            if way.span and response.status == UNSATISFIABLE:
                return None
            raise refusal(response, path, where, beginning)

    @contextmanager
    def _answered(self, path: str, way: _Way, where: str) -> Iterator[BaseHTTPResponse]:
        """Give the answer to one request, redirects followed, and close it."""
        at = self._base._replace(auth=None, path=f"{(self._base.path or '').rstrip('/')}/{path}")
        if way.query:
            at = at._replace(query="&".join(filter(None, (at.query, way.query))))
        outside = False
        for _ in range(1 + MAX_REDIRECTS):
            try:
                response = self._pool(at, outside=outside).request(
                    "GET", str(at), headers=self._headers(at, way), redirect=False, preload_content=False
                )
                inside = is_private(self._peer(response, at))
                try:
                    if response.status not in _REDIRECTS:
                        yield response
                        return
                    drain(response)
                finally:
                    response.close()
            except http.HTTPError as error:
                raise failed(error, where) from error
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

    def _headers(self, at: Url, way: _Way) -> dict[str, str]:
        headers = {**_HEADERS, **way.headers}
        if self._base.auth and is_same_server(at, self._base):
            headers["Authorization"] = f"Basic {encode_base64(unquote(self._base.auth).encode())}"
        return headers

    def _body(self, response: BaseHTTPResponse, limit: int, until: float, where: str) -> bytes:
        times = times_encoded(response.headers.get("Content-Encoding", ""), where)
        room = on_wire_after(times, limit)
        sent = self._sent(response, room, until, where)
        if len(sent) > room:
            raise too_long(b"" if times else sent, where, limit)
        try:
            data = decode_all(sent, times, limit)
        except Malformed:
            raise Again("the answer broke off, or is not the gzip it says it is") from None
        if len(data) > limit:
            raise too_long(data, where, limit)
        return data

    def _part(
        self, response: BaseHTTPResponse, span: tuple[int, int], size: int, until: float, where: str
    ) -> Part | None:
        """Return the part that was asked for; None if the answer has anything else."""
        if (length := length_of(response.headers, span, size, where)) is None:
            return None
        data = self._sent(response, length, until, where)
        if len(data) < length:
            raise Again("the answer broke off")
        return Part(span[0], data) if len(data) == length else None

    def _sent(self, response: BaseHTTPResponse, room: int, until: float, where: str) -> bytes:
        """Return what is sent; of more than `room` bytes, a little more than these."""
        sent = bytearray()
        while len(sent) <= room and (chunk := response.read1(CHUNK, decode_content=False)):
            sent += chunk
            if self._clock.now() >= until:
                raise self._too_late(where)
        return bytes(sent)

    def _too_late(self, where: str) -> AccessError:
        return AccessError(f"{where}: no whole answer within {self._patience.whole:g} seconds")
