"""Logs with two histories, a witness of them, and what has to hold of all that it ever published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from threading import Lock

from tests.support.faults import Passing
from tests.support.readers import entry
from tests.support.reference import Tree
from tests.support.signed_text import LOG, W1, signed
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.notes.note import claimed
from tiles.notes.policy import policy_for
from tiles.retry import Clock
from tiles.store import Store, Version
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.watch.witness import Cosigned, Last, Witness, WitnessedLog

MOST = 300  # entries
SHARED = 100  # of both histories
TAGS = ("entry", "other")
NOW = 1_800_000_000
OURS = WitnessedLog(LOG.name, policy_for(LOG.verifier))


@cache
def history(tag: str) -> Tree:
    """Return the trees of one history; up to SHARED entries they are those of the other."""
    leaves = {i: leaf_hash(entry(i, "entry" if i < SHARED else tag)) for i in range(MOST)}
    return Tree(leaves)


@cache
def at(size: int, tag: str = "entry") -> SignedCheckpoint:
    """Return the log's checkpoint of a size, in a history."""
    return signed(Checkpoint(LOG.name, history(tag).head(size)), LOG)


@cache
def proof(old: int, new: int, tag: str = "entry") -> tuple[Hash, ...]:
    """Return the consistency proof between two sizes of a history."""
    return () if old in (0, new) else tuple(history(tag).proof(old, new))


class Time:
    """A clock that is told the time, and never waits."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    @property
    def clock(self) -> Clock:
        """The clock."""
        return replace(Clock(), now=lambda: self.now, sleep=lambda _: None)


class OtherSize(Exception):
    """What was cosigned last has another size than the sender believes."""


class Kept(Passing):
    """A store that keeps, in their order, all contents that its one object ever had."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, "state")
        self.contents: list[bytes] = []
        self._lock = Lock()

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace the object."""
        with self._lock:
            version = super().swap(path, data, expected)
            self.contents.append(data)
            return version


class Evidence:
    """Keeps the evidence of forks, and nothing else."""

    def __init__(self) -> None:
        self.saved: list[dict[str, bytes]] = []

    def last(self, _key: VerifierKey) -> SignedCheckpoint | None:
        """Remember nothing."""
        return None

    def remember(self, _key: VerifierKey, _signed: SignedCheckpoint, _since: SignedCheckpoint | None) -> bool:
        """Remember nothing."""
        return True

    def save_evidence(self, _key: VerifierKey, evidence: Mapping[str, bytes]) -> object:
        """Keep it."""
        self.saved.append(dict(evidence))
        return "memory"


def witness(
    store: Store, time: Time | None = None, keys: Sequence[SigningKey] = (W1,), visits: Evidence | None = None
) -> Witness:
    """Return a witness."""
    return Witness(keys, store, visits or Evidence(), (time or Time()).clock)


def begun(store: Store | None = None, time: Time | None = None) -> Kept:
    """Return the store of a witness that has begun the log."""
    kept = Kept(store or MemoryStore())
    witness(kept, time).begin(OURS)
    return kept


def ask(by: Witness, old: int, new: int, tag: str = "entry", log: WitnessedLog = OURS) -> Cosigned:
    """Ask for a cosignature as a log does, with a proof from the size that it believes was cosigned last."""

    def prove(last: Last) -> tuple[Hash, ...]:
        if last.tree.size != old:
            raise OtherSize
        return proof(old, new, tag)

    return by.cosign(log, at(new, tag), prove)


def check_row(contents: Sequence[bytes], keys: Sequence[SigningKey] = (W1,)) -> list[TreeHead]:
    """Require that no two of these cosigned trees exclude each other, and that sizes and times never fall."""
    notes = [parse_signed_checkpoint(data) for data in contents]
    times = []
    for note in notes:
        lines = claimed(note.note, [key.verifier for key in keys])
        assert len(lines) == len(keys)
        times.append(max(verify_cosignature(note.checkpoint, line, key).timestamp for line, key in lines))
        if note.tree.size:
            OURS.policy.accept(note)
    trees = [note.tree for note in notes]
    assert all(one.size <= other.size for one, other in pairwise(trees))
    assert all(one <= other for one, other in pairwise(times))
    check_one_history(trees)
    return trees


def check_one_history(trees: Sequence[TreeHead]) -> None:
    """Require that no two trees exclude each other."""
    possible = [tag for tag in TAGS if all(history(tag).head(tree.size) == tree for tree in trees)]
    assert possible, f"two of these exclude each other: {trees}"
