"""What a directory store lists where folders in it belong to others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.world import NoSync
from tiles.errors import UsageError
from tiles.inbox.admission import OPEN
from tiles.inbox.reader import Inbox
from tiles.inbox.submission import Name, format_submission
from tiles.records.staged_batch import digest
from tiles.store import Unlistable, directory_listing
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


class Read:
    """Counts the names that are read in folders, by how many names there are in all."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._scandir, self._listdir = os.scandir, os.listdir
        patch.setattr(os, "scandir", self.scandir)
        patch.setattr(os, "listdir", lambda at: self._counted(self._listdir(at)))
        patch.setattr(directory_listing, "MOST_NAMES", 20, raising=False)

    def scandir(self, at: int):  # type: ignore[no-untyped-def]
        """Count what is read, one by one."""
        return _Counting(self, self._scandir(at))

    def _counted(self, names: list[str]) -> list[str]:
        self.most = max(self.most, len(names))
        return names


class _Counting:
    def __init__(self, read: Read, found: Iterator[os.DirEntry[str]]) -> None:
        self._read, self._found, self._count = read, found, 0

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *_: object) -> None:
        self._found.close()  # type: ignore[attr-defined]

    def __iter__(self) -> _Counting:
        return self

    def __next__(self) -> os.DirEntry[str]:
        self._count += 1
        self._read.most = max(self._read.most, self._count)
        return next(self._found)


def full(root: Path, kind: str, count: int) -> None:
    """Fill the folder of a submitter with names of a kind."""
    for number in range(count):
        path = root / f"inbox/eve/{'.tmp/' if kind == 'temporary files' else ''}n{number}"
        path.parent.mkdir(exist_ok=True)
        if kind == "folders":
            path.mkdir()
        elif kind == "links":
            path.symlink_to("nowhere")
        else:
            path.touch()


@pytest.mark.parametrize("kind", ["files", "folders", "links"])
def test_how_much_is_read_of_a_full_folder(
    root: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whatever the names in somebody else's folder are of, no more than the bound are read; what was read is listed."""
    full(root, kind, 100)
    read = Read(monkeypatch)
    found: list[str] = []
    with pytest.raises(Unlistable, match="inbox/eve has more than 20 names"):
        found.extend(listed.path for listed in store.list("inbox/eve/"))
    assert read.most <= 21
    assert len(found) <= 20
    assert (len(found) >= 18) == (kind == "files")
    assert paths(store, "inbox/ann/") == ["inbox/ann/1"]


def test_how_many_temporary_files_are_read(root: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a submitter's temporary files as many are found at a time, and the others once these are deleted."""
    full(root, "temporary files", 100)
    read = Read(monkeypatch)
    for left in (80, 60, 40, 20, 0):
        store.delete_temps(store.stale_temps(2**40))
        assert sum((root / f"inbox/eve/.tmp/n{number}").exists() for number in range(100)) == left
    assert read.most <= 21


def test_a_folder_at_the_bound(root: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many names as are read are no trouble, and the owner's own folders have no bound."""
    (root / "inbox/eve/.tmp").mkdir(exist_ok=True)
    full(root, "files", 17)  # beside three names
    store.create({f"staging/{number}": b"" for number in range(50)})
    Read(monkeypatch)
    assert len(list((root / "inbox/eve").iterdir())) == 20
    assert len(paths(store, "inbox/eve/")) == 19
    assert len(paths(store, "staging/")) == 50


def test_a_full_folder_delays_nobody_else(root: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' submissions are taken at once, and those of the full folder that were read."""
    data = format_submission([b"entry"])
    for submitter in ("ann", "eve", "fay"):
        store.create({Name(submitter, "0" * 32, digest(data)).path: data})
    full(root, "folders", 100)
    read = Read(monkeypatch)
    taken = Inbox(store, OPEN).take(0, 1000.0)
    assert {"ann", "fay"} <= {name.partition("/")[0] for name in taken.took}
    assert taken.backlog.unlistable == ("eve",)
    assert read.most <= 21


def test_names_that_are_known(root: Path, store: DirectoryStore) -> None:
    """They are passed over, folders among them, in the folder that they are known in alone; and not looked at."""
    store.create(dict.fromkeys(["a/known", "a/b/known", "a/b/other", "a/known2", "a/z/deep"], b""))
    (root / "a" / "link").symlink_to("known2")
    asked: list[str] = []

    def known(folder: str) -> frozenset[str]:
        asked.append(folder)
        return frozenset({"known", "z", "link"}) if folder == "a/" else frozenset()

    assert [listed.path for listed in store.list_unknown("a/", known)] == ["a/b/known", "a/b/other", "a/known2"]
    assert asked == ["a/", "a/b/"]
