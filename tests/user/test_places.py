"""Where the parts of a log are: what is named over what the environment says over what is remembered over defaults."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, files, owner_only
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tiles.errors import UsageError
from tiles.store.address import absolute, name_of
from tiles.user.known_logs import Remembered, recall, remember
from tiles.user.places import (
    anchor_store,
    inbox_store,
    is_same_bucket,
    private_in_bucket,
    private_store,
    private_url,
    public_store,
    remembered,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own, in an empty directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "XDG_CONFIG_HOME"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_named_comes_first(home: Path) -> None:
    """Named, remembered, default, in this order, each part for itself."""
    assert private_url("log") == "log.private"
    assert private_url("log", "p") == "p"
    remember(name_of("log"), Remembered("log", private="q", key="/k", anchor="/a"))
    assert private_url("log") == "q"
    assert private_url("./log/", "p") == "p"
    assert remembered("x/../log") == Remembered("x/../log", "q", "/k", "/a")
    with pytest.raises(UsageError, match="the private part of s3://b/log is not known"):
        private_url("s3://b/log?region=secret")
    assert private_url("s3://b/log", "p") == "p"


def test_options_of_urls() -> None:
    """Options that are named now are all there are; without any, those that are remembered."""
    remember("s3://b/log", Remembered("s3://b/log?region=x", "s3://p/log?region=y"))
    assert remembered("s3://b/log").log == "s3://b/log?region=x"
    assert remembered("s3://b/log/").log == "s3://b/log?region=x"
    assert remembered("s3://b/log?endpoint=http://h").log == "s3://b/log?endpoint=http://h"
    assert private_url("s3://b/log?endpoint=http://h") == "s3://p/log?region=y"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("s3://b/log", "s3://b/log.private"),
        ("s3://b/log/?region=x", "s3://b/log.private?region=x"),
        ("az://c/a/log?account=y", "az://c/a/log.private?account=y"),
    ],
)
def test_private_in_bucket(log: str, expected: str) -> None:
    """It is beside the public part, in the same bucket, with the same options."""
    assert private_in_bucket(log) == expected
    assert is_same_bucket(log, expected)


@pytest.mark.parametrize("log", ["s3://b", "s3://b/", "s3://b?region=x"])
def test_all_of_a_bucket(log: str) -> None:
    """A log without a prefix has no place beside it: another bucket's name would come out."""
    with pytest.raises(UsageError, match="all of a bucket"):
        private_in_bucket(log)


def test_the_anchor_and_absolute_places(home: Path) -> None:
    """The anchor is beside the key unless it is named; paths that are remembered do not depend on where one is."""
    assert anchor_store(Path("k")).url == str(Path("k.anchor"))
    assert anchor_store(Path("k"), "elsewhere").url == "elsewhere"
    assert absolute("x") == str(home / "x")
    assert absolute("s3://b/x?region=y") == "s3://b/x?region=y"


def test_the_inbox_of_a_log_behind_a_server(home: Path) -> None:
    """Whoever submits may name the log as readers do, if the private part is named."""
    assert inbox_store("https://log.example.com", "p").url == "p"
    with pytest.raises(UsageError):
        inbox_store("https://log.example.com")
    with pytest.raises(UsageError, match="inside"):
        inbox_store("log", "log/p")


# ---- the command


def test_flags_environment_memory_default(s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """For --key, --private and --anchor: a flag over a variable over what `init` remembered over the default."""
    vkey = begin(tiletree, LOG, PRIVATE, "--key", "k", "--anchor", "s3://anchors/a")
    known = recall(LOG)
    assert known == Remembered(LOG, PRIVATE, str(Path("k").absolute()), "s3://anchors/a")
    tiletree.ok("add", LOG, "--again", *files("a"))
    assert "a/anchor" in contents(s3)["anchors"]
    begin(tiletree, "s3://public/other", "s3://private/other", origin="other.example.com")
    default = Path("home/XDG_CONFIG_HOME/tiletree/keys/other.example.com.key")
    assert default.is_file()
    for option, variable, wrong in (
        ("--key", "TILETREE_KEY", str(default)),
        ("--private", "TILETREE_PRIVATE", "s3://private/other"),
        ("--anchor", "TILETREE_ANCHOR", "s3://anchors/b"),
    ):
        right = {"--key": "k", "--private": PRIVATE, "--anchor": "s3://anchors/a"}[option]
        assert tiletree("add", LOG, "--again", "a", option, wrong).code == 4
        monkeypatch.setenv(variable, wrong)
        assert tiletree("add", LOG, "--again", "a").code == 4
        tiletree.ok("add", LOG, "--again", "a", option, right)
        monkeypatch.setenv(variable, right)
        tiletree.ok("add", LOG, "--again", "a")
        monkeypatch.delenv(variable)
    tiletree.ok("audit", LOG, "--vkey", vkey)


def test_the_same_bucket(s3: ObjectServer, tiletree: Command) -> None:
    """It has to be asked for, and be closed to readers without credentials; then other commands find it."""
    options = ("--origin", ORIGIN, "--key", "k")
    refused = tiletree("init", LOG, "--private", "s3://public/own", *options)
    assert refused.code == 2
    assert "--private-in-bucket" in refused.err
    assert tiletree("init", LOG, "--private", "s3://x/y", "--private-in-bucket", *options).code == 2
    assert tiletree("init", "log", "--private-in-bucket", *options).code == 2
    assert tiletree("init", "s3://public", "--private-in-bucket", *options).code == 2
    readable = tiletree("init", LOG, "--private-in-bucket", *options)
    assert readable.code == 4
    assert "s3://public/log.private can be read by anyone" in readable.err
    assert "--readable-private" in readable.err
    assert contents(s3) == {}
    assert not Path("k").exists()
    owner_only(s3)
    tiletree.ok("init", LOG, "--private-in-bucket", *options)
    tiletree.ok("init", LOG, *options)
    tiletree.ok("add", LOG, "--again", *files("a"))
    assert "log.private/head" in s3.objects["public"]


def test_a_readable_private_part(s3: ObjectServer, tiletree: Command) -> None:
    """In any bucket it is refused, unless that is asked for, and again if `init` is called again before it began."""
    owner_only(s3, "public", "private")
    assert tiletree("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--key", "k").code == 4
    tiletree.ok("key", "generate", ORIGIN, "--out", "k")
    assert tiletree("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--key", "k").code == 4
    assert contents(s3) == {}
    begin(tiletree, LOG, PRIVATE, "--key", "k", "--readable-private")
    tiletree.ok("add", LOG, "--again", *files("a"))


def test_stores() -> None:
    """Directories for paths, object stores for their URLs; only the private part is never to be kept."""
    assert public_store("log").url == "log"
    assert private_store("log").url == "log.private"


# ---- one place by several names


@pytest.fixture
def linked(tiletree: Command) -> Command:
    """The command, with a log at real/log whose key is real/k; `log` and `k` are links to them, `way` one to real."""
    Path("real").mkdir()
    tiletree.ok("init", "real/log", "--origin", ORIGIN, "--key", "real/k")
    Path("log").symlink_to("real/log")
    Path("k").symlink_to(Path("real/k").absolute())
    Path("way").symlink_to("real")
    Path("twice").symlink_to("log")
    return tiletree


@pytest.mark.parametrize("name", ["log", "twice", "way/log", "./log/", "way/../log", "real/../log"])
def test_a_log_through_a_link(linked: Command, name: str) -> None:
    """It has the same private part, key and anchor, whichever way it is named."""
    assert linked.ok("add", name, "--again", *files("a"))["size"] == 1
    assert linked.ok("status", name)["anchor"]["size"] == 1
    linked.ok("submit", name, "--again", "a", "--submitter", "ann", "--receipt", "receipt")
    assert linked.ok("sequence", "real/log")["size"] == 2
    assert linked.ok("add", "real/log", "--again", "a", "--key", "real/k")["size"] == 3
    assert not list(Path().glob("*.private"))
    assert {path.name for path in Path("real").iterdir()} == {"log", "log.private", "k", "k.anchor"}


@pytest.mark.parametrize("key", ["k", "way/k", "real/k"])
def test_a_key_through_a_link(linked: Command, key: str) -> None:
    """One key has one anchor: a link to it does not begin another one, which would know nothing of the first."""
    linked.ok("add", "real/log", "--again", *files("a"), "--key", "real/k")
    linked.ok("add", "log", "--again", "a", "--key", key)
    assert not list(Path().glob("*.anchor"))
    assert linked.ok("status", "log", "--key", key)["anchor"]["size"] == 2


def test_a_log_that_is_begun_through_a_link(tiletree: Command) -> None:
    """What `init` remembers is where the log is, so that it is found by that name, too."""
    Path("disk").mkdir()
    Path("disk/log").mkdir()
    Path("log").symlink_to("disk/log")
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--anchor", "anchor")
    assert Path("disk/log.private").is_dir()
    assert tiletree.ok("add", "disk/log", "--again", *files("a"))["size"] == 1
    known = recall(name_of("disk/log"))
    assert known is not None
    assert known.log == str(Path("disk/log").absolute())


@pytest.mark.parametrize("words", [("info",), ("status",), ("add", "a"), ("sequence",), ("gc",), ("audit",)])
def test_links_in_a_circle(tiletree: Command, words: tuple[str, ...]) -> None:
    """A path that leads nowhere is a wrong call, for whoever writes as for whoever reads."""
    files("a")
    Path("one").symlink_to("two")
    Path("two").symlink_to("one")
    done = tiletree(words[0], "one", *words[1:], "--json")
    assert done.code == 2, done
    assert "is not a path" in done.json["error"]["message"]


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a b", "\u00e9", "a'b", "-x", "\u2028"])
def test_odd_names_of_directories(tiletree: Command, name: str, home: Path) -> None:
    """A log at any path can be read without a key, again and again; what cannot be remembered is said."""
    place = str(home / "real" / name)
    tiletree.ok("init", "real/log", "--origin", ORIGIN, "--key", "k")
    Path("real/log").rename(place)
    Path("real/log.private").rename(f"{place}.private")
    for _ in range(2):
        done = tiletree.ok("info", place)
        assert done["trust"] == "first use, not pinned"
        assert ("not_remembered" in done) == bool({"\t", "\n"} & set(name))
    assert tiletree.ok("add", place, "--again", *files("a"), "--key", "k")["size"] == 1
    assert tiletree.ok("info", f"file://{quote(place)}")["size"] == 1


def test_a_name_that_is_not_utf8(tiletree: Command, home: Path) -> None:
    """A name is bytes: each way of writing them names the same directory."""
    place = os.fsdecode(os.fsencode(home) + b"/\xff")
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    Path("log").rename(place)
    assert "not one line of text" in tiletree.ok("info", place)["not_remembered"]
    assert tiletree.ok("info", f"file://{quote(str(home))}/%FF")["size"] == 0
