"""Statements of a log about its keys, and the keys that they are about."""

from __future__ import annotations

from tiles.notes.key_change import ADD, RETIRE, KeyChange, sign_key_change
from tiles.notes.keys import SeedKey, SignatureType, signing_key
from tiles.tree.merkle import Hash, TreeHead

NAME = "example.com/log"
A, B, C, THIEF = (signing_key(NAME, bytes([n]) * 32) for n in (1, 2, 3, 4))
PQ = signing_key(NAME, b"\x05" * 32, SignatureType.MLDSA44)


def statement(number: int, action: str, key: SeedKey, *before: SeedKey, by: list[SeedKey]) -> bytes:
    """Return a signed statement about a log of as many entries."""
    tree = TreeHead(number, Hash(bytes(32)))
    said = KeyChange(number, action, key.verifier, tree, tuple(each.verifier for each in before))
    return sign_key_change(said, by).data


HISTORY = {
    "keys/0": statement(0, ADD, B, A, by=[A, B]),
    "keys/1": statement(1, RETIRE, A, A, B, by=[A, B]),
    "keys/2": statement(2, ADD, C, B, by=[B, C]),
}
