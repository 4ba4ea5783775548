"""Kinds of entries: how an entry is made from a file, recognised, shown, and found.

Readers make the forms in which a file may have been logged, in the order of `forms`, and say which one matched. Code
that admits, indexes, follows or shows an entry asks the first kind that recognises it; the last kind recognises every
entry. A new kind is one more class in `KINDS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from tiles.entries import blinded, file_digest
from tiles.entries.blinded import blinded_entry, blinding, parse_blinded_entry
from tiles.entries.file_digest import DigestEntry, parse_digest_entry, spellings
from tiles.entries.kind import LEAF as LEAF
from tiles.entries.kind import NAME as NAME
from tiles.entries.kind import SHA256 as SHA256
from tiles.entries.kind import SHA512 as SHA512
from tiles.entries.kind import Content as Content
from tiles.entries.kind import Key as Key
from tiles.entries.kind import Kind as Kind
from tiles.entries.signed_kinds import Rekor as Rekor
from tiles.entries.signed_kinds import Revoked as Revoked
from tiles.entries.signed_kinds import Signature as Signature
from tiles.entries.subjects import SUBJECT, subjects_in
from tiles.errors import Malformed, UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash

_DIGESTS = {SHA256: hashlib.sha256, SHA512: hashlib.sha512}
_CHUNK = 1 << 20  # bytes read at a time


class FileDigest:
    """The digest entry of a file (`tiles.entries.file_digest`), with its name or without."""

    name = "file"
    begins = f"{file_digest.TITLE}\n".encode()

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the digest entry, then the named ones: the name as it is, and in Unicode's normal form C."""
        plain = DigestEntry(content.sha256, content.size)
        yield plain.data
        for name in spellings(content.name) if content.name else ():
            with suppress(UsageError):  # no file of that name was logged by its name
                yield replace(plain, name=name).data

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is a digest entry, to the byte."""
        parse_digest_entry(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return digest, size and name."""
        found = parse_digest_entry(entry)
        name = [("Name", found.name)] if found.name is not None else []
        return [("SHA-256", found.sha256), ("Size", f"{found.size} bytes"), *name]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the file's digest, and its name."""
        found = parse_digest_entry(entry)
        name = [Key(NAME, found.name.encode("utf-8"))] if found.name is not None else []
        return [Key(SHA256, bytes.fromhex(found.sha256)), *name]


class Blinded:
    """A blinded entry (`tiles.entries.blinded`): only those who are told know of which file."""

    name = "blinded"
    begins = f"{blinded.TITLE}\n".encode()

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the blinded entry for each secret; without one, it takes what a proof file says."""
        file = DigestEntry(content.sha256, content.size)
        for secret in content.secrets():
            yield blinded_entry(blinding(secret, file), file)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is a blinded entry, to the byte."""
        parse_blinded_entry(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return its hash."""
        return [("Blinded", parse_blinded_entry(entry))]

    def keys(self, entry: bytes) -> list[Key]:
        """Return nothing: whoever can make the entry knows its leaf hash."""
        parse_blinded_entry(entry)
        return []


class Raw:
    """Bytes that were logged as they are: any entry that no other kind knows."""

    name = "raw"
    begins = b""

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the file's bytes, if they can be an entry."""
        if content.data is not None:
            yield content.data

    def check(self, entry: bytes) -> None:
        """Raise Malformed for more bytes than an entry can have."""
        if len(entry) > MAX_ENTRY_SIZE:
            raise Malformed("entry", f"{len(entry)} bytes, {MAX_ENTRY_SIZE} is the most")

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return the size, and what an entry of Rekor says that is of a kind which nobody writes any more."""
        from tiles.sigstore.body import describe_body  # which few need, and is slow to import

        return [*describe_body(entry), ("Size", f"{len(entry)} bytes")]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the digests of the bytes, which are the thing that was logged, and what an attestation is about."""
        digests = [Key(kind, digest(entry).digest()) for kind, digest in _DIGESTS.items()]
        return [*digests, *(Key(SUBJECT, value) for value in subjects_in(entry))]


KINDS: tuple[Kind, ...] = (FileDigest(), Blinded(), Rekor(), Revoked(), Signature(), Raw())

_BEGINNINGS = tuple(kind.begins for kind in KINDS[:-1])  # an entry with none of these is raw


def kind_of(entry: bytes) -> Kind:
    """Return the first kind that an entry is of. Raises Malformed for more bytes than an entry can have."""
    for kind in KINDS[:-1]:
        if entry.startswith(kind.begins):
            with suppress(Malformed):
                kind.check(entry)
                return kind
    KINDS[-1].check(entry)
    return KINDS[-1]


def keys_of(entry: bytes) -> list[Key]:
    """Return all keys that count of an entry, each once. Raises Malformed for more bytes than an entry can have."""
    return [Key(LEAF, leaf_hash(entry)), *kind_of(entry).keys(entry)]


def values_of(kind: str, entry: bytes) -> list[bytes]:
    """Return the values of the keys of one kind that an entry has, as `keys_of` does, and compute no others."""
    if kind == LEAF:
        return [leaf_hash(entry)]
    if not entry.startswith(_BEGINNINGS):
        digest = _DIGESTS.get(kind)
        if digest is None:
            return subjects_in(entry) if kind == SUBJECT else []
        return [digest(entry).digest()]
    for each in KINDS:
        if entry.startswith(each.begins):
            with suppress(Malformed):
                return [key.value for key in each.keys(entry) if key.kind == kind]
    return []


def read_content(stream: BinaryIO, name: str | None = None) -> Content:
    """Return what is left to read of a stream, in one pass and constant memory. name: of the file, if it has one"""
    start = stream.read(MAX_ENTRY_SIZE + 1)
    hashed = hashlib.sha256(start)
    size = len(start)
    if size > MAX_ENTRY_SIZE:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
    return Content(hashed.hexdigest(), size, start if size <= MAX_ENTRY_SIZE else None, name)


def forms(content: Content) -> Iterator[tuple[str, bytes]]:
    """Yield the entries as which a file may have been logged, each with the name of its kind, likeliest first.

    The blinded ones come last: a secret that cannot be read keeps nobody from finding what was logged without one.
    """
    for kind in sorted(KINDS, key=lambda kind: kind.name == Blinded.name):
        for entry in kind.make(content):
            yield kind.name, entry
