"""Step 8: the witness, and `pending`, which a witness reads that comes by itself."""

from __future__ import annotations

from .commit import Ends, Step
from .mistakes import Mistake
from .state import Run, Setup, State, prefix, size


def load_pending(s: State, r: Run, setup: Setup) -> Ends:
    """1 load, the end: `pending` is of the committed tree or an earlier one; if it is larger, read the head again."""
    if size(s.pending) <= r.head.size:
        yield s, r._replace(at="recover")
    elif setup.mistake is Mistake.PENDING_AHEAD_IS_PROOF:
        yield s, r.refuse("the head was put back, more was signed")
    else:
        yield s, r._replace(at="someone ahead", ahead=s.pending or ())


def pending(s: State, r: Run, setup: Setup) -> Ends:
    """8 cosign: read `pending`; it is never replaced by a smaller one."""
    r = r._replace(seen=s.pending)
    is_there = size(s.pending) >= r.head.size and setup.mistake is not Mistake.PENDING_BLINDLY
    yield s, r._replace(at="cosign", seen=None) if is_there else r._replace(at="show pending")


def show_pending(s: State, r: Run, setup: Setup) -> Ends:
    """Swap `pending` for the checkpoint of the committed tree; after a conflict or a lost reply it is read again."""
    if s.pending != r.seen and setup.mistake is not Mistake.PENDING_BLINDLY:
        yield s, r._replace(at="pending", seen=None)
        return
    shown = s._replace(pending=r.head.tree)
    yield shown, r._replace(at="cosign", seen=None)
    if setup.unknown:
        yield shown, r._replace(at="pending", seen=None)


def cosign(s: State, r: Run, setup: Setup) -> Ends:
    """Ask the witness, which cosigns what extends the tree it cosigned last.

    Without an answer a run ends (the next one asks again), or with `fail_open` publishes without it.
    """
    goes_on = setup.fail_open or setup.mistake is Mistake.PUBLISH_ANYWAY
    without = r._replace(at="publish", lines=False) if goes_on else r.again()
    if prefix(s.witness, r.head.tree):
        cosigned = s._replace(witness=r.head.tree, cosigned=s.cosigned | {r.head.tree})
        yield cosigned, r._replace(at="publish", lines=True)
        if setup.unknown or goes_on:
            yield cosigned, without
            yield s, without
    elif size(s.witness) > r.head.size and setup.mistake is not Mistake.WITNESS_AHEAD_IS_PROOF:
        yield s, r._replace(at="someone ahead", ahead=s.witness or ())
    else:
        yield s, r.refuse("the witness saw another tree")


def visit(s: State) -> State | None:
    """The state after the witness came by itself; None if there is nothing for it that extends what it cosigned."""
    found = max((s.pending, s.checkpoint), key=size)
    if found is None or found == s.witness or not prefix(s.witness, found):
        return None
    return s._replace(witness=found, cosigned=s.cosigned | {found})


STEPS: dict[str, Step] = {
    "load pending": load_pending,
    "pending": pending,
    "show pending": show_pending,
    "cosign": cosign,
}
