"""What is written ahead of its swap: used if it is what is swapped in, and removed if it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder, temps
from tiles.errors import Conflict
from tiles.store.directory import DirectoryStore
from tiles.store.drafts import create_before_swap


def test_one_sync_for_what_is_created_and_what_is_swapped_in(root: Path) -> None:
    """The contents of both last before the object gets its name, and the swap writes and syncs no content any more."""
    posix = Recorder(root)
    store = DirectoryStore(root, posix)
    store.prepare()
    posix.calls.clear()
    create_before_swap(store, {"a/1": b"1"}, "head", b"new")
    names = ("write", "fsync", "syncfs", "rename_new", "rename")
    assert [call[0] for call in posix.only(*names)] == ["write", "write", "syncfs", "rename_new"]
    assert len(temps(root)) == 1
    assert not (root / "head").exists()
    store.swap("head", b"new", None)
    assert [call[0] for call in posix.only(*names)] == ["rename", "syncfs"]  # which makes the name of a/1 last, too
    assert (root / "head").read_bytes() == b"new"
    assert temps(root) == []


@pytest.mark.parametrize("syncfs", [True, False])
def test_another_content_is_swapped_in(root: Path, syncfs: bool) -> None:
    """What was written ahead is not what is swapped in: it goes, and the swap writes its own."""
    store = DirectoryStore(root, Recorder(root, syncfs=syncfs))
    create_before_swap(store, {"1": b"1"}, "head", b"not this")
    create_before_swap(store, {"2": b"2"}, "head", b"nor this")
    assert len(temps(root)) == 1
    store.swap("head", b"this", None)
    assert (root / "head").read_bytes() == b"this"
    assert temps(root) == []


def test_a_lost_swap_leaves_nothing(root: Path) -> None:
    """If somebody else was first, what was written ahead is removed."""
    store = DirectoryStore(root)
    create_before_swap(store, {"1": b"1"}, "head", b"ours")
    DirectoryStore(root).swap("head", b"theirs", None)
    with pytest.raises(Conflict):
        store.swap("head", b"ours", None)
    assert (root / "head").read_bytes() == b"theirs"
    assert temps(root) == []
