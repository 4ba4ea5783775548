"""What is prepared for the next write, in stores that can do so and in others."""

from __future__ import annotations

from pathlib import Path

from tests.support.traced_posix import temps
from tiles.store.directory import DirectoryStore
from tiles.store.drafts import create_before_swap, forget_drafts, stage
from tiles.store.memory import MemoryStore


def test_a_store_to_which_it_makes_no_difference() -> None:
    """It creates the objects, and nothing else."""
    store = MemoryStore()
    create_before_swap(store, {"1": b"1"}, "head", b"new")
    assert [listed.path for listed in store.list("")] == ["1"]


def test_other_stores_beside(root: Path) -> None:
    """A store that is no directory has nothing prepared, and one that cannot prepare creates, and lasts."""
    private = DirectoryStore(root / "private")
    memory = MemoryStore()
    stage(private, {"staging/1": b"batch"}, {}, [(memory, {"a": b"1"})])
    stage(memory, {"staging/1": b"batch"}, {"head": b"new"}, [(private, {"a": b"1"})])
    assert [listed.path for listed in memory.list("")] == ["staging/1"]
    assert temps(root / "private") == []


def test_what_was_prepared_is_forgotten(root: Path) -> None:
    """It is removed when it is known not to be used, and at the latest when something else is prepared."""
    private, public = DirectoryStore(root / "private"), DirectoryStore(root / "public")
    beside = [(public, {"a": b"1"})]
    stage(private, {"staging/1": b"1"}, {"head": b"1"}, beside)
    stage(private, {"staging/2": b"2"}, {"head": b"2"}, [(public, {"b": b"1"})])
    assert len(temps(root / "private")) == len(temps(root / "public")) == 1
    forget_drafts([private, public, MemoryStore()])
    assert temps(root / "private") == temps(root / "public") == []
