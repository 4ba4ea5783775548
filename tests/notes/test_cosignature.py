"""Cosignatures of both kinds: the exact bytes that are signed, and what each does and does not bind."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cosigned_messages import ed25519_message, ml_dsa_message
from tests.support.reference import flipped
from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    LOG,
    MLDSA44,
    ORIGIN,
    TIME,
    TREE,
    VECTORS,
    W1,
    W2,
    W3,
    key,
    signed,
)
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.cosignature import MAX_TIMESTAMP, Cosignature, cosign, parse_ed25519_message, verify_cosignature
from tiles.notes.keys import SignatureType, SigningKey, VerifierKey, parse_vkey
from tiles.notes.note import Signature, parse_signature
from tiles.tree.merkle import EMPTY_TREE, TreeHead, leaf_hash

# tlog-cosignature, the example at its top; its timestamp stands in "Ed25519 signed message"
SPEC_LINE = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe"
    "+mbIUBkBIfZ+qnA=="
)
SPEC_TIME = 1_679_315_147

both_kinds = pytest.mark.parametrize("by", [W1, W2], ids=lambda by: by.verifier.type.name)


def raw(signature: Signature) -> tuple[int, bytes]:
    """Return timestamp and raw signature of a timestamped_signature structure."""
    return int.from_bytes(signature.signature[:8], "big"), signature.signature[8:]


@both_kinds
@pytest.mark.parametrize("timestamp", [0, 1, TIME, MAX_TIMESTAMP])
def test_cosign_and_verify(by: SigningKey, timestamp: int) -> None:
    """A cosignature verifies, and says when it was made: any time from 0 to 2^63 - 1."""
    signature = cosign(CHECKPOINT, by, timestamp)
    assert signature.claims(by.verifier)
    assert verify_cosignature(CHECKPOINT, signature, by.verifier) == Cosignature(by.verifier, timestamp)
    assert parse_signature(signature.line) == signature


def test_ed25519_signed_message() -> None:
    """Signed is a header line, a time line, and the whole text with its extension lines."""
    checkpoint = replace(CHECKPOINT, extensions=("extension 1", "extension 2"))
    timestamp, signature = raw(cosign(checkpoint, W1, TIME))
    assert timestamp == TIME
    assert len(signature) == 64
    W1.verifier.verify(ed25519_message(TIME, checkpoint), signature)


def test_ml_dsa_signed_message() -> None:
    """Signed is the cosigned_message structure with start 0 and end the tree size, without extension lines."""
    checkpoint = replace(CHECKPOINT, extensions=("extension",))
    timestamp, signature = raw(cosign(checkpoint, W2, TIME))
    assert timestamp == TIME
    assert len(signature) == 2420
    W2.verifier.verify(ml_dsa_message(b"witness.example.com/w2", TIME, b"log.example.com", TREE), signature)


def test_ml_dsa_of_another_implementation() -> None:
    """A log checkpoint that torchwood signed with ML-DSA-44 verifies (timestamp 0), and no other tree does."""
    log = parse_vkey((VECTORS / "mldsa44-log.vkey").read_text().strip())
    theirs = parse_signed_checkpoint((VECTORS / "mldsa44-log.checkpoint").read_bytes())
    (signature,) = theirs.note.signatures
    assert verify_cosignature(theirs.checkpoint, signature, log) == Cosignature(log, 0)
    with pytest.raises(SignatureError):
        verify_cosignature(replace(theirs.checkpoint, tree=TREE), signature, log)


def test_example_line() -> None:
    """The example's cosignature has the form and the time of the specification (its key is not published)."""
    timestamp, signature = raw(parse_signature(SPEC_LINE))
    assert timestamp == SPEC_TIME
    assert len(signature) == 64


OTHERS = {
    "origin": replace(CHECKPOINT, origin="log.example.org"),
    "size": replace(CHECKPOINT, tree=TreeHead(TREE.size + 1, TREE.root)),
    "root": replace(CHECKPOINT, tree=TreeHead(TREE.size, leaf_hash(b"another"))),
    "empty": replace(CHECKPOINT, tree=EMPTY_TREE),
}


@both_kinds
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_of_another_checkpoint(by: SigningKey, other: Checkpoint) -> None:
    """A cosignature of one checkpoint is not one of another."""
    with pytest.raises(SignatureError, match="wrong signature") as caught:
        verify_cosignature(other, cosign(CHECKPOINT, by, TIME), by.verifier)
    assert caught.value.evidence["checkpoint"] == other.text
    assert caught.value.evidence["signature"].startswith(f"— {by.name} ".encode())


def test_extension_lines() -> None:
    """Ed25519 covers extension lines; ML-DSA-44 makes "no statement" about them."""
    extended = replace(CHECKPOINT, extensions=("extension",))
    with pytest.raises(SignatureError):
        verify_cosignature(extended, cosign(CHECKPOINT, W1, TIME), W1.verifier)
    verify_cosignature(extended, cosign(CHECKPOINT, W2, TIME), W2.verifier)


def test_the_cosigner_name() -> None:
    """ML-DSA-44 commits to the cosigner's name, Ed25519 does not (so its keys "MUST" not be used for two)."""
    for by in (W1, W2):
        signature = cosign(CHECKPOINT, by, TIME)
        other = VerifierKey("other.example.com", by.verifier.type, by.verifier.public)
        renamed = Signature(other.name, other.key_id, signature.signature)
        if by is W1:
            assert verify_cosignature(CHECKPOINT, renamed, other).timestamp == TIME
        else:
            with pytest.raises(SignatureError):
                verify_cosignature(CHECKPOINT, renamed, other)


@both_kinds
def test_every_bit_of_the_timestamp(by: SigningKey) -> None:
    """The time is signed: no bit of it can change, the highest one included, nor the first of the signature."""
    signature = cosign(CHECKPOINT, by, TIME)
    for bit in (*range(64), 64, 8 * len(signature.signature) - 1):
        changed = replace(signature, signature=flipped(signature.signature, bit))
        with pytest.raises(SignatureError):
            verify_cosignature(CHECKPOINT, changed, by.verifier)


@pytest.mark.parametrize("timestamp", [2**63, 2**64 - 1])
def test_timestamps_above_the_limit(timestamp: int) -> None:
    """A timestamp "MUST NOT exceed 2^63 - 1", even where the signature over it is right."""
    for by, message in (
        (W1, ed25519_message(timestamp, CHECKPOINT)),
        (W2, ml_dsa_message(W2.name.encode(), timestamp, ORIGIN.encode(), TREE)),
    ):
        signature = Signature(by.name, by.verifier.key_id, timestamp.to_bytes(8, "big") + by.sign(message))
        with pytest.raises(SignatureError, match="timestamp"):
            verify_cosignature(CHECKPOINT, signature, by.verifier)


@both_kinds
@pytest.mark.parametrize("timestamp", [-1, 2**63])
def test_times_that_cannot_be(by: SigningKey, timestamp: int) -> None:
    """Nothing is signed with a time out of range."""
    with pytest.raises(UsageError, match="timestamp"):
        cosign(CHECKPOINT, by, timestamp)


@both_kinds
def test_length(by: SigningKey) -> None:
    """A signature of another length is wrong, whatever it begins with."""
    whole = cosign(CHECKPOINT, by, TIME).signature
    for wrong in (whole[:1], whole[:8], whole[:9], whole[:-1], whole + b"\0", whole[8:]):
        with pytest.raises(SignatureError, match=f"{len(wrong)} bytes"):
            verify_cosignature(CHECKPOINT, Signature(by.name, by.verifier.key_id, wrong), by.verifier)


def test_a_line_by_another_key() -> None:
    """A line that claims another key is not verified with this one, not even if the key is the same underneath."""
    relabelled = VerifierKey("other.example.com", COSIGNATURE, W1.verifier.public)
    for other in (W3.verifier, relabelled, key(W1.name, 9, COSIGNATURE).verifier):
        with pytest.raises(SignatureError, match="not by"):
            verify_cosignature(CHECKPOINT, cosign(CHECKPOINT, W1, TIME), other)


def test_keys_that_sign_text() -> None:
    """A key that signs notes does not cosign, and its signatures are not cosignatures: the call is wrong."""
    with pytest.raises(UsageError, match="does not cosign"):
        cosign(CHECKPOINT, LOG, TIME)
    with pytest.raises(UsageError, match="does not cosign"):
        verify_cosignature(CHECKPOINT, signed(CHECKPOINT, LOG).note.signatures[0], LOG.verifier)


def test_domain_separation() -> None:
    """A signature over the text alone is no cosignature, whatever time is put in front of it."""
    signature = W1.sign(CHECKPOINT.text)
    forged = Signature(W1.name, W1.verifier.key_id, TIME.to_bytes(8, "big") + signature)
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, forged, W1.verifier)


def test_long_origins() -> None:
    """ML-DSA-44 signs origins of up to 255 bytes; a longer one is refused by signer and verifier."""
    longest, longer = (Checkpoint("o" * length, TREE) for length in (255, 256))
    assert verify_cosignature(longest, cosign(longest, W2, 1), W2.verifier).timestamp == 1
    assert verify_cosignature(longer, cosign(longer, W1, 1), W1.verifier).timestamp == 1
    with pytest.raises(UsageError, match="at most 255 bytes"):
        cosign(longer, W2, 1)
    with pytest.raises(SignatureError, match="at most 255 bytes"):
        verify_cosignature(longer, cosign(longest, W2, 1), W2.verifier)


@given(st.sampled_from([W1, W2]), st.binary(min_size=1, max_size=100) | st.binary(min_size=2428, max_size=2428))
@settings(deadline=None)
def test_any_signature(by: SigningKey, signature: bytes) -> None:
    """Any bytes in a signature line are refused with SignatureError and nothing else."""
    with pytest.raises(SignatureError):
        verify_cosignature(CHECKPOINT, Signature(by.name, by.verifier.key_id, signature), by.verifier)


@given(
    st.sampled_from([COSIGNATURE, MLDSA44]),
    st.text(min_size=1, max_size=300),
    st.integers(0, MAX_TIMESTAMP),
    st.integers(1, 2**63 - 1),
)
@settings(deadline=None)
def test_round_trip(type_: SignatureType, origin: str, timestamp: int, size: int) -> None:
    """Whatever is cosigned verifies."""
    with suppress(UsageError):
        checkpoint = Checkpoint(origin, TreeHead(size, TREE.root))
        by = key("witness.example.com", 7, type_)
        signature = cosign(checkpoint, by, timestamp)
        assert verify_cosignature(checkpoint, signature, by.verifier).timestamp == timestamp


# ---- the message, as what signs cosignatures only reads it

SPEC_MESSAGE = """\
cosignature/v1
time 1679315147
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""  # "Ed25519 signed message", its example


def test_the_example_of_a_message() -> None:
    """It states the time and the checkpoint of the example at the top of the specification, whose line it is of."""
    checkpoint, time = parse_ed25519_message(SPEC_MESSAGE.encode())
    assert (checkpoint.origin, checkpoint.tree.size, time) == ("example.com/behind-the-sofa", 20852163, SPEC_TIME)
    assert raw(parse_signature(SPEC_LINE))[0] == time


@settings(max_examples=50)
@given(st.integers(0, MAX_TIMESTAMP), st.lists(st.sampled_from(["x", "time 5", "cosignature/v1"]), max_size=2))
def test_every_message_that_is_signed_is_read(timestamp: int, extensions: list[str]) -> None:
    """What `cosign` gives to a key is what the key reads."""
    asked: list[bytes] = []

    class Told:
        verifier = W1.verifier

        def sign(self, message: bytes) -> bytes:
            asked.append(message)
            return W1.sign(message)

    checkpoint = Checkpoint(ORIGIN, TREE, tuple(extensions))
    cosign(checkpoint, Told(), timestamp)
    assert [parse_ed25519_message(message) for message in asked] == [(checkpoint, timestamp)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SPEC_MESSAGE, ""),
        ("cosignature/v1\ntime 1679315147\n", ""),
        ("cosignature/v1\n", ""),
        ("cosignature/v1", "cosignature/v2"),
        ("cosignature/v1\n", "cosignature/v1\r\n"),
        ("time 1679315147\n", ""),
        ("time 1679315147", "time 01679315147"),
        ("time 1679315147", "time  1679315147"),
        ("time 1679315147", "time +1679315147"),
        ("time 1679315147", "time -1"),
        ("time 1679315147", "time"),
        ("time 1679315147", "time \u0661"),
        ("time 1679315147", "Time 1679315147"),
        ("time 1679315147", f"time {MAX_TIMESTAMP + 1}"),
        ("20852163", "020852163"),
        ("20852163\n", ""),
        ("q2I=\n", "q2I="),
        ("q2I=\n", "q2I=\n\n"),
        ("example.com/behind-the-sofa\n", "\n"),
    ],
)
def test_what_is_no_message(old: str, new: str) -> None:
    """A note of a log, an endorsement, anything that is not exactly such a message."""
    assert old in SPEC_MESSAGE
    with pytest.raises(Malformed):
        parse_ed25519_message(SPEC_MESSAGE.replace(old, new, 1).encode())
