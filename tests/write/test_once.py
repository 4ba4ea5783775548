"""Equal entries are logged once: decided on the tree of the commit, whoever else writes, and whatever breaks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Stepped
from tests.support.reference import printed_random
from tests.support.sampling import one_in, quickly
from tests.support.world import World, explained, some_entries
from tiles.errors import TilesError, Unfinished
from tiles.inbox.submission import Name, format_submission
from tiles.store import Store
from tiles.tree.edge import EMPTY_EDGE, Edge
from tiles.tree.merkle import Hash, leaf_hash, leaf_hashes
from tiles.write.once import Found, Nowhere, Once, Wanted, anyway
from tiles.write.results import Appended, indexes, runs

A, B, C, D, E = (letter.encode() for letter in "abcde")


# ---- the decision


class Table:
    """What is in a log, as a table; it takes down since when it was asked."""

    def __init__(self, entries: Sequence[bytes], *, complete: bool = True) -> None:
        self.found = {leaf_hash(entry): index for index, entry in enumerate(entries)}
        self.complete = complete
        self.asked: list[tuple[int, int]] = []

    def find(self, leaves: Collection[Hash], _edge: Edge, since: int) -> Found:
        """Look it up."""
        self.asked.append((len(leaves), since))
        return Found({leaf: at for leaf, at in self.found.items() if leaf in leaves and at >= since}, self.complete)


def edge_of(size: int) -> Edge:
    """Return an edge that says its size."""
    return replace(EMPTY_EDGE, size=size)


@pytest.mark.parametrize(
    ("entries", "asked", "new", "already"),
    [
        ([A, B], None, [], [(0, 0), (1, 1)]),
        ([D, B, E], None, [D, E], [(1, 1)]),
        ([D, D, A, D], None, [D], [(1, 3), (2, 0), (3, 3)]),
        ([D, D], [False, True], [D], [(1, 3)]),  # the first is logged whatever is there, and then it is there
        ([A, A], [False, True], [A], [(1, 0)]),
        ([A, A], [True, False], [A], [(0, 0)]),
        ([A, D, D], [False, False, False], [A, D, D], []),
    ],
)
def test_what_is_new(
    entries: list[bytes], asked: list[bool] | None, new: list[bytes], already: list[tuple[int, int]]
) -> None:
    """An entry is new unless it is in the log, or came before in the batch; those that may come twice always are."""
    wanted = Once(Table([A, B, C])).look(entries, asked, edge_of(3), 3)
    assert (wanted.new, list(wanted.already), wanted.complete) == (new, already, True)


def test_again_after_another_writer() -> None:
    """What was found stays found; only what was new is looked for, among what came since."""
    first = Table([A, B, C])
    before = Once(first).look([A, D, E, E], None, edge_of(3), 3)
    assert first.asked == [(3, 0)]
    assert before.already == ((0, 0), (3, 4))
    now = Table([A, B, C, E])
    wanted = Once(now).look([A, D, E, E], None, edge_of(4), 4, before)
    assert (wanted.new, wanted.already) == ([D], ((0, 0), (2, 3), (3, 3)))
    assert now.asked == [(2, 3)]
    assert not Once(now).look([D], None, edge_of(4), 4, replace(before, complete=False)).complete


def test_what_this_writer_has_committed_is_known() -> None:
    """A batch that is planned ahead comes after one that nobody can read yet."""
    once = Once(Table([A]))
    once.committed(1, leaf_hashes(once.look([B, C], None, edge_of(1), 1).new))
    wanted = once.look([C, D, A], None, edge_of(1), 3)
    assert (wanted.new, wanted.already) == ([D], ((0, 2), (2, 0)))
    assert once.look([C], None, edge_of(1), 7).new == [C]  # of another tree nothing is known


def test_nobody_looks() -> None:
    """Where nobody can look, that is said; the empty log needs no looking."""
    assert Once(Nowhere()).look([A], None, edge_of(0), 0).complete
    assert not Once(Nowhere()).look([A], None, edge_of(1), 1).complete
    assert Once(Nowhere()).look([A], [False], edge_of(1), 1).complete
    assert anyway([A, A], 7) == Wanted(7, [A, A])


def test_indexes() -> None:
    """Each entry's index, in the order in which they were to be logged."""
    assert indexes(5, 2, ()) == range(5, 7)
    assert indexes(5, 2, [(0, 1), (2, 6), (4, 5)]) == [1, 5, 6, 6, 5]
    assert indexes(9, 0, [(0, 3)]) == [3]
    assert runs([1, 2, 3, 7, 6, 7]) == [(1, 3), (7, 1), (6, 2)]
    assert (runs(range(4, 6)), runs(range(4, 4)), runs([])) == ([(4, 2)], [], [])


# ---- the writer


def taking(batches: Sequence[list[bytes]]) -> Callable[[int | None], list[bytes]]:
    """Return what hands out batches."""
    left = list(batches)
    return lambda _size: left.pop(0) if left else []


def check(world: World, *answers: tuple[Sequence[bytes], Appended]) -> None:
    """Check that no entry is in the log twice, and that each is where it was said to be."""
    entries = world.committed()
    assert entries is not None
    assert max(Counter(entries).values(), default=1) == 1
    for wanted, done in answers:
        assert [entries[index] for index in done.indexes] == list(wanted)
        assert done.once
    world.check(orphans=True)


def test_append() -> None:
    """What is there is not logged again; if nothing is new, nothing is committed, not even in a frozen log."""
    world = World().grown(300)
    old, new = some_entries("entry of 0", 300), some_entries("new", 3)
    mixed = [new[0], old[299], new[1], old[0], new[0]]
    done = world.sequencer().append(mixed, once=True)
    assert (done.first_index, done.count, done.indexes) == (300, 2, [300, 299, 301, 0, 300])
    before = world.contents()
    again = world.sequencer().append(mixed, once=True)
    assert (again.count, again.indexes) == (0, [300, 299, 301, 0, 300])
    assert world.contents() == before
    check(world, (mixed, done), (mixed, again))
    world.sequencer().freeze()
    assert world.sequencer().append(mixed, once=True).count == 0
    with pytest.raises(TilesError, match="frozen at size 302"):
        world.sequencer().append([new[2], *mixed], once=True)


def test_without_being_asked() -> None:
    """Whoever does not ask for it logs equal entries as often as they come."""
    world = World().grown(3)
    done = world.sequencer().append([A, A, some_entries("entry of 0", 1)[0]])
    assert (done.first_index, done.count, done.already) == (3, 3, ())


def test_append_all() -> None:
    """Batches that are planned ahead know of those before them."""
    world = World().grown(3)
    batches = [[A, B], [B, C, C], [A, C], [D], [D, A], [E]]
    answers = list(zip(batches, world.sequencer().append_all(taking(batches), once=True), strict=True))
    assert [done.indexes for _, done in answers] == [
        range(3, 5), [4, 5, 5], [3, 5], range(6, 7), [6, 3], range(7, 8)
    ]  # fmt: skip
    check(world, *answers)


# ---- whatever breaks


WANTED = [A, *some_entries("entry of 0", 2), B, A, *some_entries("new", 3)]


def schedules(base: World) -> list[Faults]:
    """Return one schedule for each operation of the append, and each fault that can be there."""
    counted = Faults()
    base.copy().sequencer(counted.wrap).append(WANTED, once=True)
    return [Faults(at, fault) for at, (_, kinds) in enumerate(counted.done) for fault in kinds]


@pytest.mark.parametrize("part", quickly([1, 5], [5]))
def test_a_fault_at_every_operation(part: int) -> None:
    """Whatever goes wrong, the same call made again answers, and each entry is there once."""
    base = World().grown(300)
    every = schedules(base)
    assert len(every) > 40
    for faults in one_in(part, every):
        world = base.copy()
        with explained(lambda: str(faults)):  # noqa: B023
            answers = []
            try:
                answers.append((WANTED, world.sequencer(faults.wrap).append(WANTED, once=True)))
            except (Died, TilesError) as error:
                if isinstance(error, Unfinished):
                    where = indexes(error.first_index, error.count, error.already)
                    assert [(world.committed() or ())[index] for index in where] == WANTED
            answers.append((WANTED, world.sequencer().append(WANTED, once=True)))
            check(world, *answers)


def test_an_interrupted_call_is_recognised() -> None:
    """Its batch says which entries were left out: it is found again where nobody can look any more."""
    base = World().grown(300)
    counted = Faults()
    base.copy().sequencer(counted.wrap).append(WANTED, once=True)
    swap = next(at for at, (what, _) in enumerate(counted.done) if what == "private swap head")
    faults = Faults(swap + 1, Fault.DIES)
    with pytest.raises(Died):
        base.sequencer(faults.wrap).append(WANTED, once=True)
    other = base.copy()
    assert other.sequencer().append([*WANTED[:-1], E]).count == len(WANTED)  # another call: all of it is logged
    done = base.sequencer().append(WANTED)  # not even once is asked for
    assert (done.first_index, done.count, done.indexes) == (300, 5, [300, 0, 1, 301, 300, 302, 303, 304])
    base.check()


# ---- two writers


def meet(world: World, first: Sequence[bytes], second: Sequence[bytes], rng: random.Random) -> None:
    """Let two writers go on in turns, so many steps at a time."""

    def started(name: str, entries: Sequence[bytes]) -> Stepped[Appended]:
        def body(writer: Stepped[Appended]) -> Appended:
            def wrap(store: Store, role: str) -> Store:
                return GatedStore(store, role, writer.gate)

            def sleep(seconds: float) -> None:
                world.pass_time(seconds)
                writer.gate("sleep")

            return world.sequencer(wrap, sleep=sleep).append(entries, once=True)

        return Stepped(name, body)

    writers = [started("A", first), started("B", second)]
    turns: list[str] = []
    with explained(lambda: " ".join(turns)):
        while not all(writer.finished for writer in writers):
            writer, times = rng.choice(writers), rng.randrange(1, 12)
            turns.append(f"{writer.name}{times}")
            writer.step(times)
        check(world, *zip((first, second), (writer.outcome() for writer in writers), strict=True))


@pytest.mark.parametrize("count", quickly([25, 400], [25]))
def test_two_writers(count: int) -> None:
    """Both want some of the same entries; each is logged by one of them, and both say where."""
    rng, base = printed_random(), World().grown(3)
    pool = [A, B, C, D, E, *some_entries("entry of 0", 3)]
    for _ in range(count):
        first, second = (rng.choices(pool, k=rng.randrange(1, 6)) for _ in range(2))
        meet(base.copy(), first, second, rng)


# ---- submissions


def submit(world: World, number: int, entries: Sequence[bytes], *, once: bool = True) -> str:
    """Put a submission into the inbox; return its name."""
    data = format_submission(entries, once=once)
    name = Name("ann", f"{number:032x}", sha256(data).hexdigest())
    world.put("private", name.path, data)
    return name.text


def test_submissions() -> None:
    """Each decides for itself: what is there, or comes twice, is logged again only where that was asked for."""
    world = World().grown(3)
    old = some_entries("entry of 0", 3)
    took = [
        submit(world, 1, [A, old[1]]),
        submit(world, 2, [old[2], A, B]),
        submit(world, 3, [A, old[0]], once=False),
        submit(world, 4, [B]),
    ]
    done = world.sequencer().sequence()
    assert sorted(done.took) == sorted(took)
    assert (done.first_index, done.count, done.already, done.once) == (3, 4, 4, True)
    entries = world.committed()
    assert entries is not None
    assert Counter(entries) == Counter([*old, A, B, A, old[0]])
    world.check(orphans=True, repeated=[A, old[0]])


def test_nothing_new_was_submitted() -> None:
    """The submission is decided, by a commit, though no entry is logged; wherever a run dies, the next one sees it."""
    base = World().grown(300)
    name = submit(base, 1, some_entries("entry of 0", 2))
    counted = Faults()
    done = base.copy().sequencer(counted.wrap).sequence()
    assert (done.count, done.took, done.already, done.checkpoint.tree.size) == (0, (name,), 2, 300)
    for at in range(len(counted.done)):
        world = base.copy()
        with explained(lambda: f"dies at {at}"):  # noqa: B023
            with pytest.raises(Died):
                world.sequencer(Faults(at, Fault.DIES).wrap).sequence()
            world.sequencer().sequence()
            assert not [listed.path for listed in world.stores["private"].list("inbox/")]
            assert len(world.committed() or ()) == 300
            world.check(orphans=True)
