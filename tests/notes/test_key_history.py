"""What follows from a log's statements about its keys, to a reader who knows some of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tiles.errors import SignatureError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint
from tiles.notes.cosignature import sign_by_all
from tiles.notes.key_change import ADD, RETIRE, KeyChange, sign_key_change
from tiles.notes.key_history import KeyHistory, Use, history_of
from tiles.notes.keys import SeedKey, SignatureType, signing_key
from tiles.notes.note import Note, Signature
from tiles.notes.policy import policy_for
from tiles.tree.merkle import Hash, TreeHead

NAME = "example.com/log"
A, B, C, THIEF = (signing_key(NAME, bytes([n]) * 32) for n in (1, 2, 3, 4))
PQ = signing_key(NAME, b"\x05" * 32, SignatureType.MLDSA44)
ROOT = Hash(bytes(32))


def said(
    number: int, action: str, key: SeedKey, size: int, *before: SeedKey, by: list[SeedKey]
) -> tuple[KeyChange, Note]:
    """Return a statement, and the note that it came in."""
    change = KeyChange(number, action, key.verifier, TreeHead(size, ROOT), tuple(each.verifier for each in before))
    return change, sign_key_change(change, by)


EVERY = [
    said(0, ADD, B, 3, A, by=[A, B]),
    said(1, RETIRE, A, 5, A, B, by=[A, B]),
    said(2, ADD, C, 7, B, by=[B, C]),
    said(3, RETIRE, B, 9, B, C, by=[B, C]),
    said(4, ADD, PQ, 9, C, by=[C]),
]


def uses(history: KeyHistory) -> list[Use]:
    """Return the uses, in order."""
    return list(history.uses)


def test_how_long_each_key_was_in_use() -> None:
    """From the newest key back to the first, whoever knows one; what its own signature vouches for is told apart."""
    a, b = Use(A.verifier, 0, 5, None, 1), Use(B.verifier, 3, 9, 0, 3, vouched=True)
    c, pq = Use(C.verifier, 7, None, 2, None, vouched=True), Use(PQ.verifier, 9, None, 4)
    history = history_of([C.verifier], EVERY)
    assert uses(history) == [a, b, c, pq]
    assert list(history.forerunners) == [a, b]
    assert [len(each.by) for each in history.said] == [2, 2, 2, 2, 1]
    assert {use.key: use.until for use in history_of([A.verifier], EVERY).uses} == {
        use.key: use.until for use in uses(history)
    }
    assert uses(history_of([A.verifier], [])) == [Use(A.verifier, 0, vouched=True)]


def test_a_key_that_the_log_has_by_now_is_none_that_it_had() -> None:
    """Who knows the old key is led to the new one, which is no reason to accept it; the other way round it is."""
    assert history_of([A.verifier], EVERY[:1]).forerunners == ()
    assert [use.key for use in history_of([B.verifier], EVERY[:1]).forerunners] == [A.verifier]
    later = said(1, ADD, C, 7, A, B, by=[A, C])
    of_a = history_of([A.verifier], [EVERY[0], later])
    assert [(use.key, use.vouched) for use in of_a.uses] == [
        (A.verifier, True),
        (B.verifier, False),
        (C.verifier, False),
    ]
    assert [use.vouched for use in history_of([C.verifier], [EVERY[0], later]).uses] == [True, True, True]


def test_what_a_stranger_says() -> None:
    """A statement by no known key is left out; what it would have said stays unknown, not zero."""
    forged = [said(0, ADD, THIEF, 3, A, by=[THIEF]), *EVERY[1:]]
    history = history_of([C.verifier], forged)
    assert [each.change.number for each in history.said] == [1, 2, 3, 4]
    assert {use.key: use.since for use in history.uses} == {
        A.verifier: None,
        B.verifier: None,
        C.verifier: 7,
        PQ.verifier: 9,
    }
    assert history_of([PQ.verifier], EVERY).said == ()
    other = signing_key("example.com/other", b"\x06" * 32)
    assert history_of([other.verifier], EVERY).said == ()


def test_a_wrong_signature_by_a_key_that_was_led_to() -> None:
    """One that is wrong is the log's fault, also where another one on the same statement is right."""
    change, note = EVERY[1]
    wrong = tuple(Signature(each.name, each.key_id, each.signature[:-1] + b"\0") for each in note.signatures[:1])
    spoiled = [EVERY[0], (change, Note(note.text, (*wrong, *note.signatures[1:]))), *EVERY[2:]]
    with pytest.raises(SignatureError):
        history_of([C.verifier], spoiled)


def test_accept() -> None:
    """A checkpoint of before counts by the key that the log had then, at the sizes that it had, and no other key."""
    history, policy = history_of([C.verifier], EVERY), policy_for(C.verifier)

    def signed(size: int, *keys: SeedKey) -> SignedCheckpoint:
        return sign_by_all(Checkpoint(NAME, TreeHead(size, ROOT)), list(keys))

    for size, key in ((1, A), (5, A), (3, B), (9, B), (7, C), (100, C)):
        assert history.accept(policy, signed(size, key)).log == key.verifier
    for size, key in ((6, A), (2, B), (10, B), (1, PQ), (3, THIEF)):
        with pytest.raises(SignatureError):
            history.accept(policy, signed(size, key))
    with pytest.raises(SignatureError):
        KeyHistory((C.verifier,)).accept(policy, signed(1, A))


def test_keys_that_no_line_tells_apart() -> None:
    """A statement can name a key with the name and key id of another one: it is none of the log's, and no trouble."""
    twin, other = replace(THIEF.verifier), replace(A.verifier)
    for one, like in ((twin, C), (other, B)):
        object.__setattr__(one, "key_id", like.verifier.key_id)  # 2^32 tries would find one
    statements = []
    for one in (twin, B.verifier, other):
        change = KeyChange(0, RETIRE, one, TreeHead(1, ROOT), (one, C.verifier))
        statements.append((change, Note(change.text, (Signature(NAME, C.verifier.key_id, C.sign(change.text)),))))
    history = history_of([C.verifier], statements)
    assert [use.key for use in history.forerunners] == [B.verifier]
    policy = policy_for(C.verifier)
    signed = sign_by_all(Checkpoint(NAME, TreeHead(1, ROOT)), [C])
    assert history.led_to_by(policy).accept(signed).log == C.verifier
