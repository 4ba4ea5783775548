"""Blinded entries: what is logged of a file so that only those who are told can know; docs/entry-formats.md.

    tiletree/blind/v1\\n
    sha256 <64 lower-case hex digits: SHA-256("tiletree/blind/v1\\n" ‖ r ‖ digest entry)>\\n

r follows from a secret of the publisher and the file. Whoever has the secret makes the same entry again; nobody else
can link entry and file, not even by guessing the file.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from tiles.entries.file_digest import DigestEntry
from tiles.errors import Malformed, UsageError

TITLE = "tiletree/blind/v1"
SECRET_SIZE = 32  # bytes, of the secret and of r

_ENTRY = re.compile(rb"tiletree/blind/v1\nsha256 ([0-9a-f]{64})\n")


def blinding(secret: bytes, file: DigestEntry) -> bytes:
    """Return r, 32 bytes, for a file. secret: SECRET_SIZE bytes from a cryptographic random source"""
    _check_size(secret, "a blinding secret")
    return hmac.digest(secret, file.unnamed.data, "sha256")


def blinded_entry(r: bytes, file: DigestEntry) -> bytes:
    """Return the blinded entry of a file. r: what `blinding` returns for it"""
    _check_size(r, "the blinding of an entry")
    hashed = hashlib.sha256(f"{TITLE}\n".encode("ascii") + r + file.unnamed.data)
    return f"{TITLE}\nsha256 {hashed.hexdigest()}\n".encode("ascii")


def parse_blinded_entry(entry: bytes) -> str:
    """Return the hash in a blinded entry, in hex; nothing follows from it. Raises Malformed for any other entry."""
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise Malformed(TITLE, "not a blinded entry", entry[:80])
    return match[1].decode("ascii")


def _check_size(data: bytes, what: str) -> None:
    if len(data) != SECRET_SIZE:
        raise UsageError(f"{what} has {SECRET_SIZE} bytes, not {len(data)}")
