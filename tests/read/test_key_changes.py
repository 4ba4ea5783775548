"""What a reader takes for the log's statements about its keys."""

from __future__ import annotations

import pytest

from tiles.errors import LogError
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.cosignature import sign_by_all
from tiles.notes.key_change import ADD, RETIRE, KeyChange, sign_key_change
from tiles.notes.keys import SeedKey, SignatureType, VerifierKey, signing_key
from tiles.read.key_changes import key_changes, keys_in_use
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead

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


def found(objects: dict[str, bytes], *keys: VerifierKey) -> list[str]:
    """Return what was found, in short."""
    store = MemoryStore()
    store.create(objects)
    return [f"{said.action} {said.key}" for said in key_changes(StoreFetcher(store), keys)]


def test_the_history_follows_from_each_key() -> None:
    """Whichever Ed25519 key is known, all statements that lead from it are found, in order."""
    every = [f"add {B.verifier}", f"retire {A.verifier}", f"add {C.verifier}"]
    assert found(HISTORY, A.verifier) == every
    assert found(HISTORY, B.verifier) == every
    assert found(HISTORY, C.verifier) == every  # back from the newest, as well
    assert found({}, A.verifier) == []


def test_what_no_known_key_has_signed() -> None:
    """A stranger's statement is left out; a reader of the ML-DSA-44 key alone can verify none."""
    forged = {**HISTORY, "keys/1": statement(1, ADD, THIEF, A, by=[THIEF])}
    assert found(forged, A.verifier) == [f"add {B.verifier}", f"add {C.verifier}"]
    assert found(HISTORY, PQ.verifier) == []


@pytest.mark.parametrize("data", [b"junk", HISTORY["keys/0"], HISTORY["keys/1"].replace(b"\n1\nretire", b"\n1\nadd")])
def test_what_is_wrong(data: bytes) -> None:
    """What is no statement, has another number, or a wrong signature, is the log's fault."""
    with pytest.raises(LogError):
        found({**HISTORY, "keys/1": data}, A.verifier)


def test_keys_in_use() -> None:
    """Of the keys on a checkpoint, those that were not retired; texts are signed by the first."""
    store = MemoryStore()
    store.create(HISTORY)
    note = sign_by_all(Checkpoint(NAME, EMPTY_TREE), [PQ, A, B]).note
    held = [each.verifier for each in (PQ, A, B, C)]
    assert keys_in_use(store, note, held) == [B.verifier.vkey, PQ.verifier.vkey]
