"""What is remembered of one's logs: written whole, read strictly, and done without where there is no place for it."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tiles.errors import AccessError, UsageError
from tiles.user.known_logs import FILE, MAX_SIZE, Remembered, recall, remember, try_to_remember

NAME = "s3://bucket/log"
ALL = Remembered("s3://bucket/log?region=x", "s3://other/log", "/k/key", "/k/anchor")
is_root = pytest.mark.skipif(os.geteuid() == 0, reason="NOT TESTED by root, who may read and write everything")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the file of a new user will be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "tiletree" / FILE


def test_remembered(file: Path) -> None:
    """It comes back as it was, each log by its name; what is not named is not written."""
    assert recall(NAME) is None
    remember(NAME, ALL)
    remember("/logs/a", Remembered("/logs/a", key="/k/other"))
    assert recall(NAME) == ALL
    assert recall("/logs/a") == Remembered("/logs/a", None, "/k/other", None)
    assert recall(NAME + "2") is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_bytes())["logs"]["/logs/a"]) == {"log", "key"}
    remember(NAME, Remembered(NAME))
    assert recall(NAME) == Remembered(NAME)


def test_nothing_is_written_twice(file: Path) -> None:
    """What is remembered already is not written again."""
    assert try_to_remember(NAME, ALL)
    before = file.stat()
    assert try_to_remember(NAME, ALL)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_many_at_once(file: Path) -> None:
    """Writers at the same time lose nothing of each other's."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: remember(f"s3://b/{n}", Remembered(f"s3://b/{n}", f"s3://p/{n}")), range(16)))
    assert [recall(f"s3://b/{n}") for n in range(16)] == [
        Remembered(f"s3://b/{n}", f"s3://p/{n}") for n in range(16)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"1", b"null", b"{}", b'{"logs": []}', b'{"logs": "x"}', b'"logs"', b"\xff\xfe",
        b"[" * 100_000,
        b'{"logs": {"s3://bucket/log": []}}',
        b'{"logs": {"s3://bucket/log": "x"}}',
        b'{"logs": {"s3://bucket/log": {"private": 1}}}',
        b'{"logs": {"s3://bucket/log": {"private": null}}}',
        b'{"logs": {"s3://bucket/log": {"private": ""}}}',
        b'{"logs": {"s3://bucket/log": {"key": "a\\u0000b"}}}',
        b'{"logs": {"s3://bucket/log": {"key": "\\ud800"}}}',
        b'{"logs": {"s3://bucket/log": {"keys": "x"}}}',
    ],
)  # fmt: skip
def test_damaged(content: bytes, file: Path, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong call that names the file, and what it says is not written over; every command ends in the same way."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(file.parents[1]))
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(UsageError, match=FILE) as caught:
        recall(NAME)
    assert caught.value.hint
    for command in (
        ["init", NAME, "--private", "s3://p/log", "--origin", ORIGIN],
        ["add", NAME, "--again", "/dev/null"],
    ):
        done = tiletree(*command)
        assert done.code == 2, done
        assert FILE in done.err
    assert file.read_bytes() == content


@pytest.mark.parametrize("content", [b'{"logs": {}}', b'{"logs": {"x": 1}}', b'{"logs": {}, "more": 1}'])
def test_what_is_no_damage(content: bytes, file: Path) -> None:
    """What it says of other logs, or besides, is nobody's business."""
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert recall(NAME) is None
    assert try_to_remember(NAME, ALL)
    assert recall(NAME) == ALL


def test_too_long(file: Path) -> None:
    """What is longer than any such file is not read."""
    file.parent.mkdir(parents=True)
    file.write_bytes(b" " * (MAX_SIZE + 1))
    with pytest.raises(AccessError, match="longer than"):
        recall(NAME)


def without_home(patch: pytest.MonkeyPatch, home: str) -> None:
    """Let the user's home be that, or none."""
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        patch.delenv(variable, raising=False)
    if home:
        patch.setenv("HOME", home)
    else:
        patch.setattr(Path, "home", _no_home)


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("home", ["", "/dev/null"])
def test_without_a_home(home: str, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose user has no home needs none, as long as everything is named; `init` says that it cannot remember."""
    without_home(monkeypatch, home)
    assert recall(NAME) is None
    assert not try_to_remember(NAME, ALL)
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--private", "p")
    assert done.code == 0, done
    assert "could not be remembered: name --private, --key and --anchor in later calls" in done.err
    Path("a").write_bytes(b"a")
    tiletree.ok("add", "log", "--again", "a", "--key", "k", "--private", "p")
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", Path("k").read_text())
    monkeypatch.setenv("TILETREE_ANCHOR", "k.anchor")
    monkeypatch.setenv("TILETREE_PRIVATE", "p")
    assert tiletree.ok("add", "log", "--again", "a")["size"] == 2
    tiletree.ok("submit", "log", "--again", "a", "--submitter", "ci")
    assert tiletree.ok("sequence", "log")["size"] == 3


@is_root
def test_a_home_that_cannot_be_written(tiletree: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is begun, and what could not be remembered is said."""
    home = tmp_path / "locked"
    home.mkdir(mode=0o500)
    without_home(monkeypatch, str(home))
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--private", "p")
    assert done.code == 0, done
    assert "could not be remembered" in done.err


def test_a_file_that_cannot_be_read(file: Path) -> None:
    """What is there and cannot be read is no empty memory: it may say that the parts are elsewhere."""
    file.mkdir(parents=True)
    with pytest.raises(AccessError, match="cannot be read"):
        recall(NAME)
    assert not try_to_remember(NAME, ALL)
