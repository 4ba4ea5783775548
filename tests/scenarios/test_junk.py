"""Whoever may only create objects in the inbox can delay others by one batch, and stop nothing: many kinds of junk."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.junk import FILES, KEYS, TROUBLES, Objects, Trouble, odd_contents, odd_names, well_named
from tests.support.object_server import ObjectServer
from tests.support.object_server_world import Place
from tests.support.sampling import quickly
from tests.support.world import World, some_entries
from tiles.inbox.submission import format_submission
from tiles.records.paths import INBOX
from tiles.store import Store
from tiles.upkeep.gc import gc

HONEST = some_entries("honest", 2)
KINDS = {**odd_names(), **odd_contents()}
PLAIN = [*KINDS, *TROUBLES]
QUICK = set([kind for kind in PLAIN if not kind.startswith("500 ")][::10])  # the same in all processes

NAMELESS = {
    "a line break",
    "a tab",
    "an escape sequence",
    "a delete character",
}  # obstore lists no such name, nor past it


def tried(place: str, kind: str) -> None:
    """Say what was tried."""
    sys.stdout.write(f"tried in a {place}: {kind}\n")


def put(world: World, objects: Objects) -> None:
    """Put objects into the inbox, if its store can hold them."""
    for name, data in objects.items():
        world.stores["private"].create({INBOX + name: data})


def check(world: World, wrap: Callable[[Store, str], Store] = lambda store, _role: store) -> None:
    """The honest submission is logged in the next run or the one after; all else works, and comes to rest."""
    put(world, well_named(format_submission(HONEST), submitter="ann"))
    for _ in range(2):
        world.sequencer(wrap).sequence()
        if {*HONEST} <= {*world.committed()}:
            break
    else:
        pytest.fail("the honest submission is not logged after two runs")
    world.sequencer(wrap).append([b"added after"])
    size = 0
    while size != (size := world.size()):
        world.sequencer(wrap).sequence()
    assert world.sequencer(wrap).freeze().tree.size == size
    committed = world.committed()
    assert [committed.count(entry) for entry in HONEST] == [1, 1]


def trouble(kind: str) -> Callable[[Store, str], Store]:
    """Return what makes one kind of trouble."""
    return lambda store, role: Trouble(store, *TROUBLES[kind]) if role == "private" else store


@contextmanager
def world_in(place: str, folder: Path) -> Iterator[World]:
    """Give a log with some entries."""
    if place == "bucket":
        with ObjectServer("s3") as server:
            yield Place(server).world(World().grown(3))
    else:
        yield World(folder if place == "directory" else None).grown(3)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        pytest.param(place, kind, marks=() if place != "bucket" and kind in QUICK else pytest.mark.slow)
        for place in ("memory", "directory", "bucket")
        for kind in PLAIN
    ],
)
def test_junk(place: str, kind: str, tmp_path: Path) -> None:
    """A submission beside junk of any kind is logged by the second run at the latest, wherever the log is."""
    tried(place, kind)
    with world_in(place, tmp_path) as world:
        if kind in KINDS:
            put(world, KINDS[kind])
            check(world)
            stays = place == "bucket" and kind in NAMELESS
            assert stays or not list(world.stores["private"].list(INBOX)), (
                "some of it stays, and costs a listing for ever"
            )
        else:
            put(world, {**well_named(format_submission([b"of eve"]), b"junk"), "eve/a b": b"junk"})
            check(world, trouble(kind))


@pytest.mark.parametrize("kind", quickly(FILES, ["a pipe", "a link to a folder"]))
def test_junk_files(kind: str, tmp_path: Path) -> None:
    """The same beside what only a directory can hold."""
    tried("directory", kind)
    world = World(tmp_path).grown(3)
    eve = tmp_path / "private" / "inbox" / "eve"
    eve.mkdir(parents=True)
    FILES[kind](eve)
    try:
        check(world)
    finally:
        subprocess.run(["rm", "-rf", eve], check=True)  # what is nested as deeply stops whoever tidies up after tests


@pytest.mark.slow
@pytest.mark.parametrize("kind", KEYS)
def test_junk_keys(kind: str, tmp_path: Path) -> None:
    """The same beside what only a bucket can hold."""
    tried("bucket", kind)
    with ObjectServer("s3") as server:
        world = Place(server).world(World().grown(3))
        for key in KEYS[kind]:
            server.put("private", f"log/inbox/{key}", b"junk")
        check(world)


def test_what_a_bucket_does_not_delete() -> None:
    """The store denies the deletion of one submitter's objects, in one request with all others': the others' go."""
    tried("bucket", "objects under a hold")
    with ObjectServer("s3", page=3) as server:
        world = Place(server).world(World().grown(3))
        put(world, {**well_named(*(format_submission([b"%d" % n]) for n in range(5))), "eve/a b": b"junk"})
        server.access = {"tester": lambda asked: asked.kind != "DELETE" or "/inbox/eve/" not in f"/{asked.key}"}
        check(world)
        private = world.stores["private"]
        assert len(list(private.list(INBOX))) == len(list(private.list("decided/"))) == 6
        server.access = {"tester": lambda _asked: True}
        stores = (Place(server).clients[role] for role in ("public", "private"))
        assert gc(*stores, now=world.now).decided == 6
        assert not list(private.list(INBOX))


def test_there_are_fifty_kinds() -> None:
    """Of each of them a directory is tried and a bucket."""
    assert len(PLAIN) >= 50
