"""Who may use what is in a directory: modes whatever the umask, and things that somebody else has prepared."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.world import NoSync
from tiles.errors import Refused
from tiles.store.directory import DirectoryStore
from tiles.store.keeping import Keeping, name_of_user

ANCHOR = Keeping(private=True, own=True, alone=True)
PRIVATE = Keeping(private=True, own=True, shared="inbox")
SUBMITTED = Keeping(private=True, shared="inbox")
UMASKS = (0o000, 0o002, 0o022, 0o077)
SOMEBODY = 54321  # a user other than this one and root


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Set the umask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


class User(NoSync):
    """Acts as a user of another number than the one whose files there are."""

    def geteuid(self) -> int:
        """Return a number that owns nothing here; files of root may be used."""
        return SOMEBODY

    def fstat(self, fd: int) -> os.stat_result:
        """Say of all that it belongs to a third user."""
        status = super().fstat(fd)
        return os.stat_result((*status[:4], SOMEBODY + 1, *status[5:]))


def modes(root: Path) -> dict[str, set[int]]:
    """Return which modes folders and files have."""
    found: dict[str, set[int]] = {"folders": set(), "files": set()}
    for path in (root, *root.rglob("*")):
        found["folders" if path.is_dir() else "files"].add(stat.S_IMODE(path.stat().st_mode))
    return found


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
@pytest.mark.parametrize("keeping", [PRIVATE, ANCHOR, SUBMITTED], ids=["private", "anchor", "submitted"])
def test_modes_of_what_is_private(root: Path, keeping: Keeping, mask: int) -> None:
    """Files have mode 0600 and folders 0700, whatever the umask, temporary files too."""
    with umask(mask):
        store = DirectoryStore(root, NoSync(), keeping=keeping)
        store.create({"staging/1": b"1", "staging/2": b"2", "inbox/ann/1": b"3", "one": b"4"})
        version = store.swap("head", b"1", None)
        store.swap("head", b"2", version)
        store.swap("a/b/c", b"1", None)
    assert modes(root) == {"folders": {0o700}, "files": {0o600}}


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_modes_of_what_is_public(root: Path, mask: int) -> None:
    """What readers are served has the mode that the umask leaves."""
    with umask(mask):
        store = DirectoryStore(root, NoSync())
        store.create({"tile/0/000": b"1", "tile/entries/000": b"2"})
        store.swap("checkpoint", b"1", None)
    assert modes(root) == {"folders": {0o777 & ~mask}, "files": {0o666 & ~mask}}


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_folders_above_what_is_private(tmp_path: Path, mask: int) -> None:
    """Folders that are made above a private part let others pass, as the public part may be there; none may write."""
    with umask(mask):
        DirectoryStore(tmp_path / "a/b/log.private", NoSync(), keeping=PRIVATE).prepare()
    assert [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in ("a", "a/b")] == [0o755 & ~mask] * 2


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
@pytest.mark.parametrize(("folder", "file"), [(0o2770, 0o640), (0o770, 0o600), (0o3770, 0o640)])
def test_a_group_that_reads_submissions(root: Path, folder: int, file: int, mask: int) -> None:
    """In a submitter's folder with the set-group-ID bit, the group reads what is submitted; nowhere else."""
    DirectoryStore(root, NoSync(), keeping=PRIVATE).create({"inbox/eve/1": b"", "inbox/ann/1": b""})
    (root / "inbox/eve/.tmp").rmdir()
    (root / "inbox/eve").chmod(folder)
    with umask(mask):
        DirectoryStore(root, NoSync(), keeping=SUBMITTED).create({"inbox/eve/2": b"", "inbox/ann/2": b""})
    assert [stat.S_IMODE((root / f"inbox/{path}").stat().st_mode) for path in ("eve/2", "ann/2")] == [file, 0o600]


OWNED: dict[str, Callable[[DirectoryStore], object]] = {
    "read": lambda store: store.read("head"),
    "create": lambda store: store.create({"staging/2": b"2"}),
    "swap": lambda store: store.swap("settings", b"1", None),
    "delete": lambda store: store.delete(["staging/1"]),
    "list": lambda store: list(store.list("staging/")),
    "prepare": lambda store: store.prepare(),
}


@pytest.mark.parametrize("operation", OWNED)
def test_what_somebody_else_prepared(root: Path, operation: str) -> None:
    """A private part of another user is refused in every operation, with whose it is and what to do."""
    DirectoryStore(root, NoSync(), keeping=PRIVATE).create({"head": b"1", "staging/1": b"1"})
    with pytest.raises(
        Refused, match=f"^{root} belongs to {SOMEBODY + 1}, who could have put anything there$"
    ) as caught:
        OWNED[operation](DirectoryStore(root, User(), keeping=PRIVATE))
    assert caught.value.hint.endswith(f"chown {SOMEBODY} {root}")
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == ["1", "head"]
    OWNED[operation](DirectoryStore(root, User()))  # what is public is not believed, so anyone's is read


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
@pytest.mark.parametrize(
    ("thing", "operation"), [("", "read"), ("", "swap"), ("head", "read"), ("staging", "create"), ("staging", "list")]
)
def test_what_others_can_write(root: Path, thing: str, operation: str, mode: int) -> None:
    """A root, a folder or an object that group or others may write to is refused, with the command that mends it."""
    store = DirectoryStore(root, NoSync(), keeping=PRIVATE)
    store.create({"head": b"1", "staging/1": b"1"})
    OWNED[operation](store)
    (root / thing).chmod(mode)
    place = f"{root}/{thing}".rstrip("/")
    with pytest.raises(Refused, match=f"^{place} can be written by others than its owner") as caught:
        OWNED[operation](DirectoryStore(root, NoSync(), keeping=PRIVATE))
    assert caught.value.hint.endswith(f": chmod go-w {place}")
    (root / thing).chmod(mode & ~0o022)
    DirectoryStore(root, NoSync(), keeping=PRIVATE).read("head")


def test_what_may_be_others(root: Path) -> None:
    """Below the inbox everyone may own something; root's own is anyone's to use; reading by others is no danger."""
    DirectoryStore(root, NoSync(), keeping=PRIVATE).create({"head": b"1", "inbox/eve/1": b"1"})
    (root / "inbox/eve").chmod(0o770)
    (root / "inbox/eve/1").chmod(0o666)
    (root / "head").chmod(0o644)
    root.chmod(0o711)
    store = DirectoryStore(root, NoSync(), keeping=PRIVATE)
    assert store.read("inbox/eve/1").data == store.read("head").data == b"1"
    (root / "inbox").chmod(0o777)
    with pytest.raises(Refused, match="inbox can be written by others"):
        store.read("inbox/eve/1")


@pytest.mark.parametrize(
    ("modes", "found"),
    [
        ({"": 0o755}, [""]),
        ({"": 0o750, "head": 0o644}, ["", "head"]),
        ({"": 0o711}, []),
        ({"": 0o711, "head": 0o644, "staging": 0o755}, ["head", "staging"]),
        ({"": 0o710, "head": 0o640}, ["head"]),
        ({"": 0o711, "inbox": 0o711, "inbox/eve": 0o2770, "inbox/eve/1": 0o644}, []),
        ({"": 0o711, "inbox": 0o755}, ["inbox"]),
        ({"head": 0o644, "staging": 0o755, "inbox": 0o711}, []),
        ({"": 0o700, "head": 0o666}, []),  # refused by whoever reads it
    ],
)
def test_what_others_can_read(root: Path, modes: dict[str, int], found: list[str]) -> None:
    """What others may list or read is found, unless the directory above closes it; a submitter's folder is its own."""
    store = DirectoryStore(root, NoSync(), keeping=PRIVATE)
    store.create({"head": b"1", "staging/1": b"1", "inbox/eve/1": b"1"})
    assert store.readable_by_others() == []
    for path, mode in modes.items():
        (root / path).chmod(mode)
    (root / "link").symlink_to("head")
    assert store.readable_by_others() == [f"{root}/{path}".rstrip("/") for path in found]


def test_whatever_stops_the_look_for_readers(tmp_path: Path, root: Path) -> None:
    """What is missing, no folder or refused is not said here, but by whoever uses it."""
    assert DirectoryStore(root, NoSync(), keeping=PRIVATE).readable_by_others() == []
    (tmp_path / "file").touch()
    assert DirectoryStore(tmp_path / "file", NoSync(), keeping=PRIVATE).readable_by_others() == []
    root.mkdir(mode=0o755)
    assert DirectoryStore(root, User(), keeping=PRIVATE).readable_by_others() == []


@pytest.mark.parametrize("operation", ["read", "swap", "create", "prepare"])
@pytest.mark.parametrize("mode", [0o777, 0o703])
def test_a_folder_above_that_everyone_can_write(tmp_path: Path, operation: str, mode: int) -> None:
    """An anchor that everyone may rename is refused: an older copy could be in its place. Not with the sticky bit."""
    above = tmp_path / "above"
    above.mkdir()
    store = DirectoryStore(above / "anchor", NoSync(), keeping=ANCHOR)
    store.create({"head": b"1"})
    above.chmod(mode)
    with pytest.raises(Refused, match=f"^{above} can be written by everyone, who could have exchanged") as caught:
        OWNED[operation](DirectoryStore(above / "anchor", NoSync(), keeping=ANCHOR))
    assert caught.value.hint.endswith(f"chmod o-w {above}")
    for fine in (0o1777, 0o775, 0o755):
        above.chmod(fine)
        OWNED["read"](DirectoryStore(above / "anchor", NoSync(), keeping=ANCHOR))
    above.chmod(mode)
    with pytest.raises(Refused, match="can be written by everyone"):
        DirectoryStore(above / "new", NoSync(), keeping=ANCHOR).prepare()
    assert not (above / "new").exists()
    DirectoryStore(above / "others/new", NoSync(), keeping=ANCHOR).prepare()
    DirectoryStore(above / "anchor", NoSync(), keeping=PRIVATE).prepare()


def test_names_of_users() -> None:
    """Messages name users as people do, and those without a name by their numbers."""
    assert name_of_user(0) == "root"
    assert [name_of_user(number) for number in (SOMEBODY, 2**32 + 7, -1)] == ["54321", str(2**32 + 7), "-1"]
