"""What is logged for a file: a digest entry, whatever the file's size; docs/entry-formats.md, "Digest entry".

    tiletree/file/v1\\n
    sha256 <64 lower-case hex digits>\\n
    size <decimal number of bytes>\\n
    name <name>\\n                                 only of a named digest entry: "Named digest entry"

So the leaf follows from the file alone, its content is not published, and files of any size can be logged.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO
from unicodedata import normalize

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_decimal, percent_decoded, percent_encoded

TITLE = "tiletree/file/v1"
MAX_NAME_SIZE = 255  # bytes of UTF-8: what file systems allow

_DIGEST_ENTRY = re.compile(rb"tiletree/file/v1\nsha256 ([0-9a-f]{64})\nsize ([0-9]{1,20})\n(?:name ([!-~]+)\n)?")


@dataclass(frozen=True, slots=True)
class DigestEntry:
    """What a digest entry says of a file.

    sha256   64 lower-case hexadecimal digits
    size     in bytes
    name     without folders; None if the entry is not a named one. It may be hostile where it comes from an entry.
    Raises UsageError for a name that no named digest entry can hold.
    """

    sha256: str
    size: int
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            encode_name(self.name)

    @property
    def data(self) -> bytes:
        """The digest entry."""
        name = f"name {encode_name(self.name)}\n" if self.name is not None else ""
        return f"{TITLE}\nsha256 {self.sha256}\nsize {self.size}\n{name}".encode("ascii")

    @property
    def unnamed(self) -> DigestEntry:
        """The same file, without its name."""
        return DigestEntry(self.sha256, self.size)


def digest_entry(sha256: str, size: int) -> bytes:
    """Return the entry of a file of `size` bytes with that SHA-256 in lower-case hex, without a name."""
    return DigestEntry(sha256, size).data


def parse_digest_entry(entry: bytes) -> DigestEntry:
    """Return what a digest entry says. Raises Malformed unless `DigestEntry.data` gives exactly these bytes."""
    match = _DIGEST_ENTRY.fullmatch(entry)
    if not match:
        raise Malformed(TITLE, "the entry is not the digest of a file", entry[:80])
    name = None if match[3] is None else percent_decoded(match[3].decode("ascii"), TITLE)
    try:
        digest = DigestEntry(match[1].decode("ascii"), decode_decimal(match[2].decode("ascii"), TITLE), name)
    except UsageError as error:
        raise Malformed(TITLE, error.message, entry[:80]) from None
    if digest.data != entry:
        raise Malformed(TITLE, "not in canonical form", entry[:80])
    return digest


def name_in(entry: bytes) -> str | None:
    """Return the name in a named digest entry, None for any other entry. It may be hostile."""
    try:
        return parse_digest_entry(entry).name
    except Malformed:
        return None


def spellings(name: str) -> tuple[str, ...]:
    """Return the names by which a file may have been logged: its name as it is, and in Unicode's normal form C."""
    return tuple(dict.fromkeys((name, normalize("NFC", name))))


def encode_name(name: str) -> str:
    """Return a file's name as a named digest entry has it. Raises UsageError for one that no such entry can hold."""
    try:
        data = name.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("the name of the file is not text that UTF-8 can hold") from None
    if not 1 <= len(data) <= MAX_NAME_SIZE:
        raise UsageError(f"a file's name has 1 to {MAX_NAME_SIZE} bytes of UTF-8, not {len(data)}")
    if name in (".", "..") or b"/" in data or b"\0" in data:
        raise UsageError("a file's name has no slash and no zero byte, and is not . or ..")
    return percent_encoded(data)


def file_entry(stream: BinaryIO) -> bytes:
    """Return the digest entry of what is left to read of a stream, in constant memory."""
    hashed = hashlib.sha256()
    size = 0
    while chunk := stream.read(1 << 20):
        hashed.update(chunk)
        size += len(chunk)
    return digest_entry(hashed.hexdigest(), size)
