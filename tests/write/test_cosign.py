"""Cosigning in this version: a policy that no checkpoint of the run could meet is refused; others are met as it is."""

from __future__ import annotations

import pytest

from tests.support.signed_text import CHECKPOINT, LOG, LOG_LINE, ORIGIN, W1, key, policy, signed
from tiles.errors import PolicyError, Refused, SignatureError
from tiles.notes.policy import policy_for
from tiles.write.cosign import check_policy, cosign

OTHER = key(ORIGIN, 9)
WITNESS_LINE = f"witness w1 {W1.verifier.vkey}\n"
OTHER_LINE = f"log {OTHER.verifier.vkey}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{LOG_LINE}quorum none\n", ""),
        (f"{OTHER_LINE}{LOG_LINE}quorum none\n", ""),
        (f"{LOG_LINE}{WITNESS_LINE}quorum none\n", ""),
        (f"{LOG_LINE}{WITNESS_LINE}quorum w1\n", "asks for cosignatures, which this version does not collect"),
        (f"{OTHER_LINE}quorum none\n", rf"does not accept what {ORIGIN}\+[0-9a-f]{{8}} signs"),
    ],
)
def test_check_policy(text: str, message: str) -> None:
    """It has to name the log's key, and to ask for no witness."""
    if not message:
        check_policy(policy(text), LOG.verifier)
        return
    with pytest.raises(Refused, match=message) as caught:
        check_policy(policy(text), LOG.verifier)
    assert caught.value.hint


def test_cosign() -> None:
    """A checkpoint that meets the policy is returned as it is, and no other."""
    mine = signed(CHECKPOINT, LOG)
    assert cosign(mine, policy_for(LOG.verifier)) is mine
    with pytest.raises(PolicyError):
        cosign(mine, policy(f"{LOG_LINE}{WITNESS_LINE}quorum w1\n"))
    with pytest.raises(SignatureError):
        cosign(mine, policy_for(OTHER.verifier))
