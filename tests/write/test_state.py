"""A log as a writer found it: by whom its checkpoint is signed, and whether readers see all of it."""

from __future__ import annotations

from dataclasses import replace

from tests.support.world import World, recording_key
from tiles.write.sequencer import Sequencer
from tiles.write.state import State, keys_of


def state_of(writer: Sequencer) -> State:
    """Return the state of the log, as its writer loads it."""
    return writer._steps.loader.load()


def test_published_and_signed_by_all() -> None:
    """The published checkpoint of a log at rest is of the head's tree, and has the signatures of all its keys."""
    state = state_of(World().grown(3).sequencer())
    assert state.is_published
    assert state.is_signed_by_all
    other = recording_key(seed=b"\x02" * 32).verifier.vkey
    assert not replace(state, head=replace(state.head, vkeys=(*state.head.vkeys, other))).is_signed_by_all
    assert not replace(state, published=None).is_published
    assert not replace(state, published=None).is_signed_by_all


def test_the_keys_of_a_head() -> None:
    """They are those of its lines, in their order."""
    keys = tuple(recording_key(seed=bytes([number]) * 32).verifier for number in (1, 2))
    assert keys_of(tuple(key.vkey for key in keys)) == keys
