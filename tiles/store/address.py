"""Addresses of logs and of their parts: which forms there are, what each names, and how each is shown.

    ./log   file:///srv/log                     a directory
    s3://BUCKET/PREFIX?OPTION=…   gs://   az:// a part of a bucket
    https://host/log   http://                  a log behind a server, to be read
    anything else with ://                      what fsspec opens, to be read (tiles.store.fsspec_address)

An address as it was written may hold credentials, in user:password@ or in a query such as ?sig=…. It is given only to
the code that opens it. What is printed, remembered or put into an error is its shown form.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from tiles.errors import UsageError
from tiles.store.fsspec_address import shown_fsspec_url, shown_protocol
from tiles.store.network import DEFAULT_PORTS
from tiles.store.paths import is_path

if TYPE_CHECKING:
    from urllib3.util import Url

_OPTIONS = {
    "s3": ("endpoint", "region", "profile", "path_style", "checksum"),
    "gs": ("endpoint",),
    "az": ("endpoint", "account"),
}
SCHEMES = frozenset(_OPTIONS)  # of object stores
ENDPOINT_VARIABLES = {  # of the environment, where the URL names no endpoint; the first that is set counts
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT",),
}

_BUCKET = re.compile(r"[A-Za-z0-9$._-]{1,255}", re.ASCII)
_OPTION = re.compile(r"[a-z_]{1,30}", re.ASCII)
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._/-]*)?", re.ASCII | re.IGNORECASE)


class Kind(Enum):
    """Who opens an address."""

    DIRECTORY = "directory"
    BUCKET = "bucket"
    HTTP = "http"
    FSSPEC = "fsspec"


def kind_of(address: str) -> Kind:
    """Return which kind of address this is, by its scheme. Whether it is well formed is not checked here."""
    scheme, separator, _ = address.partition("://")
    if not separator or scheme == "file":
        return Kind.DIRECTORY
    scheme = scheme.partition("::")[0].lower()  # of a chain (simplecache::https://…) the scheme of its first link
    if scheme in DEFAULT_PORTS:
        return Kind.HTTP
    return Kind.BUCKET if scheme in SCHEMES else Kind.FSSPEC


def normal_url(address: str) -> str:
    """Return the one form of a log's address that it is remembered by: no credentials, no slash at the end.

    Paths are absolute. Raises UsageError for a malformed path or http(s):// URL.
    """
    kind = kind_of(address)
    if kind is Kind.HTTP:
        return shown_http_url(parse_http_url(address))
    return str(existing_directory_of(address).resolve()) if kind is Kind.DIRECTORY else shown_fsspec_url(address)


def shown_address(address: str) -> str:
    """Return an address as it may be printed: no credentials and no query, whatever was written. Never raises."""
    kind = kind_of(address)
    try:
        if kind is Kind.HTTP:
            return shown_http_url(parse_http_url(address))
        if kind is Kind.BUCKET:
            return parse_object_url(address).shown
    except (UsageError, ModuleNotFoundError):  # verify.pyz runs where there is no urllib3
        pass
    return address if kind is Kind.DIRECTORY and "://" not in address else shown_fsspec_url(address)


def absolute(place: str) -> str:
    """Return a path or URL that means the same wherever it is used."""
    return place if "://" in place else str(existing_directory_of(place).resolve())


# ---- a log that is written to: a directory or a part of a bucket


def name_of(log: str) -> str:
    """Return the one name that a log to write to is remembered by: its URL without options, or its absolute path."""
    return shown_object_url(log) if is_object_url(log) else str(existing_directory_of(log).resolve())


def check_apart(public: str, private: str) -> None:
    """Raise UsageError if one of two parts of a log lies inside the other, or if both are the same place."""
    if is_object_url(public) != is_object_url(private):
        return
    if is_object_url(public):
        inner, outer = f"{shown_object_url(private)}/", f"{shown_object_url(public)}/"
        apart = not (inner.startswith(outer) or outer.startswith(inner))
        private, public = inner, outer
    else:
        within, around = existing_directory_of(private).resolve(), existing_directory_of(public).resolve()
        apart = within != around and around not in within.parents and within not in around.parents
    if not apart:
        raise UsageError(f"{private} and {public}: the private part may not be inside the public one, nor around it")


# ---- directories


def directory_of(address: str) -> Path:
    """Return the directory that a path or file:// URL names. Raises UsageError for any other URL."""
    path = address
    if address.startswith("file://"):
        path = os.fsdecode(unquote_to_bytes(address.removeprefix("file://")))
        if not path.startswith("/"):
            raise UsageError(f"{shown_fsspec_url(address)} does not name an absolute path")
    elif "://" in address:
        raise UsageError(
            f"{shown_protocol(address.partition('://')[0].lower())}:// cannot be written",
            hint="name where the log is kept: a directory, s3://, gs:// or az://; an address only serves to read it",
        )
    if not path or "\0" in path:
        raise UsageError(f"{address!r} names no directory")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{address} names the home directory of a user who is not there") from None


def existing_directory_of(address: str) -> Path:
    """Return the directory that a path or file:// URL names, if it can be followed. Raises UsageError otherwise."""
    try:
        directory = directory_of(address)
        directory.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, ~ of nobody, a zero byte
        raise UsageError(f"{address!r} is not a path") from None
    return directory


def is_line(text: str) -> bool:
    """Whether an address can stand in a line of a text file: not empty, no control characters, and UTF-8."""
    return bool(text) and not any(category(character) in ("Cc", "Cs") for character in text)


def check_place(place: str) -> None:
    """Raise UsageError for a path that is no line of text, so that no file could name it: for places of a new log."""
    path = "" if "://" in place else str(existing_directory_of(place).resolve())
    if path and not is_line(path):
        raise UsageError(
            f"{place!r} has control characters, or bytes that are not UTF-8",
            hint="choose a path that can be remembered and typed",
        )


# ---- buckets


@dataclass(frozen=True, slots=True)
class ObjectUrl:
    """A part of a bucket. prefix: without a slash at either end, "" for all of the bucket; options: by name."""

    scheme: str
    bucket: str
    prefix: str
    options: dict[str, str]

    @property
    def whole(self) -> str:
        """The URL of the whole bucket."""
        return f"{self.scheme}://{self.bucket}"

    @property
    def shown(self) -> str:
        """The URL without options."""
        return f"{self.whole}/{self.prefix}".rstrip("/")


def is_object_url(address: str) -> bool:
    """Tell whether an address is one of an object store."""
    return kind_of(address) is Kind.BUCKET


def parse_object_url(url: str) -> ObjectUrl:
    """Return the parts of a URL of an object store. Raises UsageError, which repeats no part that may be secret."""
    base, _, query = url.partition("?")
    scheme, _, rest = base.partition("://")
    scheme = scheme.lower()
    bucket, _, prefix = rest.partition("/")
    if scheme not in SCHEMES:
        raise UsageError("not a URL of an object store", hint="it begins with s3://, gs:// or az://")
    if "@" in bucket or ":" in bucket:
        raise UsageError(
            f"a {scheme}:// URL names no user, password, host or port",
            hint=f"write {scheme}://BUCKET/PREFIX?endpoint=…; credentials come from the environment",
        )
    prefix = unquote(prefix).strip("/")
    if not _BUCKET.fullmatch(bucket) or "#" in url or (prefix and not is_path(prefix)):
        raise UsageError(f"not {scheme}://BUCKET/PREFIX")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if (query and not options) or (unknown := [name for name in options if name not in _OPTIONS[scheme]]):
        named = repr(unknown[0]) if options and _OPTION.fullmatch(unknown[0]) and f"{unknown[0]}=" in query else "that"
        known = ", ".join(_OPTIONS[scheme])
        raise UsageError(f"{scheme}://{bucket}: {named} is no option", hint=f"these are: {known}")
    if options.get("endpoint"):
        check_endpoint(options["endpoint"])
    return ObjectUrl(scheme, bucket, prefix, options)


def check_endpoint(endpoint: str, named: str = "?endpoint= of the URL") -> str:
    """Return the address of a server. Raises UsageError, which does not repeat it: it may hold a password.

    named   where it was named
    """
    if not _ENDPOINT.fullmatch(endpoint):
        raise UsageError(
            f"{named} is not http(s)://HOST, without user and password",
            hint="such as https://s3.example.com:9000; credentials come from the environment",
        )
    return endpoint.rstrip("/")


def shown_object_url(url: str) -> str:
    """Return the URL of an object store as it is shown: without options. Raises UsageError if it is malformed."""
    return parse_object_url(url).shown


def bucket_of(url: str) -> str:
    """Return the URL of the whole bucket that a URL of an object store names a part of."""
    return parse_object_url(url).whole


def with_suffix(url: str, suffix: str) -> str:
    """Return the URL with something appended to its prefix, its options as they are."""
    base, separator, options = url.partition("?")
    return f"{base.rstrip('/')}{suffix}{separator}{options}"


def options_of(url: str) -> str:
    """Return the options of a URL, with the question mark; "" if it has none."""
    _, separator, options = url.partition("?")
    return separator + options


# ---- servers


def parse_http_url(url: str) -> Url:
    """Return the parts of an http(s):// URL, in normal form. Raises UsageError for any other.

    The message does not repeat the URL: it may hold credentials.
    """
    from urllib3.exceptions import LocationParseError  # slow to import, and needed for logs on servers only
    from urllib3.util import parse_url

    try:
        parsed = parse_url(url)
    except LocationParseError:
        raise UsageError("not an http(s):// URL") from None
    if parsed.scheme not in DEFAULT_PORTS or not parsed.host or not url.isprintable() or " " in url:
        raise UsageError("not an http(s):// URL")
    if parsed.fragment is not None:
        raise UsageError(f"{shown_http_url(parsed)}: the URL of a log has no #fragment")
    return parsed


def shown_http_url(parsed: Url) -> str:
    """Return the URL as it may be shown and remembered: no credentials, query, default port, slash at the end."""
    port = None if parsed.port == DEFAULT_PORTS.get(parsed.scheme or "") else parsed.port
    path = (parsed.path or "").rstrip("/")
    return str(parsed._replace(auth=None, query=None, fragment=None, port=port, path=path))
