"""The encodings that all text formats here are made of, each accepted in one form only.

`int()`, `strip()` and `a2b_base64()` accept many spellings of one value, but a signature is over one
spelling. So everything is decoded, encoded again and compared.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64

from tiles.errors import Malformed
from tiles.tree.merkle import MAX_TREE_SIZE

# signed-note "Format": "MUST NOT contain any ASCII control characters (those below U+0020) other than newline"
_CONTROL = bytes(code for code in range(0x20) if code != 0x0A)
_MAX_DIGITS = 19  # which hold 2^63 - 1
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = rb"%([0-9A-F]{2})"


def decode_text(data: bytes, what: str) -> str:
    """Return data as text. Raises Malformed unless it is UTF-8 without control characters other than newline."""
    data = bytes(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(what, f"not UTF-8 at byte {error.start}", data[error.start : error.end]) from None
    if len(data.translate(None, _CONTROL)) != len(data):  # ten times as fast as a regular expression
        raise Malformed(what, "control character", _controls(text)[0])
    return text


def _controls(text: str) -> list[str]:
    """Return the control characters in a text, except newlines."""
    return [each for each in text if each < " " and each != "\n"]


def is_line(text: str) -> bool:
    """Whether text can stand as a line of its own: not empty, no control character, nothing UTF-8 cannot encode."""
    if text.isprintable():  # which no control character and no surrogate is, and almost every line
        return bool(text)
    return "\n" not in text and not _controls(text) and not any("\ud800" <= each <= "\udfff" for each in text)


def encode_base64(data: bytes) -> str:
    """Return data in base64 (RFC 4648 section 4), padded."""
    return b2a_base64(data, newline=False).decode("ascii")


def base64_or_none(text: str) -> bytes | None:
    """Return what `text` encodes; None if `encode_base64` does not print it. For secrets: no error shows the text."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if encode_base64(data) == text else None


def decode_base64(text: str, what: str) -> bytes:
    """Return what `text` encodes. Raises Malformed unless it is exactly what `encode_base64` prints."""
    data = base64_or_none(text)
    if data is None:
        raise Malformed(what, "not canonical base64", text)
    return data


def decode_decimal(text: str, what: str, *, maximum: int = MAX_TREE_SIZE) -> int:
    """Return the number 0 ≤ n ≤ maximum ≤ MAX_TREE_SIZE that `text` is: ASCII digits, no sign, no leading zero.

    Raises Malformed for anything else.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and (text == "0" or text[0] != "0")):
        raise Malformed(what, "not a decimal number without sign and leading zeros", text)
    number = int(text)
    if number > maximum:
        raise Malformed(what, f"number above {maximum}", text)
    return number


def percent_encoded(data: bytes) -> str:
    """Return bytes that may be anything as a word: `A-Za-z0-9-._~` as they are, every other one as %XX."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in data)


def percent_decoded(text: str, what: str) -> str:
    """Return the UTF-8 text that ASCII stands for once each %XX is a byte. The caller encodes it again and compares.

    Raises Malformed for bytes that are no UTF-8.
    """
    try:
        return re.sub(_ESCAPE, lambda found: bytes([int(found[1], 16)]), text.encode("ascii")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(what, f"not UTF-8 at byte {error.start}", text[:80]) from None
