"""The status of a log: what its next run will do first, for each state that a run may have left it in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.guarding import OTHER_ROOT
from tests.support.world import ORIGIN, World, some_entries
from tiles.errors import NotFound
from tiles.notes.index_head import IndexHead, sign_index_head
from tiles.records.paths import ANCHOR, STAGING
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE, TreeHead
from tiles.upkeep.status import Status, look


def status(world: World) -> Status:
    """Look at a log, and see that nothing was written."""
    before = world.contents()
    found = look(world.stores["public"], world.stores["private"], world.stores["anchor"], world.now)
    assert world.contents() == before
    return found


def died_at(world: World, what: str) -> None:
    """Let a run that adds two entries die after the first operation of that name."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(some_entries("new", 2))
    at = next(number for number, (done, _) in enumerate(counting.done) if done.startswith(what))
    with pytest.raises(Died):
        world.sequencer(Faults(at, Fault.DIES).wrap).append(some_entries("new", 2))


def lose_the_batch(world: World) -> None:
    """Remove the staged batch of a run that died after its commit."""
    died_at(world, "private swap head")
    world.stores["private"].delete([listed.path for listed in world.stores["private"].list(STAGING)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: None, "add to the log, from index 3"),
        (lambda world: world.sequencer().freeze(), "add nothing: the log is frozen"),
        (lambda world: died_at(world, "private create staging/"), "add to the log, from index 3"),
        (lambda world: died_at(world, "private swap head"), "publish the committed tree of size 5, then add to it"),
        (lambda world: died_at(world, "public swap checkpoint"), "tidy up after the last run, then add to the log"),
        (lambda world: world.put("anchor", ANCHOR, None), "refuse: there is no anchor at "),
        (lose_the_batch, "refuse: the committed batch is lost: staging/"),
        (lambda world: world.put("public", CHECKPOINT, None), "refuse: "),
        (lambda world: world.put("public", CHECKPOINT, b"damaged"), "refuse: memory://public/checkpoint: malformed "),
        (
            lambda world: world.put("anchor", ANCHOR, b"damaged"),
            "refuse: memory://anchor/anchor: malformed tiletree-anchor/v2",
        ),
        (
            lambda world: world.move_anchor(tree=TreeHead(3, OTHER_ROOT)),
            "refuse: the head commits to ",
        ),
    ],
)
def test_what_comes_next(change: Callable[[World], object], said: str) -> None:
    """One sentence, whatever was done to the log, and nothing is written."""
    world = World().grown(1, 2)
    change(world)
    found = status(world)
    assert found.next.startswith(said)
    assert bool(found.refusal) == said.startswith("refuse")


def test_what_is_there() -> None:
    """Head, published checkpoint, staged batches and anchor are told as they are found."""
    world = World().grown(1, 2)
    found = status(world)
    assert found.published is not None
    assert found.head.tree == found.published.tree == found.anchor.tree
    assert (found.head.tree.size, found.staged) == (3, ())
    died_at(world, "private swap head")
    found = status(world)
    assert found.published is not None
    assert (found.head.tree.size, found.published.tree.size) == (5, 3)
    assert found.staged == (found.head.staged_path,)


def test_no_log() -> None:
    """Where there is no head there is no log."""
    with pytest.raises(NotFound):
        status(World())


def test_how_far_the_index_is() -> None:
    """Of each kind of keys: how much is covered, or why nobody can tell."""
    world = World().grown(3)
    assert status(world).indexes == ()
    empty = IndexHead(ORIGIN, "leaf/1", EMPTY_TREE, ())
    world.put("public", "index/leaf/1/head", sign_index_head(empty, world.key).data)
    world.put("public", "index/name/1/head", sign_index_head(empty, world.key).data)
    world.put("public", "index/sha256/1/0/000/000", b"")
    world.put("public", "index/Odd/1/head", b"")
    found = status(world).indexes
    assert found[0] == ("leaf/1", 0, "")
    assert found[1][2] == f"malformed index head: it is of {ORIGIN}, leaf/1"
    assert found[2] == ("sha256/1", 0, "it has no head")
    assert len(found) == 3
