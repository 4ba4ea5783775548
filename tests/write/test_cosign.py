"""Cosigning: which policies a log can be published by, and what a run does with what its witnesses say."""

from __future__ import annotations

import pytest

from tests.support.witnesses import Witness, witness_key, witness_policy
from tests.support.world import recording_key
from tiles.errors import Refused
from tiles.notes.policy import parse_policy, policy_for
from tiles.write.cosign import check_policy

OURS, FORGED = recording_key(), recording_key(seed=b"\x02" * 32)
OTHER = recording_key("example.com/other")


def test_a_policy_without_the_key_is_refused_beforehand() -> None:
    """No checkpoint of this key could meet it."""
    check_policy(policy_for(OURS.verifier), OURS.verifier)
    for key in (FORGED, OTHER):
        with pytest.raises(Refused, match="the policy does not accept what") as caught:
            check_policy(policy_for(OURS.verifier), key.verifier)
        assert f"log {key.verifier.vkey};" in caught.value.hint


def test_a_quorum_of_witnesses_that_nobody_can_ask_is_refused_beforehand() -> None:
    """Two of three need a URL where the quorum is two; the log would be born dead otherwise."""
    witnesses = {f"http://w{n}.example": Witness(witness_key(n), []) for n in range(3)}
    policy = witness_policy(OURS.verifier, witnesses, 2)
    check_policy(policy, OURS.verifier)
    one = policy.data.replace(b" http://w0.example", b"")
    check_policy(parse_policy(one), OURS.verifier)
    with pytest.raises(Refused, match="give no URL"):
        check_policy(parse_policy(one.replace(b" http://w1.example", b"")), OURS.verifier)


def test_more_witnesses_than_a_checkpoint_has_room_for_are_refused_beforehand() -> None:
    """A note has at most 100 lines."""
    keys = [recording_key(seed=bytes([n]) * 32).verifier for n in range(3, 103)]
    from tiles.notes.keys import SignatureType, VerifierKey

    lines = [
        f"witness w{n} {VerifierKey(f'w{n}', SignatureType.COSIGNATURE, key.public).vkey} http://w{n}"
        for n, key in enumerate(keys)
    ]
    text = "\n".join([f"log {OURS.verifier.vkey}", *lines, "quorum w0", ""])
    with pytest.raises(Refused, match="more keys than a checkpoint has room for"):
        check_policy(parse_policy(text.encode()), OURS.verifier)
