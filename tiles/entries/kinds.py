"""Kinds of entries: how an entry is made from a file, recognised, shown, and found.

Readers make the forms in which a file may have been logged, in the order of `KINDS`, and say which one matched. Code
that admits, indexes, follows or shows an entry asks the first kind that recognises it; the last kind recognises every
entry. A new kind is one more class in `KINDS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from tiles.entries.file_digest import digest_entry, parse_digest_entry
from tiles.errors import Malformed
from tiles.tree.bundle import MAX_ENTRY_SIZE

_CHUNK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a file after one pass over it.

    sha256   64 lower-case hexadecimal digits
    size     in bytes
    data     all of it; None if it is longer than an entry can be
    """

    sha256: str
    size: int
    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """What an entry is found by: entries with equal keys are found together.

    index   its name and version, such as "sha256/1"
    """

    index: str
    value: bytes


class Kind(Protocol):
    """One kind of entries. All that it says of an entry follows from the entry's bytes, whoever wrote them."""

    @property
    def name(self) -> str:
        """What it is called, as `matched` says in the document of `tiletree verify --json`."""
        ...

    def make(self, content: Content) -> bytes | None:
        """Return the entry of a file; None if a file cannot be logged as this kind."""
        ...

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless the entry is of this kind."""
        ...

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return what there is to say of an entry of this kind, as labels and texts. The texts may be hostile."""
        ...

    def keys(self, entry: bytes) -> list[Key]:
        """Return the keys by which an entry of this kind is found."""
        ...


class FileDigest:
    """The digest entry of a file (`tiles.entries.file_digest`)."""

    name = "file"

    def make(self, content: Content) -> bytes:
        """Return the digest entry."""
        return digest_entry(content.sha256, content.size)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is a digest entry, to the byte."""
        if digest_entry(*parse_digest_entry(entry)) != entry:
            raise Malformed("digest entry", "not in canonical form", entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return digest and size."""
        sha256, size = parse_digest_entry(entry)
        return [("SHA-256", sha256), ("Size", f"{size} bytes")]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the file's digest."""
        return [Key("sha256/1", bytes.fromhex(parse_digest_entry(entry)[0]))]


class Raw:
    """Bytes that were logged as they are: any entry that no other kind knows."""

    name = "raw"

    def make(self, content: Content) -> bytes | None:
        """Return the file's bytes, if they can be an entry."""
        return content.data

    def check(self, entry: bytes) -> None:
        """Raise Malformed for more bytes than an entry can have."""
        if len(entry) > MAX_ENTRY_SIZE:
            raise Malformed("entry", f"{len(entry)} bytes, {MAX_ENTRY_SIZE} is the most")

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return the size."""
        return [("Size", f"{len(entry)} bytes")]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the digest of the bytes, which are the thing that was logged."""
        return [Key("sha256/1", hashlib.sha256(entry).digest())]


KINDS: tuple[Kind, ...] = (FileDigest(), Raw())


def kind_of(entry: bytes) -> Kind:
    """Return the first kind that an entry is of. Raises Malformed for more bytes than an entry can have."""
    for kind in KINDS[:-1]:
        try:
            kind.check(entry)
        except Malformed:
            continue
        return kind
    KINDS[-1].check(entry)
    return KINDS[-1]


def read_content(stream: BinaryIO) -> Content:
    """Return what is left to read of a stream, in one pass and constant memory."""
    start = stream.read(MAX_ENTRY_SIZE + 1)
    hashed = hashlib.sha256(start)
    size = len(start)
    if size > MAX_ENTRY_SIZE:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
    return Content(hashed.hexdigest(), size, start if size <= MAX_ENTRY_SIZE else None)


def forms(content: Content) -> Iterator[tuple[str, bytes]]:
    """Yield the entries as which a file may have been logged, each with the name of its kind, likeliest first."""
    for kind in KINDS:
        if (entry := kind.make(content)) is not None:
            yield kind.name, entry
