"""Key files: one line that only its owner can read, whole or not there, never overwritten, and never shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tiles.errors import AccessError, Malformed, NotFound, Refused, UsageError
from tiles.notes.keys import SeedKey, SignatureType, signing_key
from tiles.signing.key_file import MAX_KEY_FILE_SIZE, read_key, write_key

KEY = signing_key("log.example.com", bytes(range(32)))
LINE = f"{KEY.skey}\n".encode()


@pytest.mark.parametrize("key", [KEY, signing_key("pq.example.com", bytes(32), SignatureType.MLDSA44)])
def test_round_trip(key: SeedKey, tmp_path: Path) -> None:
    """What is written is read back; the file is one line of mode 0600, and alone."""
    path = tmp_path / "keys" / "k"
    before = os.umask(0)
    try:
        write_key(path, key)
    finally:
        os.umask(before)
    assert read_key(path) == key
    assert path.read_text() == f"{key.skey}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "make", [lambda path: path.write_bytes(b"mine"), Path.mkdir, lambda path: path.symlink_to("nowhere")]
)
def test_nothing_is_overwritten(make: Callable[[Path], object], tmp_path: Path) -> None:
    """Whatever is there already, it stays, and nothing is left beside it."""
    path = tmp_path / "k"
    make(path)
    before = path.lstat()
    with pytest.raises(Refused, match=f"{path} exists already; a key is never overwritten"):
        write_key(path, KEY)
    assert path.lstat().st_ino == before.st_ino
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A name that no log can have is refused, and a place that cannot be written is a broken way."""
    of_others = signing_key("l\u00f6g.example.com", bytes(32))
    with pytest.raises(UsageError, match="cannot be the name of a log"):
        write_key(tmp_path / "k", of_others)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match="cannot be written"):
        write_key(tmp_path / "file" / "k", KEY)


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o601, 0o777])
def test_others_may_not_read_it(mode: int, tmp_path: Path) -> None:
    """A key that its group or others may do anything with is not used; the hint says what to do."""
    path = tmp_path / "k"
    path.write_bytes(LINE)
    path.chmod(mode)
    with pytest.raises(Refused, match="can be read by others than its owner") as caught:
        read_key(path)
    assert caught.value.hint == f"chmod 600 {path}"
    path.chmod(0o400)
    assert read_key(path) == KEY


@pytest.mark.parametrize("by", ["name", "link"])
def test_nobody_may_exchange_it(tmp_path: Path, by: str) -> None:
    """A key in a folder where everyone may rename files is not used, by whichever name; with the sticky bit it is."""
    folder = tmp_path / "open"
    write_key(folder / "k", KEY)
    (tmp_path / "link").symlink_to(folder / "k")
    path = tmp_path / "link" if by == "link" else folder / "k"
    folder.chmod(0o777)
    with pytest.raises(Refused, match=f"^{folder} can be written by everyone") as caught:
        read_key(path)
    assert caught.value.hint.endswith(f"chmod o-w {folder}")
    for mode in (0o1777, 0o775):
        folder.chmod(mode)
        assert read_key(path) == KEY


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINE[:-1],
        LINE + b"\n",
        LINE + LINE,
        LINE.replace(b"\n", b"\r\n"),
        b" " + LINE,
        b"\xff" + LINE,
        LINE[:-9] + b"AAAAAAA=\n",
        f"{KEY.verifier.vkey}\n".encode(),
        LINE + b"x" * MAX_KEY_FILE_SIZE + b"\n",
    ],
)
def test_damaged_keys(data: bytes, tmp_path: Path) -> None:
    """Anything but the one line is malformed; the message says which file it is, and shows nothing of it."""
    path = tmp_path / "k"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(Malformed) as caught:
        read_key(path)
    assert KEY.skey[-20:-12] not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert caught.value.found is None
    assert caught.value.message.startswith(f"{path}: malformed ")


def test_no_key(tmp_path: Path) -> None:
    """A key that is not there, and one that cannot be read."""
    with pytest.raises(NotFound, match="there is no key at"):
        read_key(tmp_path / "k")
    with pytest.raises(AccessError, match="cannot be read: "):
        read_key(tmp_path)
