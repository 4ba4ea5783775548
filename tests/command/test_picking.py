"""Which files a call means: folders, patterns, and what is left out of both."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.errors import AccessError, UsageError
from tiletree.picking import pick


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with files, some of which stand beside others, and with what is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("dist/b", "dist/a", "dist/c/d/e", "dist/c/d.txt", "dist/.hidden", "dist/.git/config", "dist/z.asc"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    for suffix in ("tlog-proof", "sigstore.json", "asc", "sig", "minisig", "endorsement"):
        Path(f"dist/a.{suffix}").write_text("anything")
    Path("dist/gone.tlog-proof").write_text("c2sp.org/tlog-proof@v1\nindex 0\n")
    Path("dist/no.tlog-proof").write_text("a file that is only called so")
    Path("dist/link").symlink_to("a")
    Path("dist/loop").symlink_to(".")
    os.mkfifo("dist/pipe")
    return Path("dist")


FOUND = ("dist/a", "dist/b", "dist/c/d/e", "dist/c/d.txt", "dist/no.tlog-proof", "dist/z.asc")


def test_a_folder(dist: Path) -> None:
    """All regular files below it, by name; what is hidden, linked or special is left out, and each is named."""
    found = pick([str(dist)])
    assert found.files == FOUND
    beside = ["a.asc", "a.endorsement", "a.minisig", "a.sig", "a.sigstore.json", "a.tlog-proof", "gone.tlog-proof"]
    assert sorted(found.left_out) == sorted(
        [
            *((f"dist/{name}", "beside") for name in beside),
            ("dist/.git", "hidden"),
            ("dist/.hidden", "hidden"),
            ("dist/link", "link"),
            ("dist/loop", "link"),
            ("dist/pipe", "special"),
        ]
    )


def test_a_pattern_is_what_the_shell_makes_of_it(dist: Path) -> None:
    """Quoted or not, dist/* means the same; a file that is called like a pattern is meant itself."""
    expanded = sorted(str(path) for path in dist.iterdir() if not path.name.startswith("."))
    expanded.remove("dist/loop")
    found = pick(expanded)
    assert found.files == (*FOUND[:2], *FOUND[2:4], "dist/link", *FOUND[4:])
    assert ("dist/pipe", "special") in found.left_out
    (dist / "loop").unlink()
    assert pick(["dist/*"]) == found
    Path("dist/[ab]").write_text("odd")
    assert pick(["dist/[ab]"]).files == ("dist/[ab]",)


def test_what_is_named_itself(dist: Path) -> None:
    """A hidden file, a link and a folder that is a link are taken; a file that is named twice, twice."""
    assert pick(["dist/.hidden", "dist/link", "dist/.git", "-"]).files == (
        "dist/.hidden",
        "dist/link",
        "dist/.git/config",
        "-",
    )
    assert pick(["dist/loop/c"]).files == ("dist/loop/c/d/e", "dist/loop/c/d.txt")
    assert pick(["dist/a", "dist/a", "dist", "./dist/b"]).files[:3] == ("dist/a", "dist/a", "dist/b")
    assert pick(["dist/a.asc"]).files == ("dist/a.asc",)
    assert pick(["dist/a.asc", "./dist/a"]).files == ("./dist/a",)


def test_parts_of_the_log(dist: Path) -> None:
    """Whoever names a folder around the log does not mean the log, its private part or its key."""
    for name in ("log", "log.private"):
        Path(name).mkdir()
        Path(name, "head").write_text("x")
    Path("log.key").write_text("secret")
    own = [Path("log"), Path("log.private"), Path("log.key"), Path("nowhere")]
    found = pick(["."], own)
    assert "./dist/a" in found.files
    assert not [file for file in found.files if file.startswith("./log")]
    assert sorted(path for path, why in found.left_out if why == "own") == ["./log", "./log.key", "./log.private"]
    with pytest.raises(UsageError, match="1 part of the log itself, log"):
        pick(["log"], own)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("dist/missing", "there is no file dist/missing"),
        ("dist/a/b", "there is no file dist/a/b"),
        ("dist/*.whl", "no file fits the pattern dist/\\*.whl"),
        ("dist/**", r"\*\* is not a pattern here"),
        ("https://example.com/app.whl?v=1", r"there is no file https://example\.com/app\.whl\?v=1"),
        ("dangling", "there is no file dangling"),
        ("empty", "there is no file to take; left out: 1 folder without a file to take, empty"),
        ("hidden", "1 folder without a file to take, hidden; 1 hidden file or folder, hidden/.x"),
        ("socket", "1 file that is no regular file, socket"),
        ("dist/a.tlog-proof", "1 file that proves or signs another one, dist/a.tlog-proof"),
        ("a\0b", "it is not a path"),
    ],
)
def test_nothing_to_take(dist: Path, named: str, says: str) -> None:
    """What is not there, and what has no file, is a wrong call."""
    Path("dangling").symlink_to("nowhere")
    Path("dist/a.tlog-proof").write_text("c2sp.org/tlog-proof@v1\n")
    for folder in ("empty", "hidden"):
        Path(folder).mkdir()
    Path("hidden/.x").write_text("")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("socket")
    listening.close()
    with pytest.raises(UsageError, match=says):
        pick([named])


def test_an_empty_folder_beside_others(dist: Path) -> None:
    """A shell names it with dist/*: the others are taken, and it is said."""
    (dist / "empty").mkdir()
    found = pick(["dist/a", "dist/empty"])
    assert (found.files, found.left_out) == (("dist/a",), (("dist/empty", "empty"),))


@pytest.mark.skipif(os.geteuid() == 0, reason="NOT TESTED by root, who may read everything")
def test_a_folder_that_cannot_be_read(dist: Path) -> None:
    """It is not left out: nobody can tell what is in it."""
    (dist / "c").chmod(0)
    with pytest.raises(AccessError, match="the folder dist/c cannot be read"):
        pick(["dist"])


def test_it_is_said(tiletree: Command, log: str) -> None:
    """Commands say what was left out, in a line for each reason, and in JSON."""
    Path("dist").mkdir()
    for name in ("x", ".y", ".z", "x.asc"):
        Path("dist", name).write_text(name)
    done = tiletree("add", "log", "dist", "--key", "k", "--json")
    assert done.json["left_out"] == [
        {"path": "dist/x.asc", "why": "beside"},
        {"path": "dist/.y", "why": "hidden"},
        {"path": "dist/.z", "why": "hidden"},
    ]
    assert [entry["name"] for entry in done.json["entries"]] == ["dist/x"]
    assert done.err.splitlines() == [
        "left out: 1 file that proves or signs another one, dist/x.asc",
        "left out: 2 hidden files and folders, such as dist/.y; what is named itself is taken",
    ]
    submitted = tiletree.ok("submit", "log", "dist/*", "--submitter", "ann")
    assert [entry["name"] for entry in submitted["entries"]] == ["dist/x"]
    wrong = tiletree("submit", "log", "nothing", "--submitter", "ann")
    assert (wrong.code, wrong.err.splitlines()[0]) == (2, "tiletree: there is no file nothing")


def test_the_key_beside_the_log(tiletree: Command, log: str) -> None:
    """`add LOG . --payload` would publish the key, if it were not left out."""
    shutil.rmtree("home/XDG_STATE_HOME")
    for name in ("file", "home/XDG_CONFIG_HOME/tiletree/keys/other.key"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    done = tiletree.ok("add", "log", ".", "--payload", "--key", "k")
    assert [entry["name"] for entry in done["entries"]] == ["./a", "./b", "./file", "./p"]
    assert {each["path"] for each in done["left_out"] if each["why"] == "own"} == {
        "./home/XDG_CONFIG_HOME/tiletree",
        "./k",
        "./k.anchor",
        "./log",
        "./log.private",
    }


def test_the_log_is_forgotten(tiletree: Command, log: str) -> None:
    """Who leaves out LOG is told that it comes first."""
    done = tiletree("add", "a")
    assert (done.code, done.err) == (
        2,
        "tiletree: a is a file, and no log\nhint: the log comes first: tiletree add LOG FILE…\n",
    )
