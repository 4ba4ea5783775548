"""Guards: whatever was put back, removed or changed from outside is refused, with a word on what was found.

And nothing is written or signed: all three stores are compared before and after.
"""
# ruff: noqa: D103 - the name of a case says what was done

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Passing
from tests.support.guarding import (
    ACTIONS,
    NEW,
    OTHER_ROOT,
    Cases,
    back_to,
    case_of,
    check_refused,
    die,
    edit_head,
    flip,
    in_places,
    old,
    publish,
    signed_by_us,
    sound,
    staged,
)
from tests.support.world import World, some_entries
from tiles.errors import Refused, Unfinished
from tiles.records.staged_batch import Batch, digest
from tiles.signing.anchor import FROZEN, SEALED
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.tree.merkle import EMPTY_TREE, TreeHead
from tiles.write.sequencer import Sequencer

CASES: Cases = {}


# ---- the right edge


@case_of(CASES, "tile/0/001.p/44, tile/1/000.p/1: the right edge gives root", "append")
def level_0_tile_changed(world: World) -> None:
    flip(world, "public", "tile/0/001.p/44")


@case_of(CASES, "tile/0/001.p/44, tile/1/000.p/1: the right edge gives root", "append")
def level_1_tile_changed(world: World) -> None:
    flip(world, "public", "tile/1/000.p/1", 0)


@case_of(CASES, "tile/entries/001.p/44: its entries do not have the leaf hashes", "append")
def bundle_changed(world: World) -> None:
    flip(world, "public", "tile/entries/001.p/44", 5)


@case_of(CASES, "malformed tile", "append")
def tile_cut_short(world: World) -> None:
    world.put("public", "tile/0/001.p/44", old(300, "public", "tile/0/001.p/44")[:-32])


@case_of(CASES, "malformed entry bundle", "append")
def bundle_cut_short(world: World) -> None:
    world.put("public", "tile/entries/001.p/44", old(300, "public", "tile/entries/001.p/44")[:-1])


@case_of(CASES, "tile/1/000.p/1 is gone", "append")
def tile_gone(world: World) -> None:
    world.put("public", "tile/1/000.p/1", None)


@case_of(CASES, "tile/entries/001.p/44 is gone", "append")
def bundle_gone(world: World) -> None:
    world.put("public", "tile/entries/001.p/44", None)


@case_of(CASES, "the right edge gives root")
def tile_changed_under_an_unpublished_batch(world: World) -> None:
    die(world, "public create tile")
    flip(world, "public", "tile/0/001.p/44")


@case_of(CASES, "exists with another content")
def something_else_where_the_batch_belongs(world: World) -> None:
    die(world, "public create tile")
    for path in ("tile/0/001.p/54", "tile/entries/001.p/54"):
        world.put("public", path, b"something else")


# ---- head, checkpoint and anchor put back, removed or changed


@case_of(CASES, "has size 10, and a tree of size 300 was published")
def head_put_back(world: World) -> None:
    world.put("private", "head", old(10, "private", "head"))


@case_of(CASES, "has size 0, and a tree of size 300 was published")
def head_put_back_to_the_first_without_an_anchor(world: World) -> None:
    world.put("private", "head", old(0, "private", "head"))
    world.put("anchor", "anchor", None)


@case_of(CASES, "has size 10, and a tree of size 300 was published")
def head_put_back_without_an_anchor(world: World) -> None:
    world.put("private", "head", old(10, "private", "head"))
    world.put("anchor", "anchor", None)


@case_of(CASES, "has size 10, and a tree of size 300 was signed")
def both_parts_put_back(world: World) -> None:
    for role in ("public", "private"):
        world.restore(role, back_to(10))


@case_of(CASES, "has size 0, and a tree of size 300 was signed")
def both_parts_put_back_to_the_first(world: World) -> None:
    for role in ("public", "private"):
        world.restore(role, back_to(0))


@case_of(CASES, "has size 10, and a tree of size 300 was signed")
def head_and_checkpoint_put_back(world: World) -> None:
    world.put("private", "head", old(10, "private", "head"))
    world.put("public", "checkpoint", old(10, "public", "checkpoint"))


@case_of(CASES, "checkpoint is gone; the log has 300 entries")
def checkpoint_removed(world: World) -> None:
    world.put("public", "checkpoint", None)


@case_of(CASES, "checkpoint is gone; the log has 3 entries")
def first_checkpoint_removed_under_an_unpublished_batch(world: World) -> None:
    for role in ("public", "private", "anchor"):
        world.restore(role, back_to(3))
    world.put("public", "checkpoint", None)


@case_of(CASES, "checkpoint is gone; the log has 300 entries")
def checkpoint_removed_without_an_anchor(world: World) -> None:
    world.put("public", "checkpoint", None)
    world.put("anchor", "anchor", None)


@case_of(CASES, "the published checkpoint has size 3, and one of size 10 was published before")
def checkpoint_put_back_before_the_base(world: World) -> None:
    world.put("public", "checkpoint", old(3, "public", "checkpoint"))


@case_of(CASES, "the published checkpoint has size 9, and one of size 10 was published before")
def checkpoint_right_before_the_base(world: World) -> None:
    publish(world, TreeHead(9, OTHER_ROOT))


@case_of(CASES, "the published checkpoint has size 10, and one of size 300 was published before")
def checkpoint_put_back_under_an_unpublished_batch(world: World) -> None:
    die(world, "public create tile")
    world.put("public", "checkpoint", old(10, "public", "checkpoint"))


@case_of(CASES, "the committed batch is lost")
def checkpoint_put_back_to_the_base_after_tidying(world: World) -> None:
    world.put("public", "checkpoint", old(10, "public", "checkpoint"))


@case_of(CASES, "is not one the head commits to")
def checkpoint_of_a_fork(world: World) -> None:
    publish(world, TreeHead(300, OTHER_ROOT))


@case_of(CASES, "is not one the head commits to")
def checkpoint_between_base_and_size(world: World) -> None:
    publish(world, TreeHead(100, OTHER_ROOT))


@case_of(CASES, "has size 300, and a tree of size 301 was published")
def checkpoint_ahead_of_the_head(world: World) -> None:
    publish(world, TreeHead(301, OTHER_ROOT))


@case_of(CASES, "was signed before")
def another_tree_of_the_size_was_signed(world: World) -> None:
    world.move_anchor(tree=TreeHead(300, OTHER_ROOT))


@case_of(CASES, "the head commits to size 310")
def unpublished_batch_beside_another_tree_that_was_signed(world: World) -> None:
    die(world, "public create tile")
    world.move_anchor(tree=TreeHead(310, OTHER_ROOT))


@case_of(CASES, "is of the log example.com/other, not of example.com/log")
def anchor_of_another_log(world: World) -> None:
    world.move_anchor(origin="example.com/other", tree=EMPTY_TREE)


@case_of(CASES, "there is no anchor at")
def anchor_lost(world: World) -> None:
    world.put("anchor", "anchor", None)


@case_of(CASES, "there is no anchor at")
def both_parts_put_back_without_an_anchor(world: World) -> None:
    for role in ("public", "private"):
        world.restore(role, back_to(10))
    world.put("anchor", "anchor", None)


@case_of(CASES, "is not that of the log at")
def anchor_of_another_machine(world: World) -> None:
    world.move_anchor(identity="f" * 32)


@case_of(CASES, "is not that of the log at")
def anchor_of_another_machine_that_never_signed(world: World) -> None:
    world.move_anchor(identity="f" * 32, tree=EMPTY_TREE)


@case_of(CASES, "holds size 10, and size 300 is published")
def anchor_put_back(world: World) -> None:
    world.put("anchor", "anchor", old(10, "anchor", "anchor"))


@case_of(CASES, "holds size 0, and size 300 is published")
def anchor_put_back_to_the_first(world: World) -> None:
    world.move_anchor(tree=EMPTY_TREE)


@case_of(CASES, "is sealed: a new one was begun")
def anchor_sealed(world: World) -> None:
    world.move_anchor(state=SEALED)


@case_of(CASES, "was frozen, and its head is open")
def frozen_log_put_back(world: World) -> None:
    world.move_anchor(state=FROZEN)


# ---- the staged batch


@case_of(CASES, "the committed batch is lost")
def staged_batch_gone_without_a_tile_written(world: World) -> None:
    die(world, "public create tile")
    world.put("private", staged(world), None)


@case_of(CASES, "the committed batch is lost")
def staged_batch_gone_with_some_tiles_written(world: World) -> None:
    die(world, "public create tile/0/")
    assert world.stores["public"].read("tile/entries/001.p/54")
    world.put("private", staged(world), None)


@case_of(CASES, "the committed batch is lost")
def staged_batch_gone_with_all_tiles_written(world: World) -> None:
    die(world, "anchor swap")
    world.put("private", staged(world), None)


@case_of(CASES, "the committed batch is lost")
def staged_batch_gone_with_its_tree_signed(world: World) -> None:
    die(world, "public swap checkpoint")
    world.put("private", staged(world), None)


@case_of(CASES, "holds other bytes than were committed")
def staged_batch_changed(world: World) -> None:
    die(world, "public create tile")
    flip(world, "private", staged(world), -1)


@case_of(CASES, "holds other bytes than were committed")
def staged_batch_replaced(world: World) -> None:
    die(world, "public create tile")
    world.put("private", staged(world), Batch(300, 1, b"\x00\x01x").data)


@case_of(CASES, "the staged batch leads to size 310")
def staged_batch_of_another_tree(world: World) -> None:
    """A batch and a head that agree on the batch, and not on the tree."""
    die(world, "public create tile")
    data = Batch(300, 10, b"\x00\x01x" * 10).data
    world.put("private", f"staging/310-{digest(data)}", data)
    edit_head(world, batch=digest(data))


@case_of(CASES, "leads to a tree of size 301, the head says 310")
def staged_batch_of_another_size(world: World) -> None:
    die(world, "public create tile")
    data = Batch(300, 1, b"\x00\x01x").data
    world.put("private", f"staging/310-{digest(data)}", data)
    edit_head(world, batch=digest(data))


@case_of(CASES, "malformed tiletree-batch/v1")
def staged_batch_that_is_none(world: World) -> None:
    die(world, "public create tile")
    world.put("private", f"staging/310-{digest(b'junk')}", b"junk")
    edit_head(world, batch=digest(b"junk"))


@case_of(CASES, "1 entries instead of 10")
def staged_batch_with_fewer_entries_than_it_says(world: World) -> None:
    die(world, "public create tile")
    data = Batch(300, 10, b"\x00\x01x").data
    world.put("private", f"staging/310-{digest(data)}", data)
    edit_head(world, batch=digest(data))


# ---- the tests


@pytest.mark.parametrize(("name", "place"), in_places(CASES))
def test_refuses_and_writes_nothing(name: str, place: str, tmp_path: Path) -> None:
    """What cannot be is refused, the message says what was found, and nothing is written or signed."""
    check_refused(CASES[name], None if place == "memory" else tmp_path)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("tree", [TreeHead(290, OTHER_ROOT), TreeHead(300, OTHER_ROOT), TreeHead(3, OTHER_ROOT)])
def test_nothing_is_signed_that_does_not_extend_what_was_signed(tree: TreeHead, action: str) -> None:
    """Where the log does not begin with the anchor's tree, nothing is written or signed, and the message names that."""
    for interrupted in (False, True):
        world = sound()[0].copy()
        if interrupted:
            die(world, "public create tile")
        world.move_anchor(tree=tree)
        before, signed = world.contents(), list(world.key.texts)
        with pytest.raises(Refused, match=rf"{tree}|holds size {tree.size}, and size"):
            ACTIONS[action](world.sequencer())
        assert world.contents() == before
        assert world.key.texts == signed


def test_a_fork_that_appears_while_publishing_is_not_overwritten() -> None:
    """Another tree of the same size, signed by the log's key, in the place of the checkpoint: said, and left."""
    world = sound()[0].copy()
    fork = TreeHead(310, OTHER_ROOT)

    def gate(what: str) -> None:
        if what == "public swap checkpoint":
            publish(world, fork)

    public = GatedStore(world.stores["public"], "public", gate)  # no history: it would not stand for a fork
    writer = Sequencer(
        public, world.stores["private"], Signer(world.key, world.stores["anchor"]), sleep=world.pass_time
    )
    with pytest.raises(Unfinished, match=f"the published tree is {fork}, the committed one size 310"):
        writer.append(NEW)
    assert world.stores["public"].read("checkpoint").data == signed_by_us(fork)


@pytest.mark.parametrize("place", ["memory", "directory"])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_interrupted_run_is_no_reason_to_refuse(action: str, place: str, tmp_path: Path) -> None:
    """A checkpoint at the head's base, with the batch there, is an interrupted run, and is finished."""
    world = sound()[0].copy(None if place == "memory" else tmp_path)
    die(world, "public swap checkpoint")
    ACTIONS[action](world.sequencer())
    world.acknowledged.append((300, NEW))
    world.check()
    assert world.size() == 310


class Wide(Passing):
    """A store whose answers are waited for, as those of a bucket."""

    def __init__(self, inner: Store, role: str) -> None:
        super().__init__(inner, role)
        self.parallel = 8


def test_read_side_by_side() -> None:
    """Where that is worth it, a log at rest is read at once; one that is not is read in order, and is finished."""
    world = World().grown(3)
    faults = Faults()
    world.sequencer(lambda store, role: Wide(faults.wrap(store, role), role)).append(some_entries("new", 2))
    reads = Counter(what for what, _ in faults.done)
    assert [reads[what] for what in ("public read checkpoint", "private read head", "anchor read anchor")] == [1] * 3
    at = next(at for at, (what, _) in enumerate(faults.done) if what == "private swap head")
    dying = Faults(at, Fault.DIES)
    with pytest.raises(Died):
        world.sequencer(dying.wrap).append(some_entries("more", 2))
    faults.done.clear()
    world.sequencer(lambda store, role: Wide(faults.wrap(store, role), role)).finish()
    assert world.size() == 7
    reads = Counter(what for what, _ in faults.done)
    assert reads["private read head"] > 2
    world.acknowledged += [(3, some_entries("new", 2)), (5, some_entries("more", 2))]
    world.check()


@pytest.mark.parametrize("path", ["head", "checkpoint", "anchor"])
def test_read_side_by_side_what_was_put_back(path: str) -> None:
    """What was put back is refused as ever."""
    role = {"head": "private", "checkpoint": "public"}.get(path, path)
    world = World().grown(3)
    before = world.stores[role].read(path).data
    world.append(some_entries("new", 2))
    world.put(role, path, before)
    with pytest.raises(Refused):
        world.sequencer(Wide).append(some_entries("more", 2))
