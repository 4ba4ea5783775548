"""A submitter of a log in a directory, who writes in a folder of the inbox while a run is at work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import tiles
from tests.support.command_line import ORIGIN
from tiles.errors import TilesError
from tiles.store.directory import DirectoryStore

KEY = tiles.signing_key(ORIGIN, bytes(32))


@pytest.fixture
def log(tmp_path: Path) -> tiles.Log:
    """Return a log to whose inbox `eve` and `ann` have submitted; the operator has files outside of it."""
    signer = tiles.Signer(KEY, tiles.anchor_store(tmp_path / "key"))
    log = tiles.Log(tiles.public_store(str(tmp_path / "log")), tiles.private_store(str(tmp_path / "log")), signer)
    log.create()
    for name in ("ann", "eve"):
        tiles.submit(tiles.inbox_store(str(tmp_path / "log")), name, [name.encode()], bytes(16), log="here")
    return log


def swap_for_a_link(folder: Path, target: Path) -> None:
    """Move a folder away, and put a link into its place."""
    folder.rename(folder.with_name(f"{folder.name}-moved"))
    folder.symlink_to(target)


def at(patch: pytest.MonkeyPatch, method: str, prefix: str, do: Callable[[], None]) -> None:
    """Do something once, just before the store is asked for anything below a prefix."""
    original, done = getattr(DirectoryStore, method), []

    def asked(self: DirectoryStore, what: str | Iterable[str], *more: object) -> object:
        paths = [what] if isinstance(what, str) else list(what)
        if not done and any(path.startswith(prefix) for path in paths):
            done.append(True)
            do()
        return original(self, what if isinstance(what, str) else paths, *more)

    patch.setattr(DirectoryStore, method, asked)


@pytest.mark.parametrize("method", ["list", "read", "delete"])
@pytest.mark.parametrize("folder", ["inbox/eve", "inbox"])
def test_a_folder_swapped_for_a_link(
    log: tiles.Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, method: str
) -> None:
    """Whenever a submitter's folder becomes a link to files that the operator may delete, none of them is."""
    private, outside = tmp_path / "log.private", tmp_path / "operator"
    (outside / "eve").mkdir(parents=True)
    (name,) = (path.name for path in (private / "inbox/eve").iterdir() if path.is_file())
    kept = [outside / name, outside / "eve" / name]
    for path in kept:
        path.write_bytes(b"the operator's")
    at(monkeypatch, method, "inbox/", lambda: swap_for_a_link(private / folder, outside))
    for _ in range(2):
        try:
            log.sequence()
        except TilesError as error:
            assert "symbolic link" in error.message  # noqa: PT017  an error need not come
    assert [path.read_bytes() for path in kept] == [b"the operator's"] * 2
    entries = [log_file.read_bytes() for log_file in (tmp_path / "log/tile/entries").rglob("*") if log_file.is_file()]
    assert not any(b"the operator's" in data for data in entries)


def test_what_is_not_one_level_deep(log: tiles.Log, tmp_path: Path) -> None:
    """Folders in a submitter's folder, however deep, and links hold nobody up, and stay."""
    eve = tmp_path / "log.private/inbox/eve"
    (eve / "/".join(["d"] * 500)).mkdir(parents=True)
    (eve / "d/file").write_bytes(b"junk")
    (eve / "link").symlink_to(tmp_path)
    (eve / "loop").symlink_to("loop")
    done = log.sequence()
    assert (done.count, done.refused) == (2, ())
    assert sorted(path.name for path in eve.iterdir()) == [".tmp", "d", "link", "loop"]


def test_a_folder_that_stops_its_own_submitter_only(log: tiles.Log, tmp_path: Path) -> None:
    """A folder that everyone may write to is named, and left alone until that changes; the others are served."""
    (tmp_path / "log.private/inbox/eve").chmod(0o777)
    done = log.sequence()
    assert (done.count, done.backlog.unlistable) == (1, ("eve",))
    (tmp_path / "log.private/inbox/eve").chmod(0o1777)
    assert log.sequence().count == 1
