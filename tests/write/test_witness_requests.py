"""Witnesses at real addresses: servers that hang, drip or flood, and a directory of one that has no server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.witness_servers import Instead, drip_body, drip_headers, flood, hang
from tests.support.witnesses import Witness, digest_of, serving, witness_key, witness_policy
from tests.support.world import ORIGIN, World, some_entries
from tiles.errors import Unfinished
from tiles.records.paths import PENDING
from tiles.write.cosign import Witnessing

NEW = some_entries("new", 10)


@pytest.mark.parametrize("how", [hang, drip_headers, drip_body, flood])
def test_one_bad_server_delays_a_log_by_no_more_than_the_deadline(how: Instead) -> None:
    """Two of three: it publishes at once. Three of three: it ends with the deadline, names it, and publishes later."""
    for k in (2, 3):
        world = World()
        witnesses = [Witness(witness_key(n), [world.verifier]) for n in range(3)]
        with serving(witnesses) as served:
            world.history.witnesses = tuple(each.key.verifier for each in witnesses)
            policy = witness_policy(world.verifier, {served.url(n): each for n, each in enumerate(witnesses)}, k)
            world.sequencer(policy=policy, how=Witnessing()).create()
            served.instead[1] = how
            began = time.monotonic()
            writer = world.sequencer(how=Witnessing(timeout=0.6))
            if k == 2:
                writer.append(NEW)
                assert time.monotonic() - began < 0.6
            else:
                with pytest.raises(Unfinished, match=r"missing w1 \(w1: "):
                    writer.append(NEW)
                assert time.monotonic() - began < 2
                served.instead.clear()
                assert world.sequencer(how=Witnessing()).finish().tree.size == 10


def test_a_witness_is_a_directory(tmp_path: Path) -> None:
    """Its URL in the policy is where it publishes; the log finds its line there."""
    world = World()
    witness = Witness(witness_key(2), [world.verifier])
    world.history.witnesses = (witness.key.verifier,)
    policy = witness_policy(world.verifier, {str(tmp_path): witness}, 1)
    with pytest.raises(Unfinished, match="w0: it shows no checkpoint of this log yet"):
        world.sequencer(policy=policy, how=Witnessing()).create()
    witness.visit(world.stores["public"].read(PENDING).data)
    seen = tmp_path / digest_of(ORIGIN) / "checkpoint"
    seen.parent.mkdir()
    seen.write_bytes(witness.seen[ORIGIN].data)
    signed = world.sequencer(how=Witnessing()).finish()
    assert len(signed.note.signatures) == 2
    with pytest.raises(Unfinished, match="w0: it shows size 0, and has not come by since"):
        world.sequencer(how=Witnessing()).append(NEW)
    seen.write_bytes(b"junk")
    with pytest.raises(Unfinished, match="w0: what it shows is malformed"):
        world.sequencer(how=Witnessing()).finish()
