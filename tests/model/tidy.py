"""The last step of the commit, tidying, and reading what it could not tidy away."""

from __future__ import annotations

from .commit import Ends, Step, answer, before_plan
from .mistakes import Mistake
from .state import Head, Run, Setup, State


def tidy(s: State, r: Run, setup: Setup) -> Ends:
    """10 tidy: put what was refused, delete the batch's inbox objects, then its staged batch; then the run is done.

    A name whose deletion was not confirmed is recorded as decided before the staged batch goes.
    """
    batch = r.head.batch
    names = batch.accepted + batch.refused
    unsaid = [name for name in batch.refused if name not in s.rejected]
    settled = [name for name in names if name in s.inbox - r.tried]
    unrecorded = sorted(r.unsure - s.decided) if setup.mistake is not Mistake.RECORD_NOTHING else []
    staged_first = setup.mistake is Mistake.STAGED_FIRST or (setup.mistake is Mistake.RECORD_LAST and not settled)
    if staged_first and r.head.staged in s.staged:
        yield s._replace(staged=s.staged - {r.head.staged}), r
    elif unsaid:
        for name in unsaid:
            yield s._replace(rejected=s.rejected | {name}), r
    elif settled:
        for name in settled:
            yield from _delete(s, r, name, setup)
    elif unrecorded:
        yield s._replace(decided=s.decided | {unrecorded[0]}), r
    else:
        yield from _done(s._replace(staged=s.staged - {r.head.staged}), r, setup)


def _delete(s: State, r: Run, name: str, setup: Setup) -> Ends:
    """Ask for the deletion of a submission. What the run does not see gone it has to record."""
    tried = r._replace(tried=r.tried | {name}, unsure=r.unsure | {name})
    failed = r.again() if setup.mistake is Mistake.STOP_AT_HELD else tried
    silent = r._replace(tried=r.tried | {name}) if setup.mistake is Mistake.RECORD_FAILURES else tried
    gone = s._replace(inbox=s.inbox - {name})
    if name in s.held:
        yield s, failed
        return
    yield gone, r
    if setup.holds:
        yield s, failed  # the store says so
        yield gone, silent  # no reply
        yield s, silent


def _done(s: State, r: Run, setup: Setup) -> Ends:
    r = r._replace(tried=frozenset(), unsure=frozenset())
    if r.mine:
        yield from answer(s, r, setup)
    elif r.plan == Head() and r.checkpoint == r.head.tree:
        yield s, before_plan(r, setup)  # it was another run's batch: now its own turn
    else:
        yield s, r.again()


def read_decided(s: State, r: Run, setup: Setup) -> Ends:
    """Read the names that are decided and may still be in the inbox, after no staged batch was found."""
    if setup.mistake is Mistake.LIST_FIRST and r.listed is None:
        yield s, r._replace(listed=s.inbox)
    else:
        after = "recover" if setup.mistake is Mistake.DECIDED_FIRST else "plan"
        yield s, r._replace(at=after, known=s.decided)


STEPS: dict[str, Step] = {"tidy": tidy, "read decided": read_decided}
