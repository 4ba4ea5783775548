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

# how OpenSSL words it that what comes instead of TLS is something else, by its versions
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")
# what servers that speak TLS answer to a request without it: nginx, Go and Caddy, Apache; others close the connection
_TLS_ONLY = (b"sent to HTTPS port", b"HTTP request to an HTTPS server", b"HTTP to an SSL-enabled server port")
_PLAIN = "http://"  # with which an address begins that is read without TLS
_NAME_HTTPS = "the server speaks https there: name it by https://"
_MAY_BE_HTTPS = "if the server speaks https there, name it by https://"

_REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: ([0-9]{3})")  # as http.client words it
_NOT_ACCEPTED = re.compile(r"certificate verify failed: (.+?)(?: \(_ssl\.c:[0-9]+\))?$")  # as Python's ssl words it
_GONE = frozenset({404, 410})
_BUSY = frozenset({408, 429})


class Again(Exception):
    """An attempt failed, and another one may succeed. pause: seconds that the server asks for, if it does."""

    def __init__(self, problem: str, pause: float | None = None, *, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.pause = pause
        self.hint = hint


def drain(response: BaseHTTPResponse) -> bytes:
    """Read a short answer to its end, so that the connection can be used again; give up on a long one.

    Returns how it begins.
    """
    beginning = chunk = response.read1(CHUNK, decode_content=False)
    for _ in range(3):
        if not chunk:
            break
        chunk = response.read1(CHUNK, decode_content=False)
    return beginning


def refusal(response: BaseHTTPResponse, path: str, where: str, beginning: bytes = b"") -> Exception:
    """Return the error that an answer without the object means. beginning: of its body"""
    status = response.status
    if status == 400 and where.startswith(_PLAIN) and any(sign in beginning for sign in _TLS_ONLY):
        return AccessError(f"{where}: the server takes no http:// there", hint=_NAME_HTTPS)
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
        return _insecure(str(error), where)
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
    # at once, and no answer at all: so do servers that wait for TLS; some send an alert, which is no status line
    is_unanswered = where.startswith(_PLAIN) and "Connection aborted" in str(error)
    return Again("the answer broke off", hint=_MAY_BE_HTTPS if is_unanswered else "")


def _insecure(problem: str, where: str) -> AccessError:
    """Return what it means that TLS did not come about, as OpenSSL words it."""
    if any(sign in problem for sign in _NO_TLS):
        return AccessError(
            f"{where}: no secure connection: the server does not speak https (TLS) there",
            hint="look at host and port; http:// only for a server on your own machine: nothing protects it on the way",
        )
    if found := _NOT_ACCEPTED.search(problem):
        return AccessError(
            f"{where}: no secure connection: the server's certificate is not accepted: {found[1]}",
            hint="of a server whose authority you know, $SSL_CERT_FILE names the certificates; see docs/network.md",
        )
    return AccessError(f"{where}: no secure connection: {problem}")
