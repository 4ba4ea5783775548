"""Tiles in the way of a log: whoever left them, the log goes on after its head was written anew; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore
from tests.support.lost_heads import anchor_of, died_after, head_of, rebuild
from tests.support.repairs import run as repair
from tests.support.repairs import signed
from tests.support.sampling import quickly
from tests.support.world import World, some_entries
from tiles.errors import Refused, TilesError, Unfinished
from tiles.notes.policy import policy_for
from tiles.records.paths import HEAD
from tiles.signing.anchor import FROZEN
from tiles.store import StoreFetcher
from tiles.upkeep.audit import audit
from tiles.write.in_the_way import is_in_the_way
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.sequencer import Sequencer

LATE, NEXT = some_entries("late", 300), some_entries("next", 300)
COMMIT = f"private swap {HEAD}"


def is_blocked(world: World) -> bool:
    """Tell whether anything is in the way of a log."""
    parts = Parts(world.stores["public"], world.stores["private"])
    return is_in_the_way(parts, OwnTree(parts.public, world.verifier), head_of(world), signed(world).tree)


def write_late(world: World, entries: Sequence[bytes], between: Callable[[], object]) -> None:
    """A writer has committed, and pauses; the head is lost and rebuilt, others go on, then it writes its tiles."""
    paused: list[str] = []

    def gate(what: str) -> None:
        if what.startswith("public create tile/") and not paused:
            paused.append(what)
            world.put("private", HEAD, None)
            rebuild(world)
            between()

    with pytest.raises(TilesError, match=r"was taken away|another content"):
        world.sequencer(lambda _, role: GatedStore(world.stores[role], role, gate)).append(entries)
    assert paused


def unseen(world: World) -> Sequencer:
    """Return a writer whose writes are not watched by those who check that no tile ever changes."""
    return world.sequencer(lambda _, role: world.stores[role])


def appended(world: World, entries: Sequence[bytes]) -> None:
    """Append: it is committed at least."""
    try:
        unseen(world).append(entries)
    except Unfinished as error:
        assert "in the way" in error.hint  # noqa: PT017  an error need not come


def goes_on(world: World, *logged: Sequence[bytes]) -> None:
    """After `repair --head` the log publishes all that was committed, and is sound."""
    rebuild(world)
    assert repair(world).findings == ()
    unseen(world).finish()
    assert not is_blocked(world)
    assert [*(world.committed() or ())][3:] == [entry for part in logged for entry in part]
    public = world.stores["public"]
    assert (
        audit(StoreFetcher(public), signed(world).tree, store=public, policy=policy_for(world.verifier)).findings == ()
    )


PAUSES = [
    (when, late, following)
    for when in ("before the next commit", "after it")
    for late, following in ((10, 10), (300, 300), (300, 10), (253, 10))
]


@pytest.mark.parametrize(("when", "late", "following"), quickly(PAUSES, [PAUSES[0], PAUSES[4], PAUSES[6]]))
def test_a_writer_that_paused(when: str, late: int, following: int) -> None:
    """It writes after its head was lost and rebuilt; the next batch, which it stops, is committed and not lost."""
    world = World().grown(3)
    if when == "after it":
        write_late(world, LATE[:late], lambda: died_after(world, COMMIT, NEXT[:following]))
    else:
        write_late(world, LATE[:late], lambda: None)
        assert is_blocked(world)
        appended(world, NEXT[:following])
    goes_on(world, NEXT[:following])


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("tile/entries/000.p/13", None, False),
        ("tile/entries/000.p/13", "right", False),
        ("tile/entries/000.p/13", "cut", True),
        ("tile/0/000.p/13", "wrong", True),
        ("tile/0/000.p/14", "wrong", True),
        ("tile/entries/000", "wrong", True),
        ("tile/1/000.p/1", "wrong", True),
        ("tile/0/000.p/7", "wrong", False),  # no tree of this size will ever be
        ("tile/x", "wrong", False),
    ],
)
def test_what_is_in_the_way(path: str, content: str | None, expected: bool) -> None:
    """Tiles beyond the committed tree are, and those in the place of its own; not those that are right, or of none."""
    world = died_after(World().grown(3), COMMIT, NEXT[:10])
    whole = world.copy()
    whole.sequencer().finish()
    if content is not None:
        right = whole.stores["public"].read(path).data if content in ("right", "cut") else b"wrong"
        world.put("public", path, right[:-1] if content == "cut" else right)
    assert is_blocked(world) == expected
    before = head_of(world)
    done = rebuild(world)
    assert done.is_new == expected
    if expected:
        assert (done.head.tree, done.head.batch, done.head.base) == (before.tree, before.batch, before.base)
        assert done.head.anchor == anchor_of(world).identity != before.anchor
    left = repair(world, fenced=False)
    assert ([finding.path for finding in left.findings], left.set_aside) == ([path] if expected else [], 0)
    repair(world)
    unseen(world).finish()
    assert signed(world).tree == signed(whole).tree


def test_it_dies_anywhere() -> None:
    """What was committed stays committed wherever the call dies that clears the way for it."""
    blocked = died_after(World().grown(3), COMMIT, NEXT[:10])
    blocked.put("public", "tile/entries/000.p/13", b"wrong")
    committed = head_of(blocked).tree
    for at in range(40):
        world = blocked.copy()
        try:
            rebuild(world, Faults(at, Fault.DIES).wrap)
        except Died:
            assert rebuild(world).is_new
        else:
            break
        assert head_of(world).tree == committed
        repair(world)
        assert unseen(world).finish().tree == committed
    assert at > 5


def test_the_anchor_of_a_sound_head_is_sealed() -> None:
    """Nothing is fenced or written with an anchor that is not the log's any more."""
    world = World().grown(3)
    world.put("public", "tile/0/009", b"wrong")
    world.move_anchor(state="sealed")
    before = world.contents()
    with pytest.raises(Refused, match="is sealed"):
        rebuild(world)
    assert world.contents() == before


@pytest.mark.parametrize("died", [False, True])
def test_a_frozen_log_stays_frozen(died: bool) -> None:
    """What is beyond its last tree is set aside, and neither head nor anchor is opened by that, or by dying."""
    world = World().grown(3)
    world.sequencer().freeze()
    world.put("public", "tile/0/009", b"wrong")
    if died:
        counting = Faults()
        rebuild(world.copy(), counting.wrap)
        at = next(number for number, (what, _) in enumerate(counting.done) if what.startswith("anchor swap"))
        with pytest.raises(Died):
            rebuild(world, Faults(at, Fault.DIES).wrap)
    done = rebuild(world)
    assert (done.is_new, done.head.frozen, anchor_of(world).state) == (True, True, FROZEN)
    assert (repair(world).set_aside, rebuild(world).is_new) == (1, False)
    with pytest.raises(Refused, match="is frozen at size 3"):
        world.append([b"refused"])
