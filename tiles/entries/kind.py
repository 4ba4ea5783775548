"""One kind of entries: the Protocol, and what it is asked about. `kinds` has them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

LEAF = "leaf/1"  # the kind of keys that every entry has one of
SHA256, SHA512 = "sha256/1", "sha512/1"  # of what was logged
NAME = "name/1"  # of the file


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a file after one pass over it.

    sha256   64 lower-case hexadecimal digits
    size     in bytes
    data     all of it; None if it is longer than an entry can be
    name     without folders; None if it has none, or if nobody looks for it
    secrets  gives the blinding secrets with which it may have been logged, when somebody looks for that
    """

    sha256: str
    size: int
    data: bytes | None = field(repr=False)
    name: str | None = None
    secrets: Callable[[], Iterable[bytes]] = field(default=tuple, repr=False, compare=False)


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
        """What every entry of this kind begins with: others are told apart without parsing them."""
        ...

    def make(self, content: Content) -> Iterator[bytes]:
        """Yield the entries as which a file may have been logged, likeliest first; none if it cannot be this kind."""
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
