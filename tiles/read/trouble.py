"""Whose trouble it is that an object will not do, and at which address it was found.

An answer that is plainly no object of a log, because it is empty or a web page, was sent by something on the way: a
login page, a server that answers every address, a host without the file. It says nothing about the log, so it is an
AccessError. Whatever else will not do is the log's own fault. Only what was refused already is looked at here: nothing
is believed because it looks right.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager

from tiles.errors import AccessError, LogError, Malformed, TooLong, placed

_HEAD = 2048  # bytes that are looked at
_BINARY = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HTML = re.compile(r"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[!?/a-z][^<>]*>", re.IGNORECASE)

_HINT = (
    "something on the way sent it, or a server that answers every address: look at the URL, and open the address in a "
    "browser"
)


def found_instead(data: bytes) -> str:
    """Return what bytes are, in words, if they are plainly no object of a log; "" if they may be one."""
    if not data.strip():
        return "empty"
    head = data[:_HEAD]
    wide = head.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    text = head.decode("utf-16" if wide else "utf-8", "replace").lstrip("\ufeff \t\r\n\f")
    if _BINARY.search(text):
        return ""
    if _HTML.search(text):
        return "a web page (HTML)"
    if _MARKUP.match(text):
        return "an XML document" if text.startswith("<?") else "a web page (HTML)"
    return ""


def no_object(data: bytes, where: str) -> AccessError | None:
    """Return what to raise for an object that was refused if it is plainly none of a log; None if it may be one.

    where   the address at which it was read, without credentials
    """
    found = found_instead(data)
    return AccessError(f"{where} is {found}", hint=_HINT) if found else None


def too_long(beginning: bytes, where: str, limit: int) -> TooLong:
    """Return what to raise for an object of more than `limit` bytes, which may be a web page.

    beginning   its first bytes
    """
    found = found_instead(beginning)
    if beginning and found:
        return TooLong(f"{where} is {found}, longer than {limit} bytes", hint=_HINT)
    return TooLong(f"{where}: longer than {limit} bytes")


@contextmanager
def located(where: str) -> Iterator[None]:
    """Let a LogError raised inside say where the object was read: for a log's own storage, which nothing is before."""
    try:
        yield
    except LogError as error:
        raise placed(error, where, _without_contents(error)) from None


@contextmanager
def judged(data: bytes, where: str) -> Iterator[None]:
    """Let a LogError raised inside say where the object was read; raise AccessError if it is plainly no object."""
    try:
        yield
    except LogError as error:
        if found := no_object(data, where):
            raise found from error
        raise placed(error, where, _without_contents(error)) from None


def _without_contents(error: LogError) -> str:
    return error.plain if isinstance(error, Malformed) else error.message
