"""One kind of entries: the Protocol, and the keys by which entries are found. `kinds` has all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tiles.entries.content import Content

# kinds of keys: their names and versions; docs/index-format.md, "Keys"
LEAF = "leaf/1"  # every entry has one
SHA256, SHA512 = "sha256/1", "sha512/1"  # of what was logged
NAME = "name/1"  # of the file
KEY = "key/1"  # SHA-256 of the key that signs
IDENTITY = "identity/1"  # who signed, as the certificate claims
ISSUER = "issuer/1"  # of that identity
SUBJECT = "subject/1"  # the digest of what an attestation is about

SIGNATURE = "signature"  # the kind of entries that are of a signature by SSH, minisign or OpenPGP


@dataclass(frozen=True, slots=True)
class Key:
    """What an entry is found by: entries with equal keys are found together.

    kind    its name and version, such as "sha256/1"; docs/index-format.md, "Keys"
    """

    kind: str
    value: bytes


class Kind(Protocol):
    """One kind of entries. All that it says of an entry follows from the entry's bytes, whoever wrote them."""

    @property
    def name(self) -> str:
        """What it is called, as `matched` says in the document of `tiletree verify --json`."""
        ...

    @property
    def begins(self) -> bytes:
        """What every entry of this kind begins with: others are told apart without parsing them.

        The more it says, the faster it is looked for in many entries.
        """
        ...

    @property
    def found_by(self) -> tuple[str, ...]:
        """The kinds of keys that an entry of this kind may have, besides LEAF."""
        ...

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless the entry is of this kind."""
        ...

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return what there is to say of an entry of this kind, as labels and texts. The texts may be hostile."""
        ...

    def keys(self, entry: bytes) -> list[Key]:
        """Return the keys by which an entry is found. Raises Malformed unless it is of this kind."""
        ...


class FileKind(Kind, Protocol):
    """A kind of entries that are made of a file alone. Others take a signature, or another log."""

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the entries as which a file may have been logged, likeliest first; none if it cannot be this kind."""
        ...
