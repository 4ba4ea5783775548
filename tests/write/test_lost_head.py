"""Rebuilding a head that is gone or was put back, beside writers, deaths and lost replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore
from tests.support.lost_heads import anchor_of, died_after, head_of, rebuild
from tests.support.world import World, Wrap, some_entries
from tiles.errors import Refused, TilesError, Unfinished
from tiles.inbox.admission import Admission
from tiles.records.paths import ANCHOR, HEAD, STAGING
from tiles.signing.anchor import FROZEN, SEALED
from tiles.tree.layout import CHECKPOINT, TILE_WIDTH, TILES, level_size, parse_tile_path
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.write.lost_head import Rebuilt

NEW = some_entries("new", 10)


def set_aside(world: World) -> None:
    """Remove the tiles beyond the committed tree, as `repair` does."""
    size = head_of(world).tree.size
    for listed in list(world.stores["public"].list(TILES)):
        tile = parse_tile_path(listed.path)
        if tile.index * TILE_WIDTH + tile.width > level_size(size, tile.level):
            world.put("public", listed.path, None)
            world.history.contents.pop(listed.path, None)


def goes_on(world: World, *, size: int) -> None:
    """The next run adds to a log of that size, and all is sound."""
    assert world.sequencer().finish().tree.size == size
    world.append([b"more"])
    world.check(orphans=True)
    assert head_of(world).anchor == anchor_of(world).identity


@pytest.mark.parametrize("whole", [False, True])
def test_from_checkpoint_and_anchor(whole: bool) -> None:
    """Where they agree, the head commits to their tree; so too where the whole private part is gone."""
    world = World().grown(3, 10)
    before = anchor_of(world)
    world.put("private", HEAD, None)
    if whole:
        world.restore("private", {"private": {}})
    done = rebuild(world)
    assert (done.is_new, done.head.tree.size, done.head.batch, done.head.frozen) == (True, 13, None, False)
    assert anchor_of(world) == replace(before, identity=done.head.anchor)
    assert any("admission policy is lost" in text for text in done.unknown) == whole
    assert any("exit code 5" in text for text in done.unknown)
    again = rebuild(world)
    assert (again.is_new, again.head) == (False, done.head)
    goes_on(world, size=13)


@pytest.mark.parametrize(
    ("what", "size"),
    [
        ("private swap head", 3),
        ("public create tile/", 3),
        ("anchor swap anchor", 13),
        ("public swap checkpoint", 13),
        ("public create checkpoints/", 13),
    ],
)
@pytest.mark.parametrize("staged", [True, False])
def test_what_was_committed_last(what: str, size: int, staged: bool) -> None:
    """A run died after a step, and the head is lost: what was signed stays, from the staged batch or from the tiles."""
    world = died_after(World().grown(3), what, NEW)
    world.put("private", HEAD, None)
    if not staged:
        for listed in list(world.stores["private"].list(STAGING)):
            world.put("private", listed.path, None)
    done = rebuild(world)
    assert done.is_new
    assert done.head.tree.size == size
    assert (done.head.batch is not None) == (staged and size == 13)
    if size == 13:
        world.acknowledged.append((3, NEW))
        goes_on(world, size=size)
    else:  # tiles of the tree that is given up may be there; `repair` sets them aside
        assert world.sequencer().finish().tree.size == 3


def test_tiles_of_what_was_signed_are_gone() -> None:
    """No staged batch, and not all tiles: nothing is changed, for a tree without them would be a fork."""
    world = died_after(World().grown(3), "anchor swap anchor", NEW)
    world.put("private", HEAD, None)
    for listed in list(world.stores["private"].list(STAGING)):
        world.put("private", listed.path, None)
    world.put("public", "tile/entries/000.p/13", None)
    before = world.contents()
    with pytest.raises(Refused, match="not all of it is in"):
        rebuild(world)
    assert world.contents() == before


def put_back(world: World, *roles: str) -> None:
    """Put parts back to the first batch, with the anchor's identity as it is."""
    older = World().grown(3)
    identity = head_of(world).anchor
    for role in roles:
        world.restore(role, older.contents())
    world.put("private", HEAD, replace(head_of(world), anchor=identity).data)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_private_part_that_was_put_back(frozen: bool) -> None:
    """Its head can never be signed: it is replaced, and a log that was frozen is frozen again."""
    world = World().grown(3, 10)
    if frozen:
        world.sequencer().freeze()
    put_back(world, "private")
    with pytest.raises(Refused):
        world.append([b"refused"])
    done = rebuild(world)
    assert (done.is_new, done.head.tree.size, done.head.frozen) == (True, 13, frozen)
    if not frozen:
        goes_on(world, size=13)


def test_a_committed_batch_that_is_lost() -> None:
    """The log goes on from what is published; what was committed and not signed is given up."""
    world = died_after(World().grown(3), "private swap head", NEW)
    for listed in list(world.stores["private"].list(STAGING)):
        world.put("private", listed.path, None)
    with pytest.raises(Refused, match="the committed batch is lost"):
        world.append([b"refused"])
    assert rebuild(world).head.tree.size == 3
    set_aside(world)
    goes_on(world, size=3)


OTHER = TreeHead(13, Hash(b"\x07" * 32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.put("anchor", ANCHOR, None), "no anchor at .*, and there is no head"),
        (lambda w: w.put("public", CHECKPOINT, None), "checkpoint is gone"),
        (lambda w: w.move_anchor(state=SEALED), "is sealed"),
        (lambda w: w.move_anchor(tree=EMPTY_TREE), "has signed nothing"),
        (lambda w: w.move_anchor(tree=OTHER), "is not a beginning of"),
        (lambda w: w.move_anchor(tree=World().grown(3).sequencer().finish().tree), "holds size 3, and size 13"),
        (lambda w: w.put("private", HEAD, b"tiletree-head/v9\n"), "malformed"),
    ],
)
def test_refused(change: Callable[[World], object], message: str) -> None:
    """Where anchor and checkpoint do not lead to one head, nothing is changed, and the page is named."""
    world = World().grown(3, 10)
    world.put("private", HEAD, None)
    change(world)
    before = world.contents()
    with pytest.raises(Refused, match=message) as raised:
        rebuild(world)
    assert "docs/lost.md#" in raised.value.hint
    assert world.contents() == before


def test_another_anchor_beside_a_head() -> None:
    """Whose head is put back, and whose anchor is another one, is not rebuilt."""
    world = World().grown(3, 10)
    put_back(world, "private")
    world.move_anchor(identity="e" * 32)
    with pytest.raises(Refused, match="is not that of the log"):
        rebuild(world)


def test_policies() -> None:
    """The only ones that are kept are taken; of several, one has to be named."""
    world = World()
    world.sequencer(admission=Admission(max_entries=5)).create()
    world.append(NEW)
    world.put("private", HEAD, None)
    kept = world.contents()
    assert rebuild(world).head.admission == Admission(max_entries=5).sha256
    for role in ("private", "anchor"):
        world.restore(role, kept)
    other = Admission(max_entries=6)
    world.stores["private"].create({f"policies/{other.sha256}": other.data})
    with pytest.raises(Refused, match="2 policies of a kind") as raised:
        rebuild(world)
    assert "--admission" in raised.value.hint
    assert rebuild(world, admission=other).head.admission == other.sha256


@pytest.mark.parametrize("what", ["private swap head", "anchor swap anchor"])
def test_dies_anywhere(what: str) -> None:
    """Whatever it has done, the same call finishes the work."""
    lost = died_after(World().grown(3), what, NEW)
    lost.put("private", HEAD, None)
    for listed in list(lost.stores["private"].list(STAGING)):
        lost.put("private", listed.path, None)
    for at in range(0, 40, 3):
        world = lost.copy()
        try:
            rebuild(world, Faults(at, Fault.DIES).wrap)
        except Died:
            rebuild(world)
        assert world.sequencer().finish().tree.size in (3, 13)
        assert head_of(world).anchor == anchor_of(world).identity
        set_aside(world)
        world.check(complete=False, orphans=True)


@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
def test_replies_are_lost(fault: Fault) -> None:
    """What is not known to be done is looked at again."""
    lost = World().grown(3)
    lost.put("private", HEAD, None)
    counting = Faults()
    rebuild(lost.copy(), counting.wrap)
    swaps = [at for at, (what, _) in enumerate(counting.done) if " swap " in what]
    assert len(swaps) == 2
    for at in swaps:
        world = lost.copy()
        rebuild(world, Faults(at, fault).wrap)
        goes_on(world, size=3)


def meets(world: World, at: int, other: Callable[[], object], run: Callable[[Wrap], object]) -> bool:
    """Run `run`, with all of `other` before its operation number `at`; return whether there were so many."""
    steps: list[str] = []

    def gate(what: str) -> None:
        steps.append(what)
        if len(steps) == at + 1:
            world.pass_time(1000.0)
            other()

    run(lambda store, role: GatedStore(store, role, gate))
    return len(steps) > at


def test_it_comes_in_between_any_two_steps_of_a_writer() -> None:
    """The head is lost and rebuilt while a writer is under way: it is refused, or its tree is the one that is kept."""
    for at in range(60):
        world = World().grown(3)

        def lose_and_rebuild(world: World = world) -> None:
            world.put("private", HEAD, None)
            rebuild(world)

        def write(wrap: Wrap, world: World = world) -> None:
            try:
                done = world.sequencer(wrap).append(NEW)
                world.acknowledged.append((done.first_index, NEW))
            except TilesError:
                pass

        more = meets(world, at, lose_and_rebuild, write)
        rebuild(world)
        world.sequencer().finish()
        set_aside(world)
        world.check(complete=False, orphans=True)
        if not more:
            break
    assert at > 10


def test_a_writer_comes_in_between_any_two_steps_of_it() -> None:
    """The head of a sound log is not written, nor its anchor fenced, whatever a writer does meanwhile."""
    for at in range(30):
        world = World().grown(3)
        before = anchor_of(world).identity
        done: list[Rebuilt] = []
        more = meets(world, at, lambda w=world: w.append(NEW), lambda wrap, w=world, d=done: d.append(rebuild(w, wrap)))
        assert [each.is_new for each in done] == [False]
        assert anchor_of(world).identity == before
        world.check()
        if not more:
            break
    assert at >= 3


def test_dies_after_the_fence_beside_a_head() -> None:
    """The head still names the anchor as it was before, however often that happens; the same call knows it again."""
    world = World().grown(3, 10)
    put_back(world, "private")
    for _ in range(3):
        counting = Faults()
        rebuild(world.copy(), counting.wrap)
        fence = next(at for at, (what, _) in enumerate(counting.done) if what == f"anchor swap {ANCHOR}")
        with pytest.raises(Died):
            rebuild(world, Faults(fence, Fault.DIES).wrap)
        assert head_of(world).anchor != anchor_of(world).identity
    assert rebuild(world).is_new
    goes_on(world, size=13)


def test_two_at_once() -> None:
    """Two calls rebuild one head, one in between any two steps of the other; both end well."""
    for at in range(0, 60, 2):
        world = World().grown(3)
        world.put("private", HEAD, None)
        more = meets(world, at, lambda w=world: rebuild(w), lambda wrap, w=world: rebuild(w, wrap))
        rebuild(world)
        goes_on(world, size=3)
        if not more:
            break
    assert at > 6


def test_a_writer_comes_after_the_fence() -> None:
    """A writer whose log was loaded before cannot sign beside the new head."""
    world = World().grown(3)

    def gate(what: str) -> None:
        if what == f"anchor swap {ANCHOR}" and world.stores["private"].read(HEAD).data != first:
            world.put("private", HEAD, None)
            rebuild(world)

    first = world.stores["private"].read(HEAD).data
    with pytest.raises((Refused, Unfinished), match="was taken away"):
        world.sequencer(lambda store, role: GatedStore(store, role, gate)).append(NEW)
    assert world.sequencer().finish().tree.size == 3
    assert anchor_of(world).state != FROZEN
