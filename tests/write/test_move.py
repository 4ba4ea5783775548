"""A log is moved to other stores, in any order with deaths and other writers: one place at a time can sign."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from tests.support.check_log import ObjectHistory
from tests.support.faults import Died, Fault, Faults, GatedStore, RecordingStore, Stepped
from tests.support.lost_heads import rebuild
from tests.support.submissions import submit
from tests.support.world import World, Wrap, not_wrapped, recording_key, some_entries
from tiles.errors import AccessError, Refused, Unfinished
from tiles.inbox.submission import format_submission
from tiles.records.head import parse_head
from tiles.records.moved import parse_moved
from tiles.records.paths import ANCHOR, HEAD, INBOX, MOVED, MOVING
from tiles.records.settings import Settings
from tiles.retry import Clock
from tiles.signing.anchor import AnchorMemory, parse_anchor
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.write.adopt import Adoption
from tiles.write.move import Moved, Mover, Place
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

NEW = some_entries("new", 10)
QUICK = 24  # of the operations of a move: one in so many is looked at


@dataclass
class New:
    """Where a log is to be, and what readers could ever see there."""

    public: Store = field(default_factory=lambda: MemoryStore("new public"))
    private: Store = field(default_factory=lambda: MemoryStore("new private"))
    history: ObjectHistory = field(default_factory=lambda: ObjectHistory(recording_key().verifier))
    is_joined: bool = False


def move(world: World, to: New, wrap: Wrap = not_wrapped, name: str = "new") -> Moved:
    """Move the log of a world to other stores."""
    public = RecordingStore(to.public, "new public", to.history)
    parts = Parts(wrap(world.stores["public"], "public"), wrap(world.stores["private"], "private"))
    target = Parts(wrap(public, "new public"), wrap(to.private, "new private"))
    world.writers += 1
    clock = Clock(lambda: world.now, world.pass_time, random.Random(world.writers + 100))
    signer = Signer(world.key, wrap(world.stores["anchor"], "anchor"))
    return Mover(parts, Place(target, name, Settings("1")), signer, clock).move(world.sequencer(wrap).finish)


def moved(world: World, to: New) -> World:
    """Return the log as it is in the new place: the same key and anchor, and what came before."""
    other = World(key=world.key)
    other.stores = {"public": to.public, "private": to.private, "anchor": world.stores["anchor"]}
    other.acknowledged, other.writers, other.now = world.acknowledged, 1000, world.now
    other.history = to.history
    if to.history.checkpoints and not to.is_joined:
        before = world.history.checkpoints
        to.history.checkpoints[:0] = before[: before.index(to.history.checkpoints[0])]
        to.is_joined = True
    return other


def can_sign(world: World) -> bool:
    """Whether a run in this place gets as far as it would with something to sign."""
    try:
        world.sequencer().finish()
    except (Refused, AccessError):
        return False
    return True


def goes_on(world: World, to: New, said: str = "the log was moved to") -> World:
    """The log goes on in the new place, and is refused in the old one; return it in the new one."""
    other = moved(world, to)
    other.append([b"in the new place"])
    other.check(orphans=True)
    with pytest.raises(Refused, match=said):
        world.sequencer().append([b"in the old place"])
    assert not can_sign(world)
    return other


def gated(gate: Callable[[str], None]) -> Wrap:
    """Return what wraps stores so that `gate` is called before each operation."""
    return lambda store, role: GatedStore(store, role, gate)


def operations(kinds: range) -> list[object]:
    """Return numbers of operations to look at: of one in QUICK at once, of all others in a slow test."""
    return [pytest.param(at, marks=() if at % QUICK == 0 else pytest.mark.slow) for at in kinds]


def test_moved() -> None:
    """All of it is in the new place; the old one says where; a second call finds that, and writes nothing."""
    world, to = World().grown(3, 10), New()
    submit(world, "ann", 1, format_submission([b"waits"]))
    world.put("private", f"{INBOX}eve/no name", b"junk")
    done = move(world, to)
    assert (done.is_new, done.left) == (True, (f"{INBOX}eve/no name",))
    assert parse_head(to.private.read(HEAD).data) == done.head
    where = "memory://new public, its private part to memory://new private"
    assert parse_moved(world.stores["private"].read(MOVED).data) == where
    old = {listed.path: world.stores["public"].read(listed.path).data for listed in world.stores["public"].list("")}
    assert {listed.path: to.public.read(listed.path).data for listed in to.public.list("")} == old
    assert MOVING not in [listed.path for listed in to.private.list("")]
    again = move(world, to)
    assert (again.is_new, again.copied, again.head) == (False, 0, done.head)
    with pytest.raises(Refused, match="the log was moved to memory://new public"):
        world.sequencer().append([b"in the old place"])
    other = goes_on(world, to)
    assert other.sequencer().sequence().count == 1


def test_a_frozen_log_stays_frozen() -> None:
    """It can be moved, and nothing can be added to it."""
    world, to = World().grown(3), New()
    world.sequencer().freeze()
    assert move(world, to).head.frozen
    with pytest.raises(Refused, match="is frozen"):
        moved(world, to).sequencer().append(NEW)


@pytest.mark.parametrize("at", operations(range(75)))
def test_dies_anywhere(at: int) -> None:
    """Never can both places sign; whatever was done, the same call finishes the work."""
    world, to = World().grown(3), New()
    try:
        move(world, to, Faults(at, Fault.DIES).wrap)
    except Died:
        assert not (can_sign(world) and can_sign(moved(world, to)))
    move(world, to)
    goes_on(world, to)


@pytest.mark.parametrize("at", operations(range(75)))
def test_a_writer_meets_it_anywhere(at: int) -> None:
    """A writer in the old place comes in between any two steps: it finishes, or is refused, and nothing is lost."""
    world, to = World().grown(3), New()
    steps: list[str] = []

    def gate(what: str) -> None:
        steps.append(what)
        if len(steps) == at + 1:
            with suppress(Refused):
                world.append(NEW)

    move(world, to, gated(gate))
    assert at < 74 or len(steps) <= at
    goes_on(world, to)


@pytest.mark.parametrize("at", operations(range(29)))
def test_it_meets_a_writer_anywhere(at: int) -> None:
    """The log is moved while a writer stands between any two steps: what that one has committed is in the new place."""
    world, to = World().grown(3), New()
    submit(world, "ann", 1, format_submission([b"once"]))
    steps: list[str] = []

    def gate(what: str) -> None:
        steps.append(what)
        if len(steps) == at + 1:
            move(world, to)
            moved(world, to).append([b"before the writer goes on"])

    with suppress(Refused, Unfinished):
        world.sequencer(gated(gate)).sequence()
    assert at < 28 or len(steps) <= at  # all of its operations are looked at
    if len(steps) <= at:
        move(world, to)
    other = moved(world, to)
    for _ in range(2):
        other.sequencer().sequence()
    assert (other.committed() or ()).count(b"once") == 1
    goes_on(world, to)


@pytest.mark.parametrize("at", operations(range(24)))
def test_what_is_committed_comes_along(at: int) -> None:
    """The log is moved while a writer stands between any two steps: what it calls committed is in the new place."""
    world, to = World().grown(3), New()
    steps: list[str] = []

    def gate(what: str) -> None:
        steps.append(what)
        if len(steps) == at + 1:
            move(world, to)

    is_committed = True
    try:
        world.sequencer(gated(gate)).append(NEW)
    except Refused:
        is_committed = False
    except Unfinished:
        pass
    if len(steps) <= at:
        move(world, to)
    assert at < 23 or len(steps) <= at
    other = goes_on(world, to)
    assert (set(NEW) <= set(other.committed() or ())) == is_committed


@pytest.mark.parametrize("at", operations(range(43, 61)))
def test_a_run_tidies_up_meanwhile(at: int) -> None:
    """A run publishes right before the fence, and takes its submission out of the inbox while that is copied."""
    for stands in range(20, 28):  # operations of the run, before which it waits
        world, to = World().grown(3), New()
        submit(world, "ann", 1, format_submission([b"once"]))
        run = Stepped("old", lambda me, world=world: world.sequencer(gated(me.gate)).sequence())  # type: ignore[misc]
        steps: list[str] = []

        def gate(what: str, run: Stepped[object] = run, steps: list[str] = steps, stands: int = stands) -> None:
            steps.append(what)
            if len(steps) == 32:
                assert what == "anchor read anchor"  # for the fence
                run.step(stands)
            if len(steps) == at + 1:
                run.finish()

        move(world, to, gated(gate))
        run.finish()
        other = moved(world, to)
        for _ in range(2):
            other.sequencer().sequence()
        assert (other.committed() or ()).count(b"once") == 1, run.trace[stands]
        goes_on(world, to)


def test_a_copy_of_the_old_private_part() -> None:
    """It is put back, and the log has not grown since: nothing is signed there."""
    world, to = World().grown(3), New()
    before = world.contents()
    move(world, to)
    world.restore("private", before)
    with pytest.raises(Refused, match="is not that of the log"):
        world.sequencer().append(NEW)
    moved(world, to).append(NEW)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
def test_replies_are_lost(fault: Fault) -> None:
    """What is not known to be done is looked at again, or the same call finishes it."""
    counting = Faults()
    move(World().grown(3), New(), counting.wrap)
    swaps = [at for at, (what, _) in enumerate(counting.done) if " swap " in what]
    assert len(swaps) > 5
    for at in swaps:
        world, to = World().grown(3), New()
        try:
            move(world, to, Faults(at, fault).wrap)
        except AccessError:
            move(world, to)
        goes_on(world, to, "the log was moved to|is not that of the log|was signed")  # the word there may be missing


def closed(world: World, to: New) -> None:
    """Let a move die once the old place is closed and a part is copied."""
    counting = Faults()
    move(world.copy(), New(), counting.wrap)
    at = next(number for number, (what, _) in enumerate(counting.done) if what == f"new private swap {HEAD}")
    with pytest.raises(Died):
        move(world, to, Faults(at - 1, Fault.DIES).wrap)


def test_nothing_is_copied_once_it_is_there() -> None:
    """A call dies right after the new head; a run there logs what waits; the same call brings nothing back."""
    world, to = World().grown(3), New()
    submit(world, "ann", 1, format_submission([b"once"]))
    counting = Faults()
    move(world.copy(), New(), counting.wrap)
    at = next(number for number, (what, _) in enumerate(counting.done) if what == f"new private swap {HEAD}")
    with pytest.raises(Died):
        move(world, to, Faults(at, Fault.DIES).wrap)
    assert moved(world, to).sequencer().sequence().count == 1
    assert not move(world, to).is_new
    assert MOVING not in [listed.path for listed in to.private.list("")]
    assert list(to.private.list(INBOX)) == []
    goes_on(world, to)


def test_half_of_it_is_no_log() -> None:
    """In the new place nothing begins from what is there already; the same call goes on."""
    world, to = World().grown(3), New()
    closed(world, to)
    with pytest.raises(Refused, match="is on its way to memory://new private"):
        moved(world, to).sequencer().append(NEW)
    with pytest.raises(Refused, match="is on its way"):
        rebuild(moved(world, to))
    move(world, to)
    goes_on(world, to)


def test_another_place_is_refused() -> None:
    """Once the old place is closed, the log goes to the place that was named, and to no other one."""
    world, to = World().grown(3), New()
    closed(world, to)
    with pytest.raises(Refused, match="moved to memory://new public") as refused:
        move(world, New(), name="another")
    assert "on its way" in (refused.value.hint or "")
    move(world, to)
    goes_on(world, to)


def test_taken_back() -> None:
    """`key adopt` in the old place opens it again; a later move does not go on with the older copy."""
    world, to = World().grown(3), New()
    closed(world, to)
    memory = AnchorMemory(world.verifier.name, world.stores["anchor"])
    parts = Parts(world.stores["public"], world.stores["private"])
    clock = Clock(lambda: world.now, world.pass_time, random.Random(8))
    Adoption(parts, OwnTree(parts.public, world.verifier), memory, memory).adopt(clock, None, lambda _: None)
    world.append(NEW)
    assert MOVED not in [listed.path for listed in world.stores["private"].list("")]
    assert not can_sign(moved(world, to))
    with pytest.raises(Refused, match="a part of an older copy"):
        move(world, to)
    another = New()
    move(world, another)
    goes_on(world, another)


@pytest.mark.parametrize("what", ["private part", "another log", "another head", "no anchor"])
def test_refused(what: str) -> None:
    """Nothing has changed in the old place, which goes on."""
    world, to = World().grown(3), New()
    anchor = world.stores["anchor"]
    if what == "private part":
        to.private.create({"inbox/ann/x": b""})
    elif what == "another log":
        to.private = World(key=recording_key("other.example.com")).grown(2).stores["private"]
    elif what == "another head":
        found = parse_anchor(anchor.read(ANCHOR).data)
        world.stores["anchor"] = MemoryStore("another")
        world.stores["anchor"].create({ANCHOR: replace(found, identity="ab" * 16).data})
    else:
        world.stores["anchor"] = MemoryStore("none")
    before = world.contents()
    with pytest.raises(Refused):
        move(world, to)
    assert world.contents() == before
    world.stores["anchor"] = anchor
    world.append(NEW)
    world.check()
