"""The checker itself: a sound log passes, and each thing that can be wrong with one is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.check_log import Fold, published
from tests.support.faults import RecordingStore
from tests.support.reference import full_tree
from tests.support.world import ORIGIN, World, recording_key, some_entries
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.tree.layout import ENTRIES, levels, tiles_of
from tiles.tree.merkle import Hash, TreeHead

OTHER_ROOT = Hash(b"\x07" * 32)


def text(size: int, root: bytes = OTHER_ROOT) -> bytes:
    """Return a checkpoint's text."""
    return Checkpoint(ORIGIN, TreeHead(size, Hash(root))).text


def remember(world: World, path: str) -> None:
    """Let the history have seen what is at a path now."""
    world.history.contents[path] = world.stores["public"].read(path).data


def changed(world: World, path: str, data: bytes) -> None:
    """Change a public object as if it had always been so."""
    world.put("public", path, data)
    remember(world, path)


FINDINGS: dict[str, tuple[Callable[[World], object], str]] = {
    "fork signed": (lambda w: w.key.texts.append(text(3)), "fork"),
    "more signed than committed": (lambda w: w.key.texts.append(text(304)), "ahead of"),
    "another log signed": (lambda w: w.key.texts.append(text(3).replace(b"log", b"lag")), "signed for another log"),
    "acknowledged elsewhere": (lambda w: w.acknowledged.append((5, [b"x"])), "acknowledged at 5"),
    "acknowledged beyond the end": (lambda w: w.acknowledged.append((303, [b"x"])), "acknowledged at 303"),
    "entry twice": (lambda w: w.append([b"entry of 0 1"]), "more than once"),
    "orphan staged": (lambda w: w.put("private", "staging/1-x", b""), "left over"),
    "history of a size gone": (lambda w: w.history.contents.pop("checkpoints/003"), "changed unseen"),
    "checkpoint not kept": (lambda w: forget(w, "checkpoints/003"), "the checkpoint of size 3 is not kept"),
    "partial tile gone": (lambda w: w.put("public", "tile/0/000.p/3", None), "readable, and are gone"),
    "partial tile never seen": (lambda w: forget(w, "tile/0/000.p/3"), "size 3 was published, and"),
    "tile of the tree gone": (lambda w: forget(w, "tile/0/001.p/47"), "ahead of its tiles"),
    "full tile changed": (lambda w: changed(w, "tile/0/000", b"\x00" * 8192), "tile/0/000 is not what the entries say"),
    "bundle changed": (lambda w: changed(w, "tile/entries/000.p/3", b""), "is not what the committed entries say"),
    "tile ahead of the log": (lambda w: changed(w, "tile/0/001.p/50", b"\x00" * 1600), "is ahead of the 303 entries"),
    "tile of a level too high": (lambda w: changed(w, "tile/2/000.p/1", b"\x00" * 32), "do not reach"),
    "partial tile of 256": (lambda w: changed(w, "tile/0/000.p/256", b""), "is a partial tile of 256"),
    "not a tile": (lambda w: changed(w, "tile/0/0", b""), "neither a tile nor an entry bundle"),
    "object changed unseen": (lambda w: w.put("public", "checkpoints/003", b""), "checkpoints/003 was changed unseen"),
    "checkpoint changed unseen": (lambda w: w.history.checkpoints.pop(), "the checkpoint changed unseen"),
    "checkpoint of another key": (lambda w: w.put("public", "checkpoint", other()), "signed by another key"),
    "no policy": (lambda w: w.put("public", "policy.txt", None), "the policy is not published"),
    "no head": (lambda w: w.put("private", "head", None), "there is no head"),
    "no day": (lambda w: forget(w, "checkpoints/days/2096-10-02"), "no day's first checkpoint"),
}


def forget(world: World, path: str) -> None:
    """Remove a public object as if it had never been there."""
    world.put("public", path, None)
    del world.history.contents[path]


def other() -> bytes:
    """Return a checkpoint that another key has signed."""
    key = recording_key(seed=b"\x02" * 32)
    return sign_checkpoint(Checkpoint(ORIGIN, TreeHead(303, OTHER_ROOT)), key).data


@pytest.mark.parametrize("name", FINDINGS)
def test_each_finding(name: str) -> None:
    """What is wrong with a log is said, by what it is."""
    world = World().grown(3, 300)
    world.check()
    damage, message = FINDINGS[name]
    damage(world)
    with pytest.raises(AssertionError, match=message):
        world.check()


def test_what_is_allowed_is_said() -> None:
    """Orphans and repeated entries pass where the caller allows them."""
    world = World().grown(3)
    world.put("private", "staging/1-x", b"")
    world.append([b"entry of 0 1"])
    world.check(orphans=True, repeated=[b"entry of 0 1"])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 600])
def test_the_fold(size: int) -> None:
    """The level-by-level hashing of the checker gives what the recursive definitions give."""
    fold = Fold([b"%d" % i for i in range(size)])
    tree = full_tree(size)
    assert [fold.root(n) for n in range(size + 1)] == [tree.head(n).root for n in range(size + 1)]
    for level in levels(size):
        for tile in tiles_of(size, level):
            assert fold.object(tile.path) == tree.tile(tile)
    for bundle in tiles_of(size, ENTRIES):
        entries = [b"%d" % i for i in range(bundle.index * 256, bundle.index * 256 + bundle.width)]
        assert fold.object(bundle.path) == b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def test_a_checkpoint_is_looked_at_when_it_becomes_readable() -> None:
    """One that is ahead of its tiles at that moment is found, whatever is written later; so is one that goes back."""
    world, later = World().grown(3), World().grown(3, 300)
    public = RecordingStore(world.stores["public"], "public", world.history)
    ahead = later.stores["public"].read("checkpoint").data
    version = public.read("checkpoint").version
    with pytest.raises(AssertionError, match="the checkpoint of size 303 is ahead of its tiles"):
        public.swap("checkpoint", ahead, version)
    back = RecordingStore(later.stores["public"], "public", later.history)
    with pytest.raises(AssertionError, match="publication went from size 303 to 3"):
        back.swap("checkpoint", later.history.checkpoints[1], back.read("checkpoint").version)


def test_an_object_with_two_contents_is_found_at_once() -> None:
    """A path that is read as one thing and later as another is found by the write that did it."""
    world = World().grown(3)
    world.history.contents["tile/0/000.p/4"] = b"what somebody saw"
    with pytest.raises(AssertionError, match=r"tile/0/000\.p/4 had another content before"):
        world.append([b"one more"])


def test_published_reads_all_entries() -> None:
    """The published entries are those of the bundles of the published tree."""
    world = World().grown(3, 300)
    found = published(world.stores["public"], world.verifier)
    assert found is not None
    assert found[1] == (*some_entries("entry of 0", 3), *some_entries("entry of 3", 300))
