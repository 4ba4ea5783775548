"""What it means that an attempt to get an object over HTTP has failed: an answer without it, or an error of urllib3.

Errors of urllib3 are translated here only.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from urllib3 import BaseHTTPResponse
from urllib3 import exceptions as http

from tiles.errors import AccessError, NotFound
from tiles.tree.layout import CHECKPOINT

CHUNK = 1 << 16  # bytes; as much is read of an answer at a time

_REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: ([0-9]{3})")  # as http.client words it
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 429})


class Again(Exception):
    """An attempt failed, and another one may succeed. pause: seconds that the server asks for, if it does."""

    def __init__(self, problem: str, pause: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.pause = pause


def drain(response: BaseHTTPResponse) -> None:
    """Read a short answer to its end, so that the connection can be used again; give up on a long one."""
    for _ in range(4):
        if not response.read1(CHUNK, decode_content=False):
            return


def refusal(response: BaseHTTPResponse, path: str, where: str) -> Exception:
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
        return Again(f"the server answers {status}", _retry_after(response))
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


def failed(error: http.HTTPError, where: str) -> Exception:
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
            return Again(problem)
    return Again("the answer broke off")
