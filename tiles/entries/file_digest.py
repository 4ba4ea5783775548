"""What is logged for a file: a digest entry, exactly these bytes, whatever the file's size.

    tiletree/file/v1\\n
    sha256 <64 lower-case hex digits>\\n
    size <decimal number of bytes>\\n

So the leaf follows from the file alone, its content is not published, and files of any size can be logged.
"""

from __future__ import annotations

import hashlib
import re
from typing import BinaryIO

from tiles.errors import Malformed
from tiles.notes.encoding import decode_decimal

TITLE = "tiletree/file/v1"

_DIGEST_ENTRY = re.compile(rb"tiletree/file/v1\nsha256 ([0-9a-f]{64})\nsize ([0-9]{1,20})\n")


def digest_entry(sha256: str, size: int) -> bytes:
    """Return the entry of a file of `size` bytes with that SHA-256 in lower-case hex."""
    return f"{TITLE}\nsha256 {sha256}\nsize {size}\n".encode("ascii")


def parse_digest_entry(entry: bytes) -> tuple[str, int]:
    """Return SHA-256, in hex, and size of a digest entry's file. Raises Malformed for any other entry."""
    match = _DIGEST_ENTRY.fullmatch(entry)
    if not match:
        raise Malformed(TITLE, "the entry is not the digest of a file", entry[:80])
    return match[1].decode("ascii"), decode_decimal(match[2].decode("ascii"), TITLE)


def file_entry(stream: BinaryIO) -> bytes:
    """Return the digest entry of what is left to read of a stream, in constant memory."""
    hashed = hashlib.sha256()
    size = 0
    while chunk := stream.read(1 << 20):
        hashed.update(chunk)
        size += len(chunk)
    return digest_entry(hashed.hexdigest(), size)
