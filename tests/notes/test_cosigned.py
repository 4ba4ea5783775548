"""The union of what several notes say of one checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.other_logs import ct_key, static_ct
from tests.support.signed_text import W1
from tests.support.witnesses import Witness, witness_key, witness_policy
from tests.support.world import ORIGIN, recording_key
from tiles.errors import SignatureError
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from tiles.notes.cosignature import cosign
from tiles.notes.cosigned import adds, cosignatures, shortfall, union
from tiles.notes.note import Signature
from tiles.notes.policy import parse_policy
from tiles.tree.merkle import EMPTY_TREE

OURS = recording_key()
KEYS = [witness_key(n) for n in range(4)]
POLICY = witness_policy(OURS.verifier, {f"http://w{n}.example": Witness(KEYS[n], []) for n in range(3)}, 2)
TEXT = Checkpoint(ORIGIN, EMPTY_TREE)
SIGNED = sign_checkpoint(TEXT, OURS)
LINES = [cosign(TEXT, key, 1000 + n) for n, key in enumerate(KEYS)]


def test_only_dated_lines_of_the_policy_that_verify_are_kept() -> None:
    """Unknown keys, wrong lines, lines over another text, lines without a time: none of them is an error."""
    wrong = Signature(LINES[1].name, LINES[1].key_id, LINES[1].signature[:-1] + b"\x00")
    other = cosign(Checkpoint(f"{ORIGIN}/2", EMPTY_TREE), KEYS[1], 1000)
    undated = [cosign(TEXT, key, 0) for key in KEYS[1:3]]
    found = cosignatures(TEXT, [wrong, other, *undated, LINES[3], LINES[0]], POLICY)
    assert {key: time for key, (time, _) in found.items()} == {KEYS[0].verifier: 1000}


def test_the_union_has_each_line_once_and_the_newest() -> None:
    """The log's first, then the witnesses', in the order of the policy, whatever order they came in."""
    newer = cosign(TEXT, KEYS[0], 2000)
    made = union(TEXT, [LINES[2], LINES[0], SIGNED.note.signatures[0], newer, *SIGNED.note.signatures], POLICY)
    assert made.note.signatures == (*SIGNED.note.signatures, newer, LINES[2])
    assert union(TEXT, made.note.signatures, POLICY) == made
    assert not shortfall(made, POLICY)
    assert "1 of its 3" in shortfall(union(TEXT, [*SIGNED.note.signatures, LINES[0]], POLICY), POLICY)


def test_a_union_without_the_log_is_none() -> None:
    """Cosignatures alone are no checkpoint."""
    forged = Signature(ORIGIN, OURS.verifier.key_id, b"\x00" * 64)
    with pytest.raises(SignatureError, match="no line by a key of"):
        union(TEXT, [forged, *LINES], POLICY)


def test_what_adds_to_another() -> None:
    """A further witness, or a newer time; not the same again, and not an older one."""
    one = union(TEXT, [*SIGNED.note.signatures, LINES[0]], POLICY)
    newer = union(TEXT, [*SIGNED.note.signatures, cosign(TEXT, KEYS[0], 2000)], POLICY)
    two = union(TEXT, [*SIGNED.note.signatures, LINES[0], LINES[1]], POLICY)
    assert adds(two, one, POLICY)
    assert adds(newer, one, POLICY)
    for more, to in ((one, one), (one, two), (one, newer), (SIGNED, one)):
        assert not adds(more, to, POLICY)


def test_a_log_of_certificates() -> None:
    """A tree head of RFC 6962 is a line by the log's key, and stays with the witnesses' lines."""
    signed = parse_signed_checkpoint(static_ct(7)["checkpoint"])
    policy = parse_policy(f"log {ct_key().vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n".encode())
    line = cosign(signed.checkpoint, W1, 5)
    assert union(signed.checkpoint, [line, *signed.note.signatures], policy).note.signatures == (
        *signed.note.signatures,
        line,
    )
    with pytest.raises(SignatureError, match="no line by a key"):
        union(replace(signed.checkpoint, tree=replace(signed.tree, size=6)), signed.note.signatures, policy)
