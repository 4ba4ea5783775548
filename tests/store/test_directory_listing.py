"""What a directory store lists where folders in it belong to others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.world import NoSync
from tiles.errors import UsageError
from tiles.store import Unlistable
from tiles.store.directory import DirectoryStore
from tiles.store.keeping import Keeping

KEEPING = Keeping(private=True, own=True, shared="inbox")


class Barred(NoSync):
    """A user who may not look into folders of a name."""

    def __init__(self, *barred: str) -> None:
        super().__init__()
        self.barred = barred

    def open_directory(self, at: int, name: str) -> int:
        """Raise PermissionError for these."""
        if name in self.barred:
            raise PermissionError(13, "Permission denied", name)
        return super().open_directory(at, name)


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    """Return a private part in whose inbox two submitters have something."""
    store = DirectoryStore(root, NoSync(), keeping=KEEPING)
    store.create({"head": b"1", "inbox/ann/1": b"1", "inbox/eve/1": b"1", "inbox/eve/2": b"22"})
    return store


def paths(store: DirectoryStore, prefix: str) -> list[str]:
    """Return the paths that a store lists."""
    return [listed.path for listed in store.list(prefix)]


def test_submissions_are_one_level_deep(root: Path, store: DirectoryStore) -> None:
    """Folders in a submitter's folder are not looked into: not deep ones, not such as nobody may enter."""
    (root / "inbox/eve" / "/".join(["d"] * 200)).mkdir(parents=True)
    (root / "inbox/eve/d/3").write_bytes(b"")
    (root / "inbox/eve/barred").mkdir(mode=0)
    assert paths(store, "inbox/") == ["inbox/ann/1", "inbox/eve/1", "inbox/eve/2"]
    assert paths(store, "inbox/eve/") == ["inbox/eve/1", "inbox/eve/2"]
    assert "inbox/eve/d/3" not in paths(store, "")


def test_a_folder_that_cannot_be_listed(root: Path, store: DirectoryStore) -> None:
    """One submitter's folder that may not be looked into is that submitter's trouble: the others are listed."""
    barred = DirectoryStore(root, Barred("eve"), keeping=KEEPING)
    with pytest.raises(Unlistable, match="inbox/eve cannot be listed: Permission denied"):
        paths(barred, "inbox/")
    with pytest.raises(Unlistable):
        paths(barred, "inbox/eve/")
    assert barred.folders("inbox/") == ["ann", "eve"]
    assert paths(barred, "inbox/ann/") == ["inbox/ann/1"]


@pytest.mark.parametrize(
    ("mode", "is_listed"),
    [(0o700, True), (0o2770, True), (0o1777, True), (0o3777, True), (0o777, False), (0o703, False)],
)
def test_a_folder_that_everyone_may_write_to(root: Path, store: DirectoryStore, mode: int, is_listed: bool) -> None:
    """Where everyone can replace what a submitter left, nothing is taken; the sticky bit keeps them from that."""
    (root / "inbox/eve").chmod(mode)
    if is_listed:
        assert paths(store, "inbox/eve/") == ["inbox/eve/1", "inbox/eve/2"]
        return
    with pytest.raises(Unlistable, match="inbox/eve can be written by everyone") as caught:
        paths(store, "inbox/")
    assert caught.value.hint.startswith(f"chmod o-w {root}/inbox/eve")
    assert paths(store, "inbox/ann/") == ["inbox/ann/1"]


def test_temporary_files_of_submitters(root: Path, store: DirectoryStore) -> None:
    """What a dead submission left is found and deleted where it was prepared: in the submitter's own folder."""
    (root / "inbox/eve/.tmp").mkdir(exist_ok=True)
    for path in (".tmp/own", "inbox/eve/.tmp/half", "inbox/eve/.tmp/new"):
        (root / path).write_bytes(b"half")
        os.utime(root / path, (300, 300) if path.endswith("new") else (100, 100))
    barred = DirectoryStore(root, Barred("ann"), keeping=KEEPING)
    assert barred.stale_temps(200) == ["own", "inbox/eve/.tmp/half"]
    for wrong in ("inbox/eve/1", "inbox/eve/x/y", "inbox/eve/.tmp/x/y", "staging/.tmp/x", "inbox/.tmp"):
        with pytest.raises(UsageError, match="is not the name of a temporary file"):
            store.delete_temps([wrong])
    store.delete_temps(["own", "inbox/eve/.tmp/half"])
    assert store.stale_temps(400) == ["inbox/eve/.tmp/new"]
    assert paths(store, "inbox/eve/") == ["inbox/eve/1", "inbox/eve/2"]
