"""A checkpoint is verified once for each policy, and never taken for another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.signed_text import CHECKPOINT, LOG, TREE, W1, key, policy, sign, signed
from tiles.errors import PolicyError, SignatureError
from tiles.notes import acceptances
from tiles.notes.acceptances import MOST, Acceptances
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.keys import VerifierKey
from tiles.notes.note import Note, Signature
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
    kept, data = Acceptances(), signed(CHECKPOINT, LOG).data
    for _ in range(3):
        accepted = kept.accept(policy_for(LOG.verifier), parse_signed_checkpoint(data))
        assert (accepted.signed.tree, accepted.log) == (TREE, LOG.verifier)
    assert asked == [data]
    Acceptances().accept(BY_LOG, parse_signed_checkpoint(data))
    assert asked == [data, data]  # what one call has accepted is not known to another one


def test_another_policy_decides_for_itself(asked: list[bytes]) -> None:
    """What one policy accepts is not accepted by one that asks for more, or for another key."""
    kept, checkpoint = Acceptances(), signed(CHECKPOINT, LOG)
    kept.accept(BY_LOG, checkpoint)
    with pytest.raises(PolicyError):
        kept.accept(policy(f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n"), checkpoint)
    with pytest.raises(SignatureError):
        kept.accept(policy_for(key(LOG.name, 9).verifier), checkpoint)
    with pytest.raises(PolicyError):
        kept.accept(replace(BY_LOG, logs=(replace(BY_LOG.logs[0], other_origin="o.example.com"),)), checkpoint)
    assert len(asked) == 4


def test_other_bytes_are_verified(asked: list[bytes]) -> None:
    """A text with a signature more, of another tree, or with a wrong signature is another one; no error is kept."""
    kept, good = Acceptances(), signed(CHECKPOINT, LOG)
    kept.accept(BY_LOG, good)
    kept.accept(BY_LOG, signed(CHECKPOINT, LOG, W1))
    changed = replace(CHECKPOINT, tree=replace(TREE, size=TREE.size + 1))
    wrong = with_signatures(changed, [sign(CHECKPOINT, LOG)])
    for _ in range(2):
        with pytest.raises(SignatureError):
            kept.accept(BY_LOG, wrong)
    assert kept.accept(BY_LOG, good).signed == good
    assert len(asked) == 4


def test_it_does_not_grow(asked: list[bytes]) -> None:
    """Of many checkpoints the last ones are kept: memory does not follow the number of proofs."""
    kept = Acceptances()
    texts = [signed(replace(CHECKPOINT, tree=replace(TREE, size=size)), LOG) for size in range(1, MOST + 2)]
    for text in [*texts, texts[-1], texts[1]]:
        kept.accept(BY_LOG, text)
    assert len(asked) == MOST + 1
    kept.accept(BY_LOG, texts[0])
    assert len(asked) == MOST + 2


def test_notes_by_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one key has signed is verified once; for another key, or after an error, again."""
    asked: list[VerifierKey] = []
    verify = acceptances.verify_note

    def counted(note: Note, keys: list[VerifierKey]) -> tuple[Signature, ...]:
        asked.extend(keys)
        return verify(note, keys)

    monkeypatch.setattr(acceptances, "verify_note", counted)
    known, note = Acceptances(), signed(CHECKPOINT, LOG).note
    for _ in range(2):
        assert known.verify_note(note, LOG.verifier) == note.signatures
    other = key(LOG.name, 9).verifier
    for _ in range(2):
        with pytest.raises(SignatureError):
            known.verify_note(note, other)
    known.accept(BY_LOG, signed(CHECKPOINT, LOG))
    assert asked == [LOG.verifier, other, other]
