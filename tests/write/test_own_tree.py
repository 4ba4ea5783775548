"""A log's own published tree: what its writer reads of it is verified, and read once."""

from __future__ import annotations

import itertools

import pytest

from tests.support.faults import Faults
from tests.support.reference import flipped
from tests.support.world import ORIGIN, World, recording_key
from tiles.errors import LogError, Refused
from tiles.records.paths import PENDING, POLICY, TRACES
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.layout import CHECKPOINT, TILE_WIDTH
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.tree.plan import Plan, plan
from tiles.tree.proof import verify_consistency
from tiles.write.own_tree import OwnTree

OTHER_ROOT = Hash(b"\x07" * 32)


def own_tree(world: World) -> OwnTree:
    """Return the tree of a log, as a new writer has it."""
    return OwnTree(world.stores["public"], world.verifier)


def tree_of(world: World) -> TreeHead:
    """Return what is published."""
    signed = own_tree(world).read_checkpoint()[0]
    assert signed is not None
    return signed.tree


def test_checkpoint() -> None:
    """None at first; then the published one and its version."""
    world = World()
    assert own_tree(world).read_checkpoint() == (None, None)
    assert own_tree(world).is_empty()
    world.grown(3)
    signed, version = own_tree(world).read_checkpoint()
    assert signed is not None
    assert signed.tree.size == 3
    assert version == world.stores["public"].read(CHECKPOINT).version
    assert not own_tree(world).is_empty()


@pytest.mark.parametrize("trace", [CHECKPOINT, PENDING, *(f"{below}any" for below in TRACES)])
def test_traces(trace: str) -> None:
    """Any object that only a log has shows that there was one; a policy may have been there before."""
    world, public = World(), World().grown(3).stores["public"]
    world.put("public", POLICY, public.read(POLICY).data)
    assert own_tree(world).is_empty()
    world.put("public", trace, public.read(CHECKPOINT).data)
    assert not own_tree(world).is_empty()


def test_a_checkpoint_of_somebody_else() -> None:
    """Another log's is refused, and one that is not signed by the log's key is not believed."""
    other = OwnTree(World().grown(3).stores["public"], recording_key("example.com/other").verifier)
    with pytest.raises(Refused, match=f"publishes the log {ORIGIN}, the key is of example.com/other"):
        other.read_checkpoint()
    with pytest.raises(LogError):
        OwnTree(World().grown(3).stores["public"], recording_key(seed=b"\x02" * 32).verifier).read_checkpoint()


def test_right_edge() -> None:
    """It is read once, or never if it is known; a damaged one is not believed, one that is gone is refused."""
    world = World().grown(300)
    tree, faults = tree_of(world), Faults()
    own = OwnTree(faults.wrap(world.stores["public"], "public"), world.verifier)
    edge = own.right_edge(tree)
    assert edge.tree == tree
    reads = len(faults.done)
    assert reads == 3
    assert own.right_edge(tree) is edge
    again = OwnTree(faults.wrap(world.stores["public"], "public"), world.verifier)
    again.grew(Plan(300, 0, (), {"tile/0/000": b""}, edge, []))
    assert again.right_edge(tree) is edge
    assert again.grown() == Plan(300, 0, (), {}, edge, [])
    assert again.grown() is None
    assert len(faults.done) == reads
    path = "tile/0/001.p/44"
    data = world.stores["public"].read(path).data
    world.put("public", path, flipped(data, 5))
    with pytest.raises(LogError, match="the right edge gives root"):
        own_tree(world).right_edge(tree)
    world.put("public", path, None)
    with pytest.raises(Refused, match=r"memory://public/tile/0/001\.p/44 is gone; the log cannot grow without it"):
        own_tree(world).right_edge(tree)


def test_proofs_and_prefixes() -> None:
    """Every tree that was published is a prefix of the last, with a proof; another of the same size is not."""
    world, trees = World().grown(), []
    for count in (1, 2, 300):
        world.append([b"%d" % number for number in range(count)])
        trees.append(tree_of(world))
    own, last = own_tree(world), trees[-1]
    for tree in trees:
        assert own.is_published(tree)
        verify_consistency(tree, last, own.prove(tree, last, None))
        assert not own.is_published(TreeHead(tree.size, OTHER_ROOT))
    assert not own.is_published(TreeHead(last.size + 1, OTHER_ROOT))
    assert not own_tree(World()).is_published(trees[0])


def test_a_proof_of_a_plan_reads_nothing() -> None:
    """A tile that the batch does not change is taken from the right edge: the store is not asked for it."""
    before = plan(EMPTY_EDGE, [b""] * (TILE_WIDTH**2 + TILE_WIDTH))
    after = plan(before.edge, [b"new"] * TILE_WIDTH)
    assert not any(path.startswith("tile/2/") for path in after.objects)
    proof = OwnTree(MemoryStore(), World().verifier).prove(before.tree, after.tree, after)
    verify_consistency(before.tree, after.tree, proof)


def test_the_empty_tree_begins_every_tree() -> None:
    """Also one that has grown: its prefix of size 0 has one root, and no proof is needed."""
    world = World().grown(3)
    assert own_tree(world).is_published(EMPTY_TREE)
    assert not own_tree(World()).is_published(EMPTY_TREE)  # nothing is published at all
    assert not own_tree(world).is_published(TreeHead(0, OTHER_ROOT))


@pytest.mark.parametrize("at", range(30))
def test_a_beginning_that_is_overtaken(at: int) -> None:
    """Another run begins the log, and appends, before some operation of `create`: the log is begun all the same."""
    world = World()
    count = itertools.count()

    def meanwhile() -> None:
        if next(count) == at:
            world.sequencer().create()
            world.append([b"another's"])

    class Interrupted:
        """Any method of a store, after what comes before it."""

        def __init__(self, store: Store) -> None:
            self._store = store

        def __getattr__(self, name: str) -> object:
            meanwhile()
            return getattr(self._store, name)

    writer = world.sequencer(lambda store, _role: Interrupted(store))  # type: ignore[return-value, arg-type]
    assert writer.create().tree.size in (0, 1)
    world.check()
