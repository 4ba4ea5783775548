"""What the errors of obstore mean, in our words: obstore's own texts may hold secrets, and are as long as a page."""

from __future__ import annotations

import re

from obstore import exceptions as answers

from tiles.errors import AccessError, Denied, NotFound
from tiles.store import Unlistable

DENIED = (answers.PermissionDeniedError, answers.UnauthenticatedError)

NO_CONNECTION = "error sending request"  # as Rust's libraries word it

_STATUS = re.compile(r"status code: ([0-9]{3})", re.ASCII)
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>", re.ASCII)
_HOST = re.compile(r"\b(https?)://(?:[^/@\s]*@)?([A-Za-z0-9._:\[\]-]+)(?=[/?#)\s]|$)", re.ASCII)  # no credentials
_ADDRESS = re.compile(r'ConnectError\(\s*"[a-z ]*",\s*([0-9a-fA-F.:\[\]]+:[0-9]+),', re.ASCII)
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
_PROBLEMS = (  # as Rust's libraries word them
    ("redirect without LOCATION", "the bucket is in another region"),
    ("timed out", "no answer in time"),
    (NO_CONNECTION, "no connection"),
    ("decoding response body", "the answer broke off"),
    ("request or response body", "the answer broke off"),
)

_PERMISSION = "look at what the credentials are allowed to; without permission to list, what is absent looks denied too"
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
    if isinstance(error, DENIED) or status(error) in ("401", "403") or any(sign in text for sign in _UNSIGNED):
        hint = _credentials_hint(error) or _PERMISSION
        return Denied(f"{where}: not allowed to {what} it ({_shown(error) or 'denied'})", hint=hint)
    if shown := _shown(error):
        return AccessError(f"{where}: cannot {what} it: the store answers {shown}", hint=_credentials_hint(error))
    problem = next((ours for theirs, ours in _PROBLEMS if theirs in text), type(error).__name__)
    return AccessError(f"{where}: cannot {what} it: {problem}{_endpoint(text)}")


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
