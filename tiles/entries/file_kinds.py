"""The kinds of entries that are made of files: as which entries a file may have been logged.

Readers make the forms in which a file may have been logged, in the order of `forms`, and say which one matched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from tiles.entries import blinded, file_digest
from tiles.entries.blinded import blinded_entry, blinding, parse_blinded_entry
from tiles.entries.content import Content
from tiles.entries.file_digest import DigestEntry, parse_digest_entry, spellings
from tiles.entries.kind import NAME, SHA256, SHA512, SUBJECT, FileKind, Key
from tiles.errors import Malformed, UsageError
from tiles.tree.bundle import MAX_ENTRY_SIZE

DIGESTS = {SHA256: hashlib.sha256, SHA512: hashlib.sha512}  # by which an entry is found that is of no other kind


def digest_keys(entry: bytes) -> list[Key]:
    """Return the keys of an entry that is itself the thing that was logged: the digests of its bytes."""
    return [Key(kind, digest(entry).digest()) for kind, digest in DIGESTS.items()]


class FileDigest:
    """The digest entry of a file (`tiles.entries.file_digest`), with its name or without."""

    name = "file"
    begins = f"{file_digest.TITLE}\n".encode()
    found_by = (SHA256, NAME)

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
    found_by = ()

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
    found_by = (SHA256, SHA512, SUBJECT)

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the file's bytes, if they can be an entry; in a log of certificates one can have more than in ours."""
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
        from tiles.entries.subjects import subjects_in  # as slow, and not for who only makes entries

        return [*digest_keys(entry), *(Key(SUBJECT, value) for value in subjects_in(entry))]


_FILE_KINDS: tuple[FileKind, ...] = (FileDigest(), Raw(), Blinded())


def forms(content: Content) -> Iterator[tuple[str, bytes]]:
    """Yield the entries as which a file may have been logged, each with the name of its kind, likeliest first.

    The blinded ones come last: a secret that cannot be read keeps nobody from finding what was logged without one.
    """
    for kind in _FILE_KINDS:
        for entry in kind.make(content):
            yield kind.name, entry
