"""The optional native part, compiled (`native/`, tiletree-native): hashing, encoding entries, sorting records, Ed25519.

Pure Python is the default and the reference: every function here gives the same bytes as the code that stands in for
it in `tiles.tree` and `tiles.index`, and the same verdict as that in `tiles.notes.public_keys`. These alone call them.
They let other threads run meanwhile. TILETREE_NATIVE=0 leaves the native part unused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

VARIABLE = "TILETREE_NATIVE"  # 0: leave the native part unused, though it is installed

_INTERFACE = 3  # what the native part says of itself, if it has the functions below


class Ed25519Key(Protocol):
    """A public key."""

    def has_signed(self, message: bytes, signature: bytes, /) -> bool:
        """Return whether an Ed25519 signature over a message is right; False for any of another length."""
        ...


class Compiled(Protocol):
    """What the native part does. Hashes are flat: one after the other, 32 bytes each."""

    def leaf_hashes(self, entries: list[bytes], /) -> bytes:
        """Return the leaf hashes of entries."""
        ...

    def bundle_leaves(self, bundle: bytes, width: int, /) -> bytes:
        """Return the leaf hashes of a bundle. Raises ValueError unless it has `width` entries, and nothing else."""
        ...

    def parents(self, hashes: bytes, /) -> bytes:
        """Return the nodes one height above pairs of neighbours; an odd last hash is left out."""
        ...

    def encode(self, entries: list[bytes], first: int, /) -> tuple[Sequence[bytes], bytes]:
        """Return entries as bundles hold them, cut before entry `first` and every 256 after it; and their leaf hashes.

        Raises ValueError for an entry over 65,535 bytes.
        """
        ...

    def leaf_records(self, leaves: bytes, first: int, /) -> bytes:
        """Return the records by which an index finds entries by their leaf hashes. first: the index of the first"""
        ...

    def sorted_records(self, parts: list[bytes], low: int, high: int, /) -> bytes:
        """Return the records of several parts, 16 bytes each, sorted; it takes less time if each part is sorted.

        low, high   only those whose first byte is one of these, or between them
        """
        ...

    def node_above(self, node: bytes, siblings: list[bytes], sides: list[bool], /) -> bytes:
        """Return the node that the way up from another one leads to. sides: whether each sibling stands left."""
        ...

    def root(self, hashes: bytes, /) -> bytes:
        """Return the node above 2^k neighbouring nodes."""
        ...

    def agreed_roots(self, bundles: list[bytes], tiles: list[bytes], /) -> list[bytes | None]:
        """Return the hash of each tile that is full, and has the leaf hashes of the bundle in its place; else None."""
        ...

    def Ed25519Key(self, public: bytes, /) -> Ed25519Key:  # noqa: N802  it is a class there
        """Return the key that 32 bytes encode. Raises ValueError for other bytes."""
        ...


def _found() -> Compiled | None:
    if os.environ.get(VARIABLE) == "0":
        return None
    try:
        module = import_module("tiletree_native")
    except ImportError:
        return None
    return cast("Compiled", module) if getattr(module, "INTERFACE", None) == _INTERFACE else None


compiled = _found()
