"""What will not do: at which address it was read, and whether the log or the way to it is to blame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.fault_server import serving
from tests.support.no_objects import NO_OBJECTS, PAGES
from tests.support.readers import OTHER_KEY, POLICY, Objects, entry, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError, ForkError, LogError, Malformed, NotFound, SignatureError, TileError, TilesError
from tiles.notes.policy import parse_policy
from tiles.read.client import LogClient
from tiles.read.trouble import found_instead
from tiles.read.trust import resolve
from tiles.records.paths import POLICY as POLICY_PATH
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Trust

SIZE = 600
PATHS = [CHECKPOINT, "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000", "tile/entries/002.p/88"]


def read_all(objects: Objects) -> None:
    """Read all of a log."""
    client = LogClient(objects, POLICY)
    client.find(leaf_hash(b"not there"))
    list(client.entries(0, SIZE))


@pytest.mark.parametrize(("data", "found"), NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_object_is_the_way(path: str, data: bytes, found: str) -> None:
    """A web page or nothing in the place of any object says nothing about the log; the message names what and where."""
    with pytest.raises(TilesError, match=f"^test://log/{path} {found}$") as caught:
        read_all(Objects({**make_log(SIZE), path: data}))
    assert type(caught.value) is AccessError
    assert "URL" in caught.value.hint


@pytest.mark.parametrize(("data", "found"), NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
@pytest.mark.parametrize("path", [POLICY_PATH, CHECKPOINT])
def test_first_use_of_what_is_no_object(tmp_path: Path, path: str, data: bytes, found: str) -> None:
    """On first use too, and nothing is remembered."""
    trust = Trust(tmp_path / "config")
    with pytest.raises(AccessError, match=f"^test://log/{path} {found}$"):
        resolve("test://log", Objects({**make_log(5), path: data}), trust)
    assert not trust.path.exists()


@pytest.mark.parametrize("full", ["tile/0/001", "tile/entries/001"])
def test_a_full_tile_that_is_a_page(full: str) -> None:
    """Where a partial tile is cut from the full one, the full one is named."""
    objects = {path: data for path, data in make_log(300, 600).items() if ".p/44" not in path}
    objects |= {CHECKPOINT: make_log(300)[CHECKPOINT], full: PAGES["a page"]}
    with pytest.raises(AccessError, match=rf"^test://log/{full} is a web page \(HTML\)$"):
        LogClient(Objects(objects), POLICY).entry(280)


def wrong_bundle() -> bytes:
    """Return a bundle in which one entry is another one."""
    return encode_entries([entry(index) if index != 300 else b"other" for index in range(256, 512)])


WRONG: dict[str, tuple[Callable[[], dict[str, bytes]], type[LogError], str]] = {
    "no note": (lambda: {CHECKPOINT: b"checkpoint\n"}, Malformed, f"{CHECKPOINT}: malformed signed note"),
    "no checkpoint": (
        lambda: {CHECKPOINT: b"a\n1\n\n\xe2\x80\x94 a AAAAAAE=\n"},
        Malformed,
        f"{CHECKPOINT}: malformed checkpoint",
    ),
    "another key": (
        lambda: {CHECKPOINT: make_log(SIZE, key=OTHER_KEY)[CHECKPOINT]},
        SignatureError,
        f"{CHECKPOINT}: no signature by",
    ),
    "a short tile": (lambda: {"tile/0/000": b"x"}, TileError, "tile/0/000: 1 bytes instead of 8192"),
    "another tile": (lambda: {"tile/0/000": bytes(8192)}, TileError, "tile/0/000: hashes to"),
    "another edge": (
        lambda: {"tile/1/000.p/2": bytes(64)},
        TileError,
        "tile/0/002.p/88, test://log/tile/1/000.p/2: the right edge",
    ),
    "no bundle": (lambda: {"tile/entries/001": b"\0"}, TileError, "tile/entries/001: the last entry is cut short"),
    "another entry": (lambda: {"tile/entries/001": wrong_bundle()}, TileError, "tile/entries/001: entry 300 hashes to"),
    # entries may be pages, and a bundle or tile may begin with the bytes of one
    "a bundle of pages": (
        lambda: {"tile/entries/001": encode_entries([b"<html>" * 2000] * 256)},
        TileError,
        "tile/entries/001: entry 256 hashes to",
    ),
    "a tile like a tag": (lambda: {"tile/0/000": b"<h1 \0>".ljust(8192)}, TileError, "tile/0/000: hashes to"),
}


@pytest.mark.parametrize(("changes", "kind", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_log_is_told_with_its_address(
    changes: Callable[[], dict[str, bytes]], kind: type[LogError], says: str
) -> None:
    """What may be an object and is wrong is the log's fault; the message begins with the address of the object."""
    with pytest.raises(kind) as caught:
        read_all(Objects({**make_log(SIZE), **changes()}))
    assert caught.value.message.startswith(f"test://log/{says}")
    assert str(caught.value) == caught.value.message
    if isinstance(caught.value, TileError):
        assert caught.value.path == says.partition(":")[0].replace("test://log/", "") or ", " in caught.value.path


def test_a_fork_is_told_with_its_address(tmp_path: Path) -> None:
    """A second history is told with the address that showed it."""
    visits = Visits(tmp_path)
    LogClient(Objects(make_log(SIZE)), POLICY, visits=visits).visit()
    with pytest.raises(ForkError, match=r"^test://log/checkpoint: .*two histories"):
        LogClient(Objects(make_log(SIZE, tag="other")), POLICY, visits=visits).visit()


def test_a_policy_that_is_none(tmp_path: Path) -> None:
    """On first use, a policy.txt that is text and no policy is the log's fault, with its address."""
    objects = Objects({**make_log(5), POLICY_PATH: b"log\n"})
    with pytest.raises(Malformed, match=f"^test://log/{POLICY_PATH}: malformed policy"):
        resolve("test://log", objects, Trust(tmp_path / "config"))


@pytest.mark.parametrize("path", [CHECKPOINT, "tile/0/000", "tile/entries/002.p/88", POLICY_PATH])
def test_no_sound_object_is_taken_for_something_else(path: str) -> None:
    """Of what a log has, nothing looks like a page or like nothing; nor does a whole policy with comments."""
    assert found_instead(make_log(SIZE)[path]) == ""
    assert found_instead(f"# <none>\nlog {LOG.verifier.vkey}\nquorum none\n".encode()) == ""
    parse_policy(f"log {LOG.verifier.vkey}\nquorum none\n".encode())


@pytest.mark.parametrize("body", [b"", PAGES["a page"]], ids=["empty", "page"])
def test_commands(tiletree: Command, log: str, body: bytes) -> None:
    """A command that finds such a checkpoint exits 3, and names address and object without what is secret."""
    with serving({CHECKPOINT: body}) as server:
        done = tiletree("info", server.url.replace("://", "://me:s3cret@"), "--vkey", log, "--json")
        assert done.code == 3
        assert done.json["error"]["message"].startswith(f"{server.url}/{CHECKPOINT} is ")


def test_not_found_is_what_it_was() -> None:
    """An object that is not there is said to be not there, and not to be empty."""
    with pytest.raises(NotFound):
        LogClient(Objects({}), POLICY).visit()
