"""A checkpoint is verified once for each policy, and never taken for another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.signed_text import CHECKPOINT, LOG, TREE, W1, key, policy, sign, signed
from tiles.errors import PolicyError, SignatureError
from tiles.notes.acceptances import MOST, Acceptances
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.policy import Accepted, Policy, policy_for

BY_LOG = policy_for(LOG.verifier)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the texts that policies were asked about, in turn."""
    texts: list[bytes] = []
    accept = Policy.accept

    def counted(self: Policy, signed: SignedCheckpoint, origin: str | None = None) -> Accepted:
        texts.append(signed.data)
        return accept(self, signed, origin)

    monkeypatch.setattr(Policy, "accept", counted)
    return texts


def test_the_same_text_is_verified_once(asked: list[bytes]) -> None:
    """Also where it was parsed anew, and the policy too: both are known by their bytes."""
    acceptances, data = Acceptances(), signed(CHECKPOINT, LOG).data
    for _ in range(3):
        accepted = acceptances.accept(policy_for(LOG.verifier), parse_signed_checkpoint(data))
        assert (accepted.signed.tree, accepted.log) == (TREE, LOG.verifier)
    assert asked == [data]
    Acceptances().accept(BY_LOG, parse_signed_checkpoint(data))
    assert asked == [data, data]  # what one call has accepted is not known to another one


def test_another_policy_decides_for_itself(asked: list[bytes]) -> None:
    """What one policy accepts is not accepted by one that asks for more, or for another key."""
    acceptances, checkpoint = Acceptances(), signed(CHECKPOINT, LOG)
    acceptances.accept(BY_LOG, checkpoint)
    with pytest.raises(PolicyError):
        acceptances.accept(policy(f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n"), checkpoint)
    with pytest.raises(SignatureError):
        acceptances.accept(policy_for(key(LOG.name, 9).verifier), checkpoint)
    with pytest.raises(PolicyError):
        acceptances.accept(replace(BY_LOG, logs=(replace(BY_LOG.logs[0], other_origin="o.example.com"),)), checkpoint)
    assert len(asked) == 4


def test_other_bytes_are_verified(asked: list[bytes]) -> None:
    """A text with a signature more, of another tree, or with a wrong signature is another one; no error is kept."""
    acceptances, good = Acceptances(), signed(CHECKPOINT, LOG)
    acceptances.accept(BY_LOG, good)
    acceptances.accept(BY_LOG, signed(CHECKPOINT, LOG, W1))
    changed = replace(CHECKPOINT, tree=replace(TREE, size=TREE.size + 1))
    wrong = with_signatures(changed, [sign(CHECKPOINT, LOG)])
    for _ in range(2):
        with pytest.raises(SignatureError):
            acceptances.accept(BY_LOG, wrong)
    assert acceptances.accept(BY_LOG, good).signed == good
    assert len(asked) == 4


def test_it_does_not_grow(asked: list[bytes]) -> None:
    """Of many checkpoints the last ones are kept: memory does not follow the number of proofs."""
    acceptances = Acceptances()
    texts = [signed(replace(CHECKPOINT, tree=replace(TREE, size=size)), LOG) for size in range(1, MOST + 2)]
    for text in [*texts, texts[-1], texts[1]]:
        acceptances.accept(BY_LOG, text)
    assert len(asked) == MOST + 1
    acceptances.accept(BY_LOG, texts[0])
    assert len(asked) == MOST + 2
