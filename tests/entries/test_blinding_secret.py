"""The blinding secret: made once, whatever dies or runs beside, lasting, for its owner only, and never shown."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest

from tiles.entries.blinding_secret import MAX_FILE_SIZE, read_secret, secret_at
from tiles.errors import AccessError, NotFound, Refused, UsageError
from tiles.user import files

SECRET = bytes(range(32))
TEXT = (
    b"tiletree/blinding-secret/v1\n"
    b"secret AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    b"check " + sha256(SECRET).hexdigest()[:16].encode() + b"\n"
)


def kept(path: Path, data: bytes = TEXT, mode: int = 0o600) -> Path:
    """Write a file as somebody has it."""
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_the_first_use(tmp_path: Path) -> None:
    """It is made, of mode 0600 and alone, and from then on it is the same."""
    path = tmp_path / "new" / "k.blinding"
    before = os.umask(0)
    try:
        secret, is_new = secret_at(path)
    finally:
        os.umask(before)
    assert (len(secret), is_new, stat.S_IMODE(path.stat().st_mode)) == (32, True, 0o600)
    assert list(path.parent.iterdir()) == [path]
    assert secret_at(path) == (secret, False)
    assert secret != secret_at(tmp_path / "other")[0]


def test_the_file(tmp_path: Path) -> None:
    """Byte for byte as docs/entry-formats.md has it."""
    assert read_secret(kept(tmp_path / "s")) == SECRET
    with pytest.raises(NotFound, match="there is no blinding secret at"):
        read_secret(tmp_path / "t")


DAMAGED = {
    "nothing": b"",
    "cut short": TEXT[:-1],
    "longer": TEXT + b"\n",
    "far longer": TEXT + b"x" * MAX_FILE_SIZE,
    "a changed bit of it": TEXT.replace(b"AAEC", b"AAED"),
    "a changed bit of the check": TEXT[:-2] + (b"0" if TEXT[-2:-1] != b"0" else b"1") + b"\n",
    "not canonical": TEXT.replace(b"Hh8=", b"Hh9="),
    "no base64": TEXT.replace(b"AAEC", b"A=EC"),
    "shorter": TEXT.replace(b"Hh8=", b"Hg=="),
    "another version": TEXT.replace(b"/v1", b"/v2"),
    "a key": b"PRIVATE+KEY+log.example.com+12345678+AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    "zeros": bytes(len(TEXT)),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged(tmp_path: Path, data: bytes) -> None:
    """It is said which file it is, and nothing of what is in it; nothing is made in its place."""
    path = kept(tmp_path / "s", data)
    for call in (read_secret, secret_at):
        with pytest.raises(UsageError, match=f"^{path} is not a blinding secret, or is damaged$") as caught:
            call(path)
        assert "restore it from a copy" in caught.value.hint
        assert caught.value.__cause__ is None
        assert "AAEC" not in repr(caught.value)
    assert path.read_bytes() == data


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_others_may_not_read_it(tmp_path: Path, mode: int) -> None:
    """One that others can do anything with is not used, and not replaced."""
    path = kept(tmp_path / "s", mode=mode)
    for call in (read_secret, secret_at):
        with pytest.raises(Refused, match="can be read by others than its owner") as caught:
            call(path)
        assert caught.value.hint == f"chmod 600 {path}"
    path.chmod(0o400)
    assert secret_at(path) == (SECRET, False)


def test_nobody_may_exchange_it(tmp_path: Path) -> None:
    """Nor is one in a folder where everyone may rename files."""
    path = kept(tmp_path / "s")
    tmp_path.chmod(0o777)
    with pytest.raises(Refused, match="can be written by everyone"):
        secret_at(path)
    tmp_path.chmod(0o755)


def test_first_uses_at_once(tmp_path: Path) -> None:
    """One of them makes it, and all have the same."""
    for number in range(5):
        path, start = tmp_path / str(number) / "s", Barrier(4)

        def use(_: int, path: Path = path, start: Barrier = start) -> tuple[bytes, bool]:
            start.wait()
            return secret_at(path)

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(use, range(4)))
        assert len({secret for secret, _ in found}) == 1
        assert sum(is_new for _, is_new in found) <= 1
        assert [secret for secret, _ in found] == [read_secret(path)] * 4
        assert list(path.parent.iterdir()) == [path]


def test_another_was_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is second, after it saw that there is none, uses what the first one wrote."""
    path = tmp_path / "s"
    link = os.link

    def later(temp: Path, name: Path) -> None:
        kept(path)
        link(temp, name)

    monkeypatch.setattr(os, "link", later)
    assert secret_at(path) == (SECRET, False)
    assert list(tmp_path.iterdir()) == [path]


def test_it_lasts_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made it: file and name are synced before the secret is returned."""
    synced: list[bool] = []  # whether it is a folder
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    secret_at(tmp_path / "s")
    assert synced == [False, True, True]  # the content, the name that it had first, and its name
    synced.clear()
    secret_at(tmp_path / "s")
    assert synced == [False, True]


def test_a_run_that_dies_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is there, and the next run makes another one."""

    def fail(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "link", fail)
        with pytest.raises(AccessError, match="cannot be written: No space left"):
            secret_at(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []
    assert secret_at(tmp_path / "s")[1]
