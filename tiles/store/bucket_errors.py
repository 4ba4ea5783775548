"""What the errors of obstore mean, in our words: obstore's own texts may hold secrets, and are as long as a page."""

from __future__ import annotations

import re

from obstore import exceptions as answers

from tiles.errors import AccessError, Denied, NotFound
from tiles.store import Unlistable
from tiles.store.address import ENDPOINT_VARIABLES

DENIED = (answers.PermissionDeniedError, answers.UnauthenticatedError)

NO_CONNECTION = "error sending request"  # as Rust's libraries word it

_STATUS = re.compile(r"status code: ([0-9]{3})", re.ASCII)
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>", re.ASCII)
_HOST = re.compile(r"\b(https?)://(?:[^/@\s]*@)?([A-Za-z0-9._:\[\]-]+)(?=[/?#)\s]|$)", re.ASCII)  # no credentials
_ADDRESS = re.compile(r'ConnectError\(\s*"[a-z ]*",\s*([0-9a-fA-F.:\[\]]+:[0-9]+),', re.ASCII)
_DENIED_DELETION = re.compile(r"DeleteObjects request failed for key .*\(code: AccessDenied\)\s*$", re.MULTILINE)
_REGION = re.compile(r"<Region>([a-z]{2,10}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})</Region>", re.ASCII)  # the right one
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_NO_CREDENTIALS = (  # a machine's role was asked for, in vain
    "169.254.169.254",
    "169.254.170.2",
    "/latest/api/token",
    "/latest/meta-data/",
    "/computeMetadata/",
)
_UNSIGNED = (  # what Azure and R2 answer to a request without credentials
    "<Code>PublicAccessNotPermitted</Code>",
    "<Code>InvalidArgument</Code><Message>Authorization</Message>",
)
_ELSEWHERE = "the bucket is in another region"
_PROBLEMS = (  # as Rust's libraries word them
    ("redirect without LOCATION", _ELSEWHERE),
    ("timed out", "no answer in time"),
    ("decoding response body", "the answer broke off"),
    ("request or response body", "the answer broke off"),
)
_UNCONNECTED = (  # why there was no connection, likewise
    ('"dns error"', "the host name cannot be resolved"),
    ("ConnectionRefused", "the connection is refused"),
    ("InvalidContentType", "no secure connection: the server does not speak TLS"),
    ("InvalidCertificate", "no secure connection: the server's certificate is not accepted"),
)

_RIGHTS = {  # of S3, by what was to be done
    "read": "s3:GetObject",
    "create": "s3:PutObject",
    "replace": "s3:PutObject",
    "delete": "s3:DeleteObject",
    "list": "s3:ListBucket",
}
_UNLISTED = "without permission to list, what is absent looks denied too"
_CREDENTIALS = "set them as the store's own tools do: environment variables, a profile, or the machine's role"
_NAME = (
    "delete it with the store's own tools; let each submitter create below inbox/<its name>/ only, or name the "
    "submitters in the admission policy"
)
_EXPIRED = "they have expired: log in again, or let the job fetch new ones"
_CLOCK = "this machine's clock and the store's differ too much: set it right"
_REJECTED = (
    "the store does not accept these credentials: look whether they are of this account, complete, and not expired, "
    "and whether region and endpoint are right"
)
_HINTS = {  # by the code of the answer
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "TokenExpired"), _EXPIRED),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"), _CLOCK),
    **dict.fromkeys(
        (
            "AuthenticationFailed",
            "AuthenticationRequired",
            "InvalidAccessKeyId",
            "InvalidAuthenticationInfo",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        _REJECTED,
    ),
}
_TIMES = ("Request date header too old", "not within the specified time frame", "Signature not valid in the specified")
_BUCKET = "make it first, or look at its name and region"
_BAD_REGION = frozenset({"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"})


def status(error: Exception) -> str:
    """Return the HTTP status of the answer that an error is about; "" if there was none."""
    match = _STATUS.search(str(error))
    return match[1] if match else ""


def is_nowhere(error: Exception) -> bool:
    """Whether there is no such bucket, or container."""
    return _code(error) in _NO_BUCKET


def trouble(url: str, what: str, path: str, error: Exception) -> AccessError:
    """Return our error for one of obstore's, raised by `what` ("read") done to a path of the store at `url`."""
    where = f"{url}/{path}"
    if isinstance(error, AccessError):
        return error
    if isinstance(error, answers.InvalidPathError):
        return Unlistable(f"{where}: something below it has a name that stops the listing", hint=_NAME)
    if is_nowhere(error):
        # a reader would take NotFound to mean that only this object is not there, and that nothing is wrong
        kind = NotFound if what == "create" else AccessError
        return kind(f"{url}: there is no such bucket", hint=_BUCKET)
    text = str(error)
    if any(sign in text for sign in _NO_CREDENTIALS):
        return AccessError(f"{url}: no credentials were found", hint=_CREDENTIALS)
    if _is_denied(error):
        hint = _credentials_hint(error) or _permission(url, what)
        return Denied(f"{where}: not allowed to {what} it ({_shown(error) or 'denied'})", hint=hint)
    if shown := _shown(error):
        hint = _credentials_hint(error) or _region(error)
        return AccessError(f"{where}: cannot {what} it: the store answers {shown}", hint=hint)
    if (problem := _first(_PROBLEMS, text)) or NO_CONNECTION not in text:
        hint = _region(error) if problem == _ELSEWHERE else ""
        return AccessError(f"{where}: cannot {what} it: {problem or type(error).__name__}{_endpoint(text)}", hint=hint)
    problem = _first(_UNCONNECTED, text) or "no connection"
    return AccessError(f"{where}: cannot {what} it: {problem}{_endpoint(text)}", hint=_way(url))


def _first(table: tuple[tuple[str, str], ...], text: str) -> str:
    """Return our words for the first sign of a table that is in a text; "" if none is."""
    return next((ours for theirs, ours in table if theirs in text), "")


def _is_denied(error: Exception) -> bool:
    """Whether the store understood what was asked, and does not let these credentials do it."""
    text = str(error)
    return (
        isinstance(error, DENIED)
        or status(error) in ("401", "403")
        or any(sign in text for sign in _UNSIGNED)
        or _DENIED_DELETION.search(text) is not None  # S3 answers 200 to a request that deletes many, and denies each
    )


def _permission(url: str, what: str) -> str:
    """Return what to do about credentials that may not do it."""
    if url.startswith("s3://"):
        hint = f"the credentials need {_RIGHTS[what]} there; docs/storage.md#who-may-do-what has all rights"
    else:
        hint = "look at what the credentials are allowed to; docs/storage.md#who-may-do-what has all rights"
    return f"{hint}; {_UNLISTED}" if what == "read" else hint


def _region(error: Exception) -> str:
    """Return what to do where the bucket is in another region than the request was signed for; "" otherwise."""
    text = str(error)
    if not (_code(error) in _BAD_REGION or _ELSEWHERE in _first(_PROBLEMS, text)):
        return ""
    named = _REGION.search(text)
    region = f"the store names {named[1]}: " if named else ""
    return f"{region}set the bucket's region, by ?region= in the URL or by $AWS_REGION"


def _way(url: str) -> str:
    """Return what to do where a server cannot be reached."""
    variables = " or ".join(f"${name}" for name in ENDPOINT_VARIABLES[url.partition("://")[0]])
    return (
        f"look at the endpoint, which is ?endpoint= in the URL, {variables}, or the store's own; docs/network.md has "
        "proxies and certificates"
    )


def _endpoint(text: str) -> str:
    """Return which server an error is about, as far as it says: without path, query and credentials."""
    if host := _HOST.search(text):
        return f", at {host[1]}://{host[2]}"
    address = _ADDRESS.search(text)  # of Azure, whose URLs are left out because they may hold a token
    return f", at {address[1]}" if address else ""


def _credentials_hint(error: Exception) -> str:
    """Return what to do about credentials that the store did not accept; "" if it knew them, as far as it says."""
    if any(sign in str(error) for sign in _TIMES):
        return f"{_EXPIRED}; or {_CLOCK}"
    return _HINTS.get(_code(error), _REJECTED if status(error) == "401" else "")


def _code(error: Exception) -> str:
    match = _CODE.search(str(error))
    return match[1] if match else ""


def _shown(error: Exception) -> str:
    return " ".join(filter(None, (status(error), _code(error))))
