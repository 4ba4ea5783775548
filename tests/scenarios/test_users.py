"""A log in a directory on a machine that several users share: each acts with its own rights, at any umask."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tiles
from tests.support.command_line import ORIGIN
from tests.support.other_user import ANN, EVE, LOG, as_user, common_ground, needs_root
from tests.support.real_log import RealLog

UMASKS = (0o000, 0o002, 0o022, 0o077)
KEY = tiles.signing_key(ORIGIN, bytes(32))


class Place:
    """A folder with a log in it, and what its users do. Commands run in this process, or in one of another user."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.private = folder, folder / "log", folder / "log.private"
        self.init = ("init", self.path, "--origin", ORIGIN, "--key", folder / "key")
        self.add = ("add", self.path, folder / "file")

    def says(self, *arguments: object, home: Path | None = None) -> tuple[int, str]:
        """Return the exit code of a command, and all that it says. home: of the user who runs it"""
        real = RealLog(self.folder)
        if home is not None:
            real.environment |= {name: str(home) for name in real.environment if name.startswith("XDG")}
        done = real.inside(*map(str, arguments))
        assert "Traceback" not in done.err
        return done.code, done.out + done.err

    def ok(self, *arguments: object) -> str:
        """Return what a command says that has to succeed."""
        code, text = self.says(*arguments)
        assert code == 0, text
        return text

    def begin(self) -> None:
        """Begin the log, with the same key each time, and add a file to it."""
        (self.folder / "file").write_bytes(b"a file\n")
        tiles.write_key(self.folder / "key", KEY)
        self.ok(*self.init)
        self.ok(*self.add)

    def modes(self, *parts: str) -> set[str]:
        """Return which modes folders and files have in parts of the log."""
        paths = [path for part in parts for path in (self.folder / part, *(self.folder / part).rglob("*"))]
        return {f"{'folder' if path.is_dir() else 'file'} {stat.S_IMODE(path.stat().st_mode):o}" for path in paths}


@pytest.fixture
def place() -> Iterator[Place]:
    """Return where the user LOG may have a log; others may look into it."""
    with common_ground() as folder:
        (folder / "own").mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(folder / "own", LOG, LOG)
        yield Place(folder / "own")


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_modes_at_any_umask(place: Place, mask: int) -> None:
    """Whatever commands wrote: private part, anchor and key are for their owner alone; the umask decides the rest."""
    before = os.umask(mask)
    try:
        place.begin()
        place.ok(
            "submit", place.path, place.folder / "file", "--raw", "--submitter", "ann", "--receipt", place.folder / "r"
        )
        waiting = place.modes("log.private/inbox")
        place.ok("sequence", place.path)
        place.ok("gc", place.path)
        place.ok("freeze", place.path, "--yes")
    finally:
        os.umask(before)
    assert waiting == place.modes("log.private", "key.anchor") == {"folder 700", "file 600"}
    assert place.modes("key") == {"file 600"}
    assert place.modes("log") == {f"folder {0o777 & ~mask:o}", f"file {0o666 & ~mask:o}"}


@needs_root
def test_an_inbox_for_several_users(place: Place) -> None:
    """With rights as documented a submitter can submit and do nothing else, and the log's owner can take it."""
    text = (Path(__file__).parents[2] / "docs/directories.md").read_text()
    assert (
        "chmod 711 LOG.private LOG.private/inbox\n    install -d -o eve -g log -m 2770 LOG.private/inbox/eve\n" in text
    )
    as_user(LOG, place.begin, 0o077)
    inbox = place.private / "inbox"
    for folder, owner, mode in ((place.private, LOG, 0o711), (inbox, LOG, 0o711), (inbox / "eve", EVE, 0o2770)):
        folder.mkdir(exist_ok=True)
        os.chown(folder, owner, LOG)
        folder.chmod(mode)
    store = tiles.inbox_store(str(place.path), str(place.private))

    def submit(name: str, entry: bytes) -> Callable[[], str]:
        return lambda: tiles.submit(store, name, [entry], os.urandom(16), log=str(place.path)).name.text

    for mask in UMASKS:
        assert as_user(EVE, submit("eve", b"%d" % mask), mask).startswith("eve/")
    nothing_else: list[tuple[int, Callable[[], object]]] = [
        *((ANN, submit(name, b"no")) for name in ("eve", "ann")),
        *((EVE, call) for call in (submit("ann", b"no"), lambda: store.read("head"), lambda: list(store.list("")))),
    ]
    for user, call in nothing_else:
        with pytest.raises(AssertionError, match="Permission denied"):
            as_user(user, call)
    as_user(LOG, lambda: place.ok("sequence", place.path), 0o077)
    assert "size    5\n" in as_user(LOG, lambda: place.ok("info", place.path, "--vkey", KEY.verifier.vkey))
    assert list((inbox / "eve").rglob("*")) == [inbox / "eve/.tmp"]


@needs_root
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777])
@pytest.mark.parametrize("thing", ["log.private", "key.anchor", "key"])
def test_what_eve_has_prepared(place: Place, thing: str, mode: int) -> None:
    """A private part, an anchor or a key that somebody else made beforehand is not used, not even by root."""
    if thing == "key":
        tiles.write_key(place.folder / thing, KEY)
    else:
        (place.folder / thing).mkdir()
    os.chown(place.folder / thing, EVE, EVE)
    (place.folder / thing).chmod(mode)
    code, text = place.says(*place.init)
    assert code == 4, text
    assert f"{thing} belongs to {EVE}, who could have put anything there" in text
    code, text = as_user(LOG, lambda: place.says(*place.init))
    assert code == (3 if (thing, mode) == ("key", 0o700) else 4), text
    assert not place.path.exists()


@needs_root
def test_a_log_of_root_and_one_of_another_user(place: Place) -> None:
    """Root is told whose the log is; its owner may use what root has put back, where modes allow it."""
    as_user(LOG, place.begin)
    for command in (place.add, ("sequence", place.path), ("gc", place.path)):
        code, text = place.says(*command)
        assert code == 4, text
        assert f"belongs to {LOG}" in text
        assert "act as that user" in text
    os.chown(place.private / "head", 0, LOG)
    (place.private / "head").chmod(0o640)
    as_user(LOG, lambda: place.ok(*place.add))


def full() -> None:
    """Let no file take another byte, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@needs_root
@pytest.mark.parametrize("home", ["absent", "not a folder", "read-only", "full"])
def test_a_reader_with_no_rights(place: Place, home: str) -> None:
    """Somebody without rights, and without a home that can be written, reads the log, and is told what he may not."""
    as_user(LOG, place.begin)
    homes = {"absent": "missing/home", "not a folder": "file/home", "read-only": "."}
    at = place.folder / homes.get(home, "../eve")
    (place.folder / "../eve").mkdir()
    os.chown(place.folder / "../eve", EVE, EVE)

    def read() -> list[tuple[int, str]]:
        if home == "full":
            full()
        trusted = ("--vkey", KEY.verifier.vkey)
        reading = [(name, place.path, *more, *trusted) for name, *more in (("info",), ("audit",), ("get", 0, "--json"))]
        writing = (place.add, ("sequence", place.path), ("init", place.path.with_name("new"), "--origin", ORIGIN))
        return [place.says(*arguments, home=at) for arguments in (*reading, *writing)]

    *reading, added, sequenced, begun = as_user(EVE, read)
    for code, text in reading:
        assert code == 0, text
        assert "this visit is not remembered" in text
    for code, text in (added, sequenced):
        assert code == 4, text
        assert f"belongs to {LOG}" in text
    assert begun[0] == 3, begun
    assert "cannot be " in begun[1]
