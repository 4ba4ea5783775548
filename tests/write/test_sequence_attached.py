"""Deciding submissions by rules: whatever goes wrong in a run, each is decided once, by its attachments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import pytest

from tests.support.admissions import BY_IDENTITY, certified, policy, submitted
from tests.support.entry_texts import PLAIN
from tests.support.faults import Died, Faults
from tests.support.sampling import one_in
from tests.support.signed_bundles import signer
from tests.support.sigstore_authority import authority
from tests.support.submissions import check_submitted, rejected, submit
from tests.support.world import World, explained, some_entries
from tiles.errors import AccessError, Refused, Unfinished, UsageError
from tiles.inbox.rules import Rule
from tiles.inbox.submission import format_submission


@cache
def objects() -> tuple[tuple[bytes, tuple[bytes, ...]], ...]:
    """Return submissions, each with the entries that are to be logged: none of what no rule admits."""
    good, attached = submitted(certified())
    other, beside = submitted(certified(authority().leaf("eve@example.com", key=signer(9))))
    return (
        (format_submission([good], attached={0: attached}), (good,)),
        (format_submission([other], attached={0: beside}), ()),
        (format_submission([good], attached={0: beside}), ()),  # another signature's timestamp
        (format_submission(some_entries("raw", 2)), ()),
    )


def with_rules(base: int) -> tuple[World, dict[str, Sequence[bytes]]]:
    """Return a log of that size whose policy has a rule, and what is in its inbox, with what should come of it."""
    world = World()
    world.sequencer(admission=policy(BY_IDENTITY)).create()
    if base:
        world.append(some_entries("base", base))
    expected: dict[str, Sequence[bytes]] = {}
    for number, (data, entries) in enumerate(objects()):
        expected[submit(world, "ann", number, data)] = entries
    return world, expected


def test_admitted_and_refused_in_one_batch() -> None:
    """What no rule admits is refused with its reason, beside what is logged; a run that names the policy agrees."""
    world, expected = with_rules(3)
    done = world.sequencer(admission=policy(BY_IDENTITY)).sequence()
    check_submitted(world, expected, complete=True)
    assert (done.count, len(done.took), len(done.refused)) == (1, 1, 3)
    assert {reason.partition(";")[0] for _, reason in done.refused} == {
        "entry 0 has a certificate of another identity or issuer",
        "entry 0 has no signed timestamp over its signature by an authority of the policy",
        "entry 0 is of the kind raw, and no rule admits that kind",
    }
    assert len(rejected(world)) == 3


def test_a_policy_for_the_writer() -> None:
    """What the writer appends is judged where the policy says so, by what it has beside; nothing is added otherwise."""
    world = World()
    world.sequencer(admission=policy(BY_IDENTITY, Rule("file"), judges_writer=True)).create()
    good, attached = submitted(certified())
    before = world.contents()
    for entries, beside in (([good], {}), ([good], {1: attached}), ([PLAIN.encode(), good, b"raw"], {1: attached})):
        with pytest.raises(Refused, match=r"which is for its writer too, does not admit this: entry \d "):
            world.sequencer().append(entries, attached=beside)
    with pytest.raises(Refused, match="entry 0 is of the kind raw, and no rule admits that kind"):
        list(world.sequencer().append_all(lambda size: [b"raw"] if size is None else []))
    assert world.contents() == before
    assert world.sequencer().append([PLAIN.encode(), good], attached={1: attached}).count == 2
    world.check(orphans=True)


def test_without_what_judges_timestamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rfc3161-client is not installed, a run says so and decides nothing: that is no submitter's fault."""
    world, expected = with_rules(3)
    before = world.contents()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "rfc3161_client", None)
        with pytest.raises(UsageError, match="rfc3161-client is needed"):
            world.sequencer().sequence()
    assert world.contents() == before
    world.sequencer().sequence()
    check_submitted(world, expected, complete=True)


def test_a_policy_for_submissions_alone() -> None:
    """Without that line, the writer appends what it likes, as ever."""
    world, _ = with_rules(0)
    assert world.sequencer().append([b"raw"]).count == 1


@pytest.mark.parametrize("n", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["quick", "full"])
def test_survives_a_fault_at_every_operation(n: int) -> None:
    """Whatever happens to one run, what a rule admits is logged once, and what none does is refused."""
    world, expected = with_rules(250)
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    schedules = [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]
    assert len(schedules) > 60
    for faults in one_in(n, schedules):
        here = world.copy()
        with explained(lambda faults=faults: str(faults)):
            with suppress(Died, AccessError, Unfinished):
                here.sequencer(faults.wrap).sequence()
            check_submitted(here, expected, complete=False)
            here.sequencer().sequence()
            check_submitted(here, expected, complete=True)
