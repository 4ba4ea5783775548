"""Explores every interleaving of a setup, breadth first, and checks every state."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from . import adopt, commit, keys, rebuild, tidy, witnesses
from .commit import land
from .mistakes import Mistake
from .state import GONE, Ack, Anchor, Harm, Run, Setup, State, Tile, Tree, prefix, size

STEPS = commit.STEPS | witnesses.STEPS | tidy.STEPS | adopt.STEPS | rebuild.STEPS | keys.STEPS
OTHER_TILE = "a tile is there with another content"
STAYS_LOST = (  # what nobody can help after a head was lost
    "checkpoint or anchor is missing",  # nothing was published yet: `init` again
    "an anchor that has signed nothing may be any log's",
)
PUBLIC = (Harm.REMOVE_CHECKPOINT, Harm.RESTORE_CHECKPOINT)  # harm to the public part only


class Violation(Exception):
    """A state that must not be; with the way that leads there."""

    def __init__(self, problem: str, way: list[str] | None = None) -> None:
        super().__init__("\n  ".join([problem, *(way or [])]))
        self.problem = problem


class Explored(NamedTuple):
    """What was seen: how many states, and where runs were in them."""

    states: int
    at: frozenset[str]


def explore(setup: Setup) -> Explored:
    """Visit every state. Raises Violation with a shortest way to the first one found."""
    first = setup.start()
    came: dict[State, tuple[State, str] | None] = {first: None}
    checks = Checks(setup)
    queue = deque([first])
    at: set[str] = set()
    while queue:
        before = queue.popleft()
        at.update(run.at for run in before.runs)
        for label, state in moves(before, setup):
            if state in came:
                continue
            came[state] = (before, label)
            try:
                checks.check(state, before)
            except Violation as violation:
                raise Violation(violation.problem, _way(came, state)) from None
            queue.append(state)
    return Explored(len(came), frozenset(at))


def moves(s: State, setup: Setup) -> Iterator[tuple[str, State]]:
    """Everything that can happen next."""
    yield from _around(s, setup)
    for i, run in enumerate(s.runs):
        # a rebuild that died is repeated in `Checks.alone` only, for each one gives the anchor another identity
        if not run.entries and run.at not in (run.start, "end") and run.job != "rebuild":
            yield f"{i} dies, a new run starts", _with(s, i, run.again())
        if run.at in STEPS:
            for state, after in STEPS[run.at](s, run, setup):
                yield f"{i} {run.at}", _with(state, i, after)


def _around(s: State, setup: Setup) -> Iterator[tuple[str, State]]:
    """What happens beside the runs."""
    if s.arrived < setup.items:
        yield "a submission arrives", s._replace(inbox=s.inbox | {str(s.arrived)}, arrived=s.arrived + 1)
    for staged in sorted(s.staged):
        if _gc(s, staged.size, staged == s.head.staged, setup.mistake):
            yield "gc", s._replace(staged=s.staged - {staged})
    if setup.visits and (visited := witnesses.visit(s)) is not None:
        yield "the witness comes by", visited
    if s.held:
        yield "the hold ends", s._replace(held=frozenset())
    yield from _gc_decided(s, setup.mistake)
    for expected, new in sorted(s.late):
        if s.head == expected:
            yield "a slow swap of the head happens", land(s, new, setup)
    if setup.harm and not s.harmed:
        for harmed in _harm(s, setup):
            yield setup.harm.value, harmed._replace(harmed=True)


def _with(s: State, i: int, run: Run) -> State:
    return s._replace(runs=(*s.runs[:i], run, *s.runs[i + 1 :]))


def _gc(s: State, staged_size: int, is_heads: bool, mistake: Mistake | None) -> bool:
    """Whether gc may delete a staged batch: once the head is larger, no run can commit it any more."""
    if mistake is Mistake.GC_BY_AGE:
        return not is_heads
    if mistake is Mistake.GC_EQUAL_SIZE:
        return not is_heads and staged_size <= s.head.size
    return staged_size < s.head.size


def _gc_decided(s: State, mistake: Mistake | None) -> Iterator[tuple[str, State]]:
    for name in sorted(s.decided):
        if name in s.inbox - s.held:
            yield "gc deletes what was decided", s._replace(inbox=s.inbox - {name})
        if name not in s.inbox or mistake is Mistake.GC_UNSEEN:
            yield "gc removes a record", s._replace(decided=s.decided - {name})


def _harm(s: State, setup: Setup) -> Iterator[State]:
    older = [tree for tree in sorted(s.signed) if len(tree) < size(s.checkpoint)]
    pairs = [(head, tree) for head in sorted(s.past) for tree in (head.tree, head.tree[: head.base])]
    bases = [(head, tree) for head, tree in pairs if tree in s.signed]
    match setup.harm:
        case Harm.LOSE_STAGING if s.staged:
            yield s._replace(staged=frozenset())
        case Harm.REMOVE_CHECKPOINT if s.checkpoint is not None:
            yield s._replace(checkpoint=None)
        case Harm.RESTORE_CHECKPOINT:
            yield from (s._replace(checkpoint=tree) for tree in older)
        case Harm.RESTORE_HEAD:
            yield from (s._replace(head=head) for head in sorted(s.past))
        case Harm.RESTORE_LOG:
            yield from (s._replace(head=head, checkpoint=tree) for head, tree in bases)
        case Harm.RESTORE_ALL:
            yield from (s._replace(head=head, checkpoint=tree, anchors=(Anchor(0, tree),)) for head, tree in bases)
        case Harm.LOSE_ANCHOR:
            yield s._replace(anchors=(None, *s.anchors[1:]))
        case Harm.LOSE_HEAD:
            yield s._replace(head=GONE)
        case Harm.RESTORE_LOG_LOSE_ANCHOR:
            lost = (None, *s.anchors[1:])
            yield from (s._replace(head=head, checkpoint=tree, anchors=lost) for head, tree in bases)
        case _:
            pass


class Checks:
    """What must hold in every state of a setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.parts = ("tiles", "bundles") if setup.parts else ("all",)
        # an `add` logs its entries at most once, however often it is started; a submission is logged once
        entries = "".join(setup.adders)
        self.most = Counter([*map(str, range(setup.items)), *(set(entries) if setup.once else entries)])
        self.longest: dict[frozenset[Tree], Tree] = {}
        self.settled: set[tuple[object, ...]] = set()

    def check(self, s: State, before: State) -> None:
        """Raise Violation if a promise is broken. before is the state it came from."""
        for run in s.runs:
            is_for_harm = run.job == "rebuild" or self.setup.has_two_places
            is_for_harm |= run.at == f"refused: {keys.KEY_MISSING}" and s.head.keys != "A"
            if run.at.startswith("refused") and not s.harmed and not is_for_harm:
                raise Violation(f"{run.at}, and nothing was wrong")
        if s[1:] == before[1:]:
            return  # only a run went on: storage is as it was
        if s.closed is not None and any(len(tree) > len(s.closed) for tree in s.signed):
            raise Violation("a frozen log grew")
        if self.setup.rekeys and (problem := keys.problem(s, before)):
            raise Violation(problem)
        public = self.chain(s.cosigned if self.setup.harm is Harm.RESTORE_ALL else s.signed)
        self.tiles(s)
        self.entries(s, public)
        for ack in s.acked - before.acked:
            self.answer(s, ack, public)
        if not s.harmed:
            self.order(s, before)
        self.alone(s)

    def chain(self, trees: frozenset[Tree]) -> Tree:
        """No fork: all signed trees extend one another. Return the largest."""
        if trees not in self.longest:
            ordered = sorted(trees, key=len)
            for a, b in pairwise(ordered):
                if not prefix(a, b):
                    raise Violation(f"fork: {a} and {b} are signed")
            self.longest[trees] = ordered[-1] if ordered else ()
        return self.longest[trees]

    def tiles(self, s: State) -> None:
        """The checkpoint is never ahead of its tiles."""
        for what, tree in (("checkpoint", s.checkpoint), ("`pending`", s.pending)):
            if tree and not all(Tile(len(tree), part, tree) in s.tiles for part in self.parts):
                raise Violation(f"the {what} {tree} is ahead of its tiles")

    def entries(self, s: State, public: Tree) -> None:
        """Nothing accepted is lost or logged twice, nothing refused is logged."""
        lost = {str(n) for n in range(s.arrived)} - s.inbox - s.rejected - set(public)
        if lost:
            raise Violation(f"{lost} left the inbox and is not in the log {public}")
        if self.forgot(s):
            return
        for entry, count in Counter(public).items():
            if count > self.most[entry]:
                raise Violation(f"{entry} is logged too often: {public}")
        if s.rejected & {*public, *s.head.tree}:
            raise Violation(f"refused and logged: {set(s.rejected)} in {s.head.tree}")

    def answer(self, s: State, ack: Ack, public: Tree) -> None:
        """An `add` that answers has its entries where it says; of those that saw their own commit, nobody else has.

        An `add` may take equal entries of another as its own only where it could not know: a batch found unpublished
        when it loaded (the other may be itself, before it died), or a tree found after a lost reply. So entries
        that two runs hold are logged at least once, and at most once for each run.
        """
        first, _, sure = ack.mine
        if self.setup.once:
            if not set(ack.entries) <= set(public):
                raise Violation(f"{ack.entries} is acknowledged, and not all of it is there: {public}")
            return
        if public[first : first + len(ack.entries)] != ack.entries:
            raise Violation(f"{ack.entries} is acknowledged at {first} and not there: {public}")
        others = [other for other in s.acked if other != ack and other.mine.first == first]
        if any(other.name == ack.name for other in others):
            raise Violation(f"a run answers twice with what is at {first}: {public}")
        if sure and not self.forgot(s) and any(other.mine.sure for other in others):
            raise Violation(f"two runs both committed what is at {first}: {public}")

    def forgot(self, s: State) -> bool:
        """The private part was lost or put back: what it had decided may be decided again."""
        return s.harmed and self.setup.harm not in (*PUBLIC, Harm.LOSE_HEAD)

    def order(self, s: State, before: State) -> None:
        """Without harm publication moves forward inside the committed tree, and what is committed can be finished."""
        if size(s.pending) < size(before.pending) or not prefix(s.pending, s.head.tree):
            raise Violation(f"`pending` went from {before.pending} to {s.pending}, committed is {s.head.tree}")
        if before.lines and not s.lines and s.checkpoint == before.checkpoint:
            raise Violation(f"a cosignature of {s.checkpoint} was taken back")
        if self.setup.witness and not self.setup.fail_open and s.checkpoint is not None and not s.lines:
            raise Violation(f"{s.checkpoint} is published below the quorum")
        if size(s.checkpoint) < size(before.checkpoint) or not prefix(s.checkpoint, s.head.tree):
            raise Violation(f"publication went from {before.checkpoint} to {s.checkpoint}, committed is {s.head.tree}")
        if size(s.checkpoint) < s.head.size and s.head.size > 0 and s.head.staged not in s.staged:
            raise Violation(f"the committed {s.head.tree} cannot be recovered")

    def alone(self, s: State) -> None:
        """From every state one undisturbed run finishes everything; after harm it may refuse.

        Where an adoption has begun, the same command finishes that first. Where a head was lost, it is rebuilt first.
        """
        passed: set[tuple[object, ...]] = set()
        rebuilds = self.setup.rebuild and s.harmed and self.setup.second is None
        run = self.first(s, rebuilds)
        while True:
            now = (run, *s[1:13], s.signers, s.said, s.harmed)  # head to witness, and keys
            if run.at == "load" and (now in self.settled or self.quiet(s)):
                break
            if now in passed:
                raise Violation(f"a run alone goes round in circles at {run.at!r}: head {s.head.tree}")
            passed.add(now)
            if self.setup.holds and s.head.size > self.most.total():
                raise Violation(f"a run alone logs too often: {s.head.tree}")
            if run.at == f"refused: {OTHER_TILE}" and rebuilds:
                run = Run(job="rebuild", at="rebuild")  # a run that paused has written it since
                continue
            if run.at == "end" and run.job in ("adopt", "rebuild"):
                run = Run(place=int(s.head.anchor == 1))
                continue
            if run.at not in STEPS:
                if rebuilds and run.at.removeprefix("refused: ") not in STAYS_LOST:
                    raise Violation(f"a run alone is {run.at}, after the head was rebuilt")
                if not s.harmed and self.setup.second is None:
                    raise Violation(f"a run alone is {run.at}, and nothing was wrong")
                break
            s, run = next(STEPS[run.at](s, run, self.setup))
        self.settled |= {now for now in passed if isinstance(now[0], Run) and now[0].at == "load"}

    def first(self, s: State, rebuilds: bool) -> Run:
        """Return the run that comes first where nobody else is at work."""
        if rebuilds:
            return Run(job="rebuild", at="rebuild")
        if self.setup.adopt and s.head.anchor == 0 and (s.anchors[0] is None or s.anchors[0].sealed):
            return Run(job="adopt", at="adopt", place=1)
        return Run(place=int(s.head.anchor == 1))

    def quiet(self, s: State) -> bool:
        """Everything is published, and every submission decided."""
        is_met = (s.lines or not self.setup.fail_open) and (not self.setup.rekeys or keys.is_quiet(s))
        return s.checkpoint == s.head.tree and is_met and (s.head.frozen or not s.inbox - s.decided)


def _way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    """The steps from the start to a state."""
    way = []
    step = came[state]
    while step is not None:
        state, label = step
        way.append(label)
        step = came[state]
    return way[::-1]
