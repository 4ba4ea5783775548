"""The directory store among links: none is followed below the root, whoever makes one, and whenever."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.world import NoSync
from tiles.errors import AccessError, NotFound
from tiles.store.directory import DirectoryStore
from tiles.store.posix import Posix

DATA = b"the operator's"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the root, with a file in it and one below it."""
    folder = tmp_path / "outside"
    (folder / "deep").mkdir(parents=True)
    for path in ("file", "deep/file"):
        (folder / path).write_bytes(DATA)
    return folder


def untouched(outside: Path) -> bool:
    """Tell whether nothing outside was changed, and nothing came to it."""
    found = sorted(str(path.relative_to(outside)) for path in outside.rglob("*"))
    return found == ["deep", "deep/file", "file"] and (outside / "deep/file").read_bytes() == DATA


class Swapping(NoSync):
    """Somebody else replaces a folder by a link to another one, just before the n-th call that uses a name."""

    def __init__(self, folder: Path, target: Path, n: int) -> None:
        super().__init__()
        self.folder, self.target, self.left = folder, target, n
        for name in ("open_new", "open_read", "open_directory", "lstat", "mkdir", "rename", "rename_new", "unlink"):
            setattr(self, name, self._before(getattr(self, name)))

    def _before(self, call: Callable[..., object]) -> Callable[..., object]:
        def called(*given: object) -> object:
            self.left -= 1
            if self.left == 0:
                self.folder.rename(self.folder.with_name("gone"))
                self.folder.symlink_to(self.target)
            return call(*given)

        return called


OPERATIONS: dict[str, Callable[[DirectoryStore], object]] = {
    "read": lambda store: store.read("inbox/eve/file"),
    "read a part": lambda store: store.read_range("inbox/eve/file", 0, 5, 100),
    "create": lambda store: store.create({"inbox/eve/new": b"1", "inbox/eve/deep/new": b"2"}),
    "create what is there": lambda store: store.create({"inbox/eve/file": b"eve's"}),
    "swap": lambda store: store.swap("inbox/eve/head", b"new", None),
    "delete": lambda store: store.delete(["inbox/eve/file", "inbox/eve/deep/file"]),
    "list": lambda store: list(store.list("inbox/")),
    "folders": lambda store: store.folders("inbox/eve/"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_folder_that_becomes_a_link(root: Path, outside: Path, operation: str) -> None:
    """Whenever a folder is replaced by a link, and whatever is done there: nothing outside is changed or read."""
    n, reached = 0, True
    while reached:
        n += 1
        place = root / str(n)
        DirectoryStore(place, NoSync()).create({"inbox/eve/file": b"eve's", "inbox/eve/deep/file": b"eve's"})
        posix = Swapping(place / "inbox/eve", outside, n)
        try:
            found = OPERATIONS[operation](DirectoryStore(place, posix))
        except AccessError:
            found = None
        assert untouched(outside), n
        assert getattr(found, "data", b"eve's") == b"eve's"
        reached = posix.left <= 0
    assert n > 3


@pytest.mark.parametrize("link", ["tile", "tile/0", "tile/0/x000", "inbox", ".tmp"])
def test_a_link_that_is_there(root: Path, outside: Path, link: str) -> None:
    """A link in the place of a folder, at any depth, is refused by its name, and is no place to write to."""
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(outside)
    store = DirectoryStore(root, NoSync())
    path = "a" if link == ".tmp" else f"{link}/file"
    for call in (lambda: store.create({path: b"1"}), lambda: store.swap(path, b"1", None)):
        with pytest.raises(AccessError, match="is a symbolic link, and none is followed below a log") as caught:
            call()
        assert "only LOG itself may be a link" in caught.value.hint
    if link != ".tmp":
        with pytest.raises(AccessError, match=f"^cannot read {root}/{path}: it, or .* is a symbolic link"):
            store.read(path)
        assert list(store.list(f"{link}/")) == []
    store.delete([path, f"{path}/file"])
    assert list(store.list("")) == []
    assert untouched(outside)


def test_an_object_that_is_a_link(root: Path, outside: Path) -> None:
    """A link in the place of an object is not read, listed or written through; what is deleted is the link."""
    store = DirectoryStore(root, NoSync())
    store.prepare()
    (root / "file").symlink_to(outside / "file")
    for call in (
        lambda: store.read("file"),
        lambda: store.create({"file": DATA}),
        lambda: store.swap("file", b"1", None),
    ):
        with pytest.raises(AccessError, match="is a symbolic link") as caught:
            call()
        assert not isinstance(caught.value, NotFound)
    assert list(store.list("")) == []
    store.delete(["file"])
    assert not (root / "file").is_symlink()
    assert untouched(outside)


def test_temporary_files_behind_a_link(root: Path, outside: Path) -> None:
    """Where `.tmp` became a link between listing and deleting, nothing is deleted."""
    store = DirectoryStore(root, NoSync())
    store.create({"a": b"1"})
    (root / ".tmp/file").write_bytes(b"half")
    found = store.stale_temps(1e12)
    (root / ".tmp").rename(root / "gone")
    (root / ".tmp").symlink_to(outside)
    store.delete_temps(found)
    assert found == ["file"]
    assert untouched(outside)


def test_the_root_is_resolved_once(tmp_path: Path) -> None:
    """The root may be a link; one store stays where it led at first, and follows no link that comes into its place."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "log"
    link.symlink_to("one")
    store = DirectoryStore(link, NoSync())
    store.create({"a": b"1"})
    link.unlink()
    link.symlink_to("two")
    store.create({"b": b"2"})
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [".tmp", "a", "b"]
    (tmp_path / "one").rename(tmp_path / "three")
    (tmp_path / "one").symlink_to("two")
    with pytest.raises(AccessError):
        store.create({"c": b"3"})
    assert list((tmp_path / "two").iterdir()) == []


def test_a_directory_that_is_put_back(root: Path) -> None:
    """No descriptor outlives an operation: a directory that was replaced by a copy meanwhile is read as it is now."""
    store = DirectoryStore(root, NoSync())
    store.create({"a/b": b"1"})
    root.rename(root.with_name("moved"))
    DirectoryStore(root, NoSync()).create({"a/b": b"2"})
    assert store.read("a/b").data == b"2"


def test_folders_of_any_depth(root: Path) -> None:
    """Folders deeper than any object has, and than descriptors are kept open, are no trouble."""
    store = DirectoryStore(root, NoSync())
    paths = ["/".join(["d"] * 90 + ["deep"]), "wide/1/x", "wide/2/x"]
    store.create(dict.fromkeys(paths, b"1"))
    assert {listed.path for listed in store.list("")} == set(paths)
    assert store.read(paths[0]).data == b"1"
    store.barrier()
    store.delete(paths)
    assert list(store.list("")) == []


class Counting(NoSync):
    """Counts the folders that are open."""

    open, most = 0, 0

    def open_directory(self, at: int, name: str) -> int:
        """Count one more."""
        fd = super().open_directory(at, name)
        self.open += 1
        self.most = max(self.most, self.open)
        return fd

    def close(self, fd: int) -> None:
        """Count one less, if it is a folder."""
        self.open -= stat.S_ISDIR(os.fstat(fd).st_mode)
        super().close(fd)


def test_how_many_folders_are_open(root: Path) -> None:
    """However many folders an operation goes through, it keeps few of them open."""
    posix = Counting()
    store = DirectoryStore(root, posix)
    paths = [f"wide/{number}/x" for number in range(150)]
    for call in (lambda: store.create(dict.fromkeys(paths, b"1")), lambda: list(store.list("")), store.barrier):
        call()
    store.delete(paths)
    assert 20 < posix.most < 80


@pytest.mark.parametrize("lacking", [os.open, os.mkdir, os.unlink, os.stat, os.scandir], ids=lambda call: call.__name__)
def test_a_system_without_such_calls(monkeypatch: pytest.MonkeyPatch, lacking: Callable[..., object]) -> None:
    """Where a call cannot name a file by its folder's descriptor, the store is refused, and says why."""
    known = "supports_fd" if lacking is os.scandir else "supports_dir_fd"
    monkeypatch.setattr(os, known, getattr(os, known) - {lacking})
    with pytest.raises(AccessError, match="no calls that name a file by its folder's descriptor") as caught:
        Posix()
    assert "use Linux or macOS" in caught.value.hint
