"""Key files: written whole and once, read only where nobody else can."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tiles.errors import AccessError, Malformed, NotFound, Refused
from tiles.notes.keys import signing_key
from tiles.signing.key_file import MAX_KEY_FILE_SIZE, read_key, write_key

KEY = signing_key("log.example.com", b"\x05" * 32)


def test_round_trip(tmp_path: Path) -> None:
    """One line, mode 0600, nothing beside it; it is never overwritten."""
    path = tmp_path / "deep" / "log.key"
    write_key(path, KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"{KEY.skey}\n"
    assert read_key(path) == KEY
    with pytest.raises(Refused, match="never overwritten"):
        write_key(path, KEY)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_others_may_not_read_it(tmp_path: Path, mode: int) -> None:
    """A key that others can read, or use, is no secret."""
    path = tmp_path / "k"
    write_key(path, KEY)
    path.chmod(mode)
    with pytest.raises(Refused, match="can be read by others") as raised:
        read_key(path)
    assert raised.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        KEY.skey.encode(),
        KEY.skey.encode() + b"\n\n",
        KEY.skey.encode() + b"\r\n",
        b"\xff\n",
        KEY.skey[:-1].encode() + b"\n",
        b"x" * (MAX_KEY_FILE_SIZE + 1),
    ],
)
def test_what_is_no_key(tmp_path: Path, data: bytes) -> None:
    """The message shows nothing of what is there: it may be a damaged secret."""
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_bytes(data)
    with pytest.raises(Malformed) as raised:
        read_key(path)
    assert KEY.skey[20:30] not in f"{raised.value}{raised.value.found}"


def test_not_there(tmp_path: Path) -> None:
    """No key, and what cannot be a file, are told apart."""
    with pytest.raises(NotFound):
        read_key(tmp_path / "k")
    with pytest.raises(AccessError):
        read_key(tmp_path)
