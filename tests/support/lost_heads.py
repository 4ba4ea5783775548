"""Logs whose head was lost, and how it is made again."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.support.faults import Died, Fault, Faults, RecordingStore
from tests.support.witnesses import InProcess
from tests.support.world import ROLES, World, Wrap, faults_of, not_wrapped
from tiles.errors import Unfinished
from tiles.inbox.admission import Admission
from tiles.notes.policy import Policy
from tiles.records.head import Head, parse_head
from tiles.records.paths import ANCHOR, HEAD
from tiles.retry import Clock
from tiles.signing.anchor import Anchor, parse_anchor
from tiles.signing.signer import Signer
from tiles.write.cosign import Witnessing
from tiles.write.lost_head import HeadRebuilder, Rebuilt
from tiles.write.parts import Parts


def rebuild(
    world: World, wrap: Wrap = not_wrapped, *, policy: Policy | None = None, admission: Admission | None = None
) -> Rebuilt:
    """Rebuild the head of a log."""
    recorded = RecordingStore(world.stores["public"], "public", world.history)
    public, private, anchor = wrap(recorded, "public"), *(wrap(world.stores[role], role) for role in ROLES[1:])
    clock = Clock(lambda: world.now, world.pass_time, random.Random(7))
    how = Witnessing(ways=InProcess(world.witnesses, faults_of(wrap)))
    return HeadRebuilder(Parts(public, private), Signer(world.key, anchor), clock, how).rebuild(policy, admission)


def anchor_of(world: World) -> Anchor:
    """Return the log's anchor."""
    return parse_anchor(world.stores["anchor"].read(ANCHOR).data)


def head_of(world: World) -> Head:
    """Return the log's head."""
    return parse_head(world.stores["private"].read(HEAD).data)


def died_after(world: World, what: str, entries: Sequence[bytes]) -> World:
    """Let a run that adds entries die right after its first operation of that name."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(entries)
    at = next(number for number, (done, _) in enumerate(counting.done) if done.startswith(what))
    with pytest.raises((Died, Unfinished)):
        world.sequencer(Faults(at, Fault.DIES).wrap).append(entries)
    return world
