"""Keeping endorsements: once for each size, whoever runs at the same time, and wherever a run dies."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.endorsing import (
    OTHER,
    POLICY,
    PUBLIC,
    PUBLIC_POLICY,
    checkpoint_of,
    entry_of,
    private_log,
    proof_of,
    stated,
)
from tiles.errors import AccessError, LogError, NotFound, OutcomeUnknown, Refused, SignatureError
from tiles.notes.tlog_proof import TlogProof
from tiles.records.paths import endorsed_path, newest_endorsed_path
from tiles.store import Object, Version
from tiles.store.memory import MemoryStore
from tiles.upkeep.endorse import KeptEndorsements

SIZES = (3, 300)
LOGS = {size: private_log(size) for size in SIZES}
PROOFS = {size: proof_of(entry_of(LOGS[size])) for size in SIZES}
NEWEST = newest_endorsed_path(PUBLIC.name)


def path(size: int) -> str:
    """Return where the endorsement of a size is kept."""
    return endorsed_path(PUBLIC.name, size)


def keeping(store: MemoryStore) -> KeptEndorsements:
    """Return what keeps endorsements in a store."""
    return KeptEndorsements(store, PUBLIC_POLICY, POLICY, PUBLIC.name)


def objects(store: MemoryStore) -> dict[str, bytes]:
    """Return all that a store has."""
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


def test_kept_and_found() -> None:
    """Each size has a proof, and readers find the largest."""
    kept = keeping(store := MemoryStore())
    assert kept.find(3) is None
    for size in SIZES:
        assert kept.keep(PROOFS[size])[0] == PROOFS[size]
    assert objects(store) == {path(3): PROOFS[3].data, path(300): PROOFS[300].data, NEWEST: PROOFS[300].data}
    found = kept.find(3)
    assert found is not None
    assert found[1].tree.signed == checkpoint_of(LOGS[3])


def test_never_to_a_smaller_one() -> None:
    """A run that was late does not take readers back."""
    kept = keeping(store := MemoryStore())
    for size in (300, 3):
        kept.keep(PROOFS[size])
    assert store.read(NEWEST).data == PROOFS[300].data
    newest = kept.newest()
    assert newest is not None
    assert newest.tree.signed.tree.size == 300


def test_once_for_each_size() -> None:
    """The proof that was kept first stays: later ones, in larger trees of the public log, show nothing more."""
    kept = keeping(store := MemoryStore())
    kept.keep(PROOFS[3])
    later = proof_of(entry_of(LOGS[3]), b"a", b"b")
    assert kept.keep(later)[0] == PROOFS[3]
    assert objects(store) == {path(3): PROOFS[3].data, NEWEST: PROOFS[3].data}


@pytest.mark.parametrize(
    "proof",
    [proof_of(b"raw"), proof_of(stated(checkpoint_of(LOGS[3]).tree, OTHER)), TlogProof(7, (), PROOFS[3].checkpoint)],
)
def test_nothing_is_kept_that_does_not_verify(proof: TlogProof) -> None:
    """It is verified before anything is written."""
    with pytest.raises(LogError):
        keeping(store := MemoryStore()).keep(proof)
    assert objects(store) == {}


@pytest.mark.parametrize("data", [b"", b"garbage", PROOFS[300].data, proof_of(b"raw").data])
def test_something_else_in_its_place(data: bytes) -> None:
    """Objects that are written once are not replaced: it is said, and nothing is changed."""
    store = MemoryStore()
    store.create({path(3): data})
    for call in (lambda: keeping(store).find(3), lambda: keeping(store).keep(PROOFS[3])):
        with pytest.raises(Refused):
            call()
    assert objects(store) == {path(3): data}


@pytest.mark.parametrize("data", [b"", b"garbage", proof_of(stated(checkpoint_of(LOGS[300]).tree, OTHER)).data])
def test_a_newest_that_is_none(data: bytes) -> None:
    """It is a copy, so whatever stands there is replaced by what was kept."""
    store = MemoryStore()
    store.swap(NEWEST, data, None)
    assert keeping(store).newest() is None
    keeping(store).keep(PROOFS[3])
    assert store.read(NEWEST).data == PROOFS[3].data


class Dying(MemoryStore):
    """A store in which the run dies at one write: before it, or after it."""

    def __init__(self, at: int, *, done: bool) -> None:
        super().__init__()
        self.left = at
        self.done = done

    def _die(self) -> bool:
        self.left -= 1
        return self.left == 0

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create objects, or die."""
        if (dies := self._die()) and not self.done:
            raise KeyboardInterrupt
        super().create(objects)
        if dies:
            raise KeyboardInterrupt

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap an object, or die."""
        if (dies := self._die()) and not self.done:
            raise KeyboardInterrupt
        version = super().swap(path, data, expected)
        if dies:
            raise KeyboardInterrupt
        return version


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_the_next_run_finishes(at: int, done: bool) -> None:
    """Wherever a run dies, the next one ends where it would have."""
    store = Dying(at, done=done)
    with pytest.raises(KeyboardInterrupt):
        keeping(store).keep(PROOFS[3])
    later = proof_of(entry_of(LOGS[3]), b"a")
    kept = keeping(store).keep(later)[0]
    assert objects(store) == {path(3): kept.data, NEWEST: kept.data}
    assert kept == (later if (at, done) == (1, False) else PROOFS[3])


class Racing(MemoryStore):
    """A store in which another run is always first by a step; an answer of a swap is lost once."""

    def __init__(self) -> None:
        super().__init__()
        self.others = [PROOFS[300]]
        self.lost = 1

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create an object that another run has created just before."""
        super().create({path(3): PROOFS[3].data})
        super().create(objects)

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap after somebody else, or lose the answer."""
        if self.others and path == NEWEST:
            super().swap(path, self.others.pop().data, expected)
        version = super().swap(path, data, expected)
        if self.lost:
            self.lost -= 1
            raise OutcomeUnknown("lost")
        return version


def test_two_runs() -> None:
    """Who comes second takes what the first has kept, and does not take readers back."""
    store = Racing()
    assert keeping(store).keep(proof_of(entry_of(LOGS[3]), b"a"))[0] == PROOFS[3]
    assert store.read(NEWEST).data == PROOFS[300].data
    store = Racing()
    store.others.clear()
    keeping(store).keep(PROOFS[3])
    assert (store.read(NEWEST).data, store.lost) == (PROOFS[3].data, 0)


class Broken(MemoryStore):
    """A store that cannot be read."""

    def read(self, path: str, limit: int | None = None) -> Object:
        """Fail."""
        raise AccessError(f"{path} cannot be read, not even {limit} bytes")


def test_errors_of_a_store_are_passed_on() -> None:
    """A store that cannot be read is no store without endorsements."""
    with pytest.raises(AccessError, match="cannot be read"):
        keeping(Broken()).find(3)
    with pytest.raises(NotFound):
        MemoryStore().read(path(3))
    with pytest.raises(SignatureError):
        keeping(MemoryStore()).keep(proof_of(stated(checkpoint_of(LOGS[3]).tree, OTHER)))
