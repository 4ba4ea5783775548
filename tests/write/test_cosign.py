"""Cosigning: a checkpoint goes on to be published only if the log's policy accepts it."""

from __future__ import annotations

import pytest

from tests.support.world import ORIGIN, recording_key
from tiles.errors import PolicyError, Refused, SignatureError
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.notes.policy import policy_for
from tiles.tree.merkle import EMPTY_TREE
from tiles.write.cosign import check_policy, cosign

OURS, FORGED = recording_key(), recording_key(seed=b"\x02" * 32)
OTHER = recording_key("example.com/other")


def test_what_the_policy_accepts_is_returned_as_it_is() -> None:
    """No cosignature is added in this version."""
    signed = sign_checkpoint(Checkpoint(ORIGIN, EMPTY_TREE), OURS)
    assert cosign(signed, policy_for(OURS.verifier)) is signed


def test_what_the_policy_does_not_accept_is_not_published() -> None:
    """Neither another key's signature nor another log's checkpoint gets through."""
    signed = sign_checkpoint(Checkpoint(ORIGIN, EMPTY_TREE), OURS)
    with pytest.raises(SignatureError):
        cosign(signed, policy_for(FORGED.verifier))
    with pytest.raises(PolicyError, match="no log of the policy has the origin"):
        cosign(signed, policy_for(OTHER.verifier))


def test_a_policy_without_the_key_is_refused_beforehand() -> None:
    """No checkpoint of this key could meet it."""
    check_policy(policy_for(OURS.verifier), OURS.verifier)
    for key in (FORGED, OTHER):
        with pytest.raises(Refused, match="the policy does not accept what"):
            check_policy(policy_for(OURS.verifier), key.verifier)
