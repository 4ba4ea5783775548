"""A new anchor for a log that exists: moved or begun anew, in any order with deaths and other writers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore
from tests.support.witnesses import InProcess, away
from tests.support.world import World, Wrap, faults_of, not_wrapped, recording_key, some_entries
from tiles.errors import Refused, Unfinished
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint, sign_checkpoint
from tiles.records.head import parse_head
from tiles.records.paths import ANCHOR, HEAD
from tiles.retry import Clock
from tiles.signing.anchor import FROZEN, OPEN, SEALED, Anchor, AnchorMemory, parse_anchor
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.write.adopt import Adopted, Adoption, GoOn
from tiles.write.cosign import Witnessing
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

NEW = some_entries("new", 10)


class Stopped(Exception):
    """The operator did not want to go on."""


def stop(_unknown: object) -> None:
    """Do not go on."""
    raise Stopped


def adopt(
    world: World,
    new: Store,
    go_on: GoOn = stop,
    *,
    wrap: Wrap = not_wrapped,
    seen: SignedCheckpoint | None = None,
) -> Adopted:
    """Begin a new anchor in that store."""
    parts = Parts(wrap(world.stores["public"], "public"), wrap(world.stores["private"], "private"))
    old, there = (
        AnchorMemory(world.verifier.name, wrap(store, role))
        for store, role in ((world.stores["anchor"], "anchor"), (new, "new"))
    )
    tree = OwnTree(parts.public, world.verifier)
    clock = Clock(lambda: world.now, world.pass_time, random.Random(7))
    how = Witnessing(ways=InProcess(world.witnesses, faults_of(wrap)))
    return Adoption(parts, tree, old, there, how).adopt(clock, seen, go_on)


def anchor_in(store: Store) -> Anchor:
    """Return the anchor in a store."""
    return parse_anchor(store.read(ANCHOR).data)


def died_after(world: World, what: str) -> None:
    """Let a run that adds entries die right after its first operation of that name."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(NEW)
    at = next(number for number, (done, _) in enumerate(counting.done) if done.startswith(what))
    with pytest.raises((Died, Unfinished)):
        world.sequencer(Faults(at + 1, Fault.DIES).wrap).append(NEW)


def checked(world: World, new: Store, *, more: bool = False) -> None:
    """The log goes on with the new anchor, and is refused with the old one."""
    old = world.stores["anchor"]
    with pytest.raises(Refused, match=r"is sealed|is not that of the log|there is no anchor"):
        world.sequencer().append([b"by the old one"])
    world.stores["anchor"] = new
    if more:
        world.acknowledged.append((world.size() - len(NEW), NEW))
    world.append([b"by the new one"])
    world.check(orphans=True)
    assert anchor_in(new).tree == parse_head(world.stores["private"].read(HEAD).data).tree
    assert old is not new


def test_moved() -> None:
    """The old anchor is sealed, the new one holds its tree, the head names it; nobody is asked."""
    world, new = World().grown(3, 10), MemoryStore("new")
    before = anchor_in(world.stores["anchor"])
    done = adopt(world, new)
    assert (done.is_new, done.sealed) == (True, True)
    assert anchor_in(world.stores["anchor"]) == replace(before, state=SEALED)
    assert anchor_in(new) == done.anchor == Anchor(before.origin, done.anchor.identity, before.tree, OPEN)
    assert done.anchor.identity != before.identity
    again = adopt(world, new)
    assert (again.is_new, again.anchor) == (False, done.anchor)
    checked(world, new)


def test_lost() -> None:
    """Somebody has to say that no other writer is left; then the new one holds the published tree."""
    world, new = World().grown(3, 10), MemoryStore("new")
    world.put("anchor", ANCHOR, None)
    before = world.contents()
    with pytest.raises(Stopped):
        adopt(world, new)
    assert world.contents() == before
    assert list(new.list("")) == []
    asked: list[None] = []
    done = adopt(world, new, lambda _: asked.append(None))
    assert len(asked) == 1
    assert (done.is_new, done.sealed, done.anchor.tree.size) == (True, False, 13)
    checked(world, new)


def test_lost_beside_an_older_public_part() -> None:
    """The head commits to more than is published, and the batch is gone: it was signed, so nothing may begin here."""
    world = World().grown(3)
    older = world.contents()
    world.append(NEW)
    world.restore("public", older)
    world.put("anchor", ANCHOR, None)
    before = world.contents()
    with pytest.raises(Refused, match="this is an older copy of the public part") as refused:
        adopt(world, world.stores["anchor"], lambda _: None)
    assert "more-was-signed-than-is-published" in (refused.value.hint or "")
    assert world.contents() == before


@pytest.mark.parametrize("same_place", [True, False])
def test_a_copy_of_a_log_whose_anchor_was_moved(same_place: bool) -> None:
    """The old anchor is sealed, so there is a newer one somewhere, which may have signed more: it has to be asked."""
    world, moved = World().grown(3), MemoryStore("moved")
    copied = {role: world.contents() for role in ("public", "private")}
    adopt(world, moved)
    old, world.stores["anchor"] = world.stores["anchor"], moved
    world.append(NEW)
    for role, contents in copied.items():
        world.restore(role, contents)
    world.stores["anchor"] = old
    before = world.contents()
    with pytest.raises(Stopped):
        adopt(world, old if same_place else MemoryStore("new"))
    assert world.contents() == before


@pytest.mark.parametrize("lost", [True, False])
def test_in_the_same_place(lost: bool) -> None:
    """What is lost there is begun anew; what was put back there, and is behind, is replaced."""
    world = World().grown(3)
    older = world.stores["anchor"].read(ANCHOR).data
    world.append(NEW)
    world.put("anchor", ANCHOR, None if lost else older)
    with pytest.raises(Refused):
        world.sequencer().append(NEW)
    done = adopt(world, world.stores["anchor"], lambda _: None)
    assert done.anchor.tree.size == 13
    world.append([b"more"])
    world.check()


@pytest.mark.parametrize(
    "what", ["private swap head", "public create tile/", "anchor swap anchor", "public swap checkpoint"]
)
@pytest.mark.parametrize("lost", [False, True])
def test_a_committed_tree_stays_committed(what: str, lost: bool) -> None:
    """A run died before it published: the next one publishes its batch, with the new anchor."""
    world, new = World().grown(3), MemoryStore("new")
    died_after(world, what)
    if lost:
        world.put("anchor", ANCHOR, None)
    adopt(world, new, lambda _: None)
    checked(world, new, more=True)


@pytest.mark.parametrize("lost", [False, True])
def test_dies_anywhere(lost: bool) -> None:
    """Whatever it has done, the same call finishes the work, and nobody has signed two trees."""
    for at in range(50):
        world, new = World().grown(3), MemoryStore("new")
        if lost:
            world.put("anchor", ANCHOR, None)
        try:
            adopt(world, new, lambda _: None, wrap=Faults(at, Fault.DIES).wrap)
        except Died:
            adopt(world, new, lambda _: None)
            checked(world, new)
        else:
            checked(world, new)
            break
    assert at > 6


@pytest.mark.parametrize("fault", [Fault.NOT_DONE_UNKNOWN, Fault.DONE_UNKNOWN])
def test_replies_are_lost(fault: Fault) -> None:
    """What is not known to be done is looked at again, or the call says that it has to be repeated."""
    counting = Faults()
    adopt(World().grown(3), MemoryStore("new"), wrap=counting.wrap)
    swaps = [at for at, (what, _) in enumerate(counting.done) if " swap " in what]
    assert len(swaps) == 3
    for at in swaps:
        world, new = World().grown(3), MemoryStore("new")
        asked: list[None] = []
        adopt(world, new, lambda _, asked=asked: asked.append(None), wrap=Faults(at, fault).wrap)
        assert bool(asked) == (at == swaps[0] and fault is Fault.DONE_UNKNOWN)  # who sealed it is not known
        checked(world, new)


def test_a_writer_meets_it_anywhere() -> None:
    """Another writer with the old anchor comes in between any two steps: it finishes, or is refused; nothing forks."""
    for at in range(30):
        world, new = World().grown(3), MemoryStore("new")
        steps: list[str] = []

        def gate(what: str, world: World = world, steps: list[str] = steps, at: int = at) -> None:
            steps.append(what)
            if len(steps) == at + 1:
                world.pass_time(1000.0)
                try:
                    world.append(NEW)
                except (Refused, Unfinished):
                    return

        adopt(world, new, wrap=lambda store, role, gate=gate: GatedStore(store, role, gate))
        world.stores["anchor"] = new
        world.sequencer().finish()
        world.append([b"by the new one"])
        world.check(orphans=True)
        if len(steps) <= at:
            break


def test_it_meets_a_writer_anywhere() -> None:
    """It comes in between any two steps of a writer with the old anchor: nothing forks, nothing is lost."""
    for at in range(60):
        world, new = World().grown(3), MemoryStore("new")
        steps: list[str] = []

        def gate(what: str, world: World = world, new: Store = new, steps: list[str] = steps, at: int = at) -> None:
            steps.append(what)
            if len(steps) == at + 1:
                adopt(world, new)

        try:
            done = world.sequencer(lambda store, role, gate=gate: GatedStore(store, role, gate)).append(NEW)
            world.acknowledged.append((done.first_index, NEW))
        except (Refused, Unfinished):
            pass
        if len(steps) > at:
            world.stores["anchor"] = new
        world.sequencer().finish()
        world.append([b"more"])
        world.check(orphans=True)
        if len(steps) <= at:
            break
    assert at > 15


def test_a_writer_that_has_read_the_old_head_reads_again() -> None:
    """A new anchor is begun in the place of a lost one after it read the head, and before it reads the anchor."""
    world = World().grown(3)
    world.put("anchor", ANCHOR, None)
    begun: list[Adopted] = []

    def gate(what: str) -> None:
        if what == f"anchor read {ANCHOR}" and not begun:
            begun.append(adopt(world, world.stores["anchor"], lambda _: None))

    done = world.sequencer(lambda store, role: GatedStore(store, role, gate)).append(NEW)
    assert begun
    assert done.first_index == 3


def put_back(world: World) -> None:
    """Both parts are put back to the first batch."""
    older = World().grown(3)
    for role in ("public", "private"):
        world.restore(role, older.contents())
    head = parse_head(world.stores["private"].read(HEAD).data)
    world.put("private", HEAD, replace(head, anchor=anchor_in(world.stores["anchor"]).identity).data)


OTHER = TreeHead(3, Hash(b"\x07" * 32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put_back, "a tree of size 13 .* was signed, and the log has size 3"),
        (lambda world: world.move_anchor(tree=OTHER, identity="f" * 32), "does not extend size 3"),
        (lambda world: world.put("public", "checkpoints/014", b"x"), "is larger than the checkpoint"),
    ],
)
def test_refused(change: Callable[[World], object], message: str) -> None:
    """Where more was signed than the log has, or another tree, nothing is changed."""
    world, new = World().grown(3, 10), MemoryStore("new")
    change(world)
    before = world.contents()
    with pytest.raises(Refused, match=message):
        adopt(world, new, lambda _: None)
    assert world.contents() == before
    assert list(new.list("")) == []


def test_an_anchor_of_something_larger_is_not_overwritten() -> None:
    """In the new place is the anchor of the log that this one is a copy of."""
    world, new = World().grown(3), MemoryStore("new")
    new.create({ANCHOR: Anchor(world.verifier.name, "e" * 32, TreeHead(9, Hash(b"\x01" * 32))).data})
    before = world.contents()
    with pytest.raises(Refused, match="a tree of size 9"):
        adopt(world, new)
    assert world.contents() == before


def test_what_a_reader_has_seen_counts() -> None:
    """Who was shown a larger tree than there is now does not begin a new anchor on it."""
    larger = World().grown(3, 10)
    seen = parse_signed_checkpoint(larger.stores["public"].read("checkpoint").data)
    world = World().grown(3)
    world.put("anchor", ANCHOR, None)
    with pytest.raises(Refused, match="a tree of size 13"):
        adopt(world, MemoryStore("new"), lambda _: None, seen=seen)


@pytest.mark.parametrize("path", ["pending", "checkpoints/002", "checkpoints/days/2096-10-03"])
@pytest.mark.parametrize("what", ["larger", "another", "not ours", "another origin", "a part"])
def test_what_is_kept_counts(path: str, what: str) -> None:
    """What the log's key has signed, and the log does not contain, is no ground for a new anchor, wherever it lies."""
    world, new = World().grown(3), MemoryStore("new")
    world.put("anchor", ANCHOR, None)
    trees = {
        "larger": TreeHead(13, Hash(b"\x07" * 32)),
        "another": TreeHead(2, Hash(b"\x07" * 32)),
        "not ours": TreeHead(13, Hash(b"\x07" * 32)),
        "another origin": TreeHead(13, Hash(b"\x07" * 32)),
        "a part": EMPTY_TREE,
    }
    key = recording_key(seed=b"\x02" * 32) if what == "not ours" else world.key
    if what == "another origin":
        key = recording_key("other.example.com", b"\x02" * 32)
    kept = sign_checkpoint(Checkpoint(key.name, trees[what]), key).data
    world.put("public", path, kept)
    if what in ("larger", "another"):
        with pytest.raises(Refused, match="signed"):
            adopt(world, new, lambda _: None)
        assert list(new.list("")) == []
        return
    assert adopt(world, new, lambda _: None).is_new
    published = world.stores["public"].read(CHECKPOINT).data
    assert world.stores["public"].read(path).data == (published if path == "pending" else kept)


def test_pending_of_what_is_committed_stays() -> None:
    """It is what the next run signs again, and witnesses may have it."""
    world, new = World().grown(3), MemoryStore("new")
    died_after(world, "private swap head")
    tree = parse_head(world.stores["private"].read(HEAD).data).tree
    pending = sign_checkpoint(Checkpoint(world.verifier.name, tree), world.key).data
    world.put("public", "pending", pending)
    adopt(world, new)
    assert world.stores["public"].read("pending").data == pending


def test_a_frozen_log_stays_frozen() -> None:
    """Its new anchor is frozen as well."""
    world, new = World().grown(3), MemoryStore("new")
    world.sequencer().freeze()
    assert adopt(world, new).anchor.state == FROZEN
    world.stores["anchor"] = new
    with pytest.raises(Refused, match="is frozen at size 3"):
        world.append(NEW)


def test_an_empty_log() -> None:
    """It can be moved before anything is in it."""
    world, new = World().grown(), MemoryStore("new")
    assert adopt(world, new).anchor.tree == EMPTY_TREE
    checked(world, new)


@pytest.mark.parametrize("how", ["shows", "says"])
def test_a_witness_knows_more_than_the_log(how: str) -> None:
    """The anchor is lost, and log and private part are older copies: a witness has cosigned what is not in them."""
    world, new = World().witnessed(2, 3).grown(3), MemoryStore("new")
    older = world.contents()
    world.append(NEW)
    for role in ("public", "private"):
        world.restore(role, older)
    world.put("anchor", ANCHOR, None)
    for each in world.witnesses.values():
        each.hides = how == "says"
    before = world.contents()
    with pytest.raises(Refused, match="was signed, and the log has" if how == "shows" else "says that it has cosigned"):
        adopt(world, new, lambda _: None)
    assert world.contents() == before
    assert list(new.list("")) == []


def test_witnesses_of_a_log_whose_anchor_is_lost() -> None:
    """They have cosigned what is published, or what is committed: it goes on; of one that is away, that is said."""
    world, new = World().witnessed(2, 3).grown(3), MemoryStore("new")
    died_after(world, "witness ask http://w1")
    world.put("anchor", ANCHOR, None)
    next(iter(world.witnesses.values())).lie = away
    said: list[str] = []
    assert adopt(world, new, said.extend).is_new
    assert said == ["what the witness w0 has cosigned: no connection"]
    checked(world, new, more=True)
