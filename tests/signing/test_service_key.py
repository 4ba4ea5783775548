"""Keys that are asked to sign: what comes back is verified, and trying again is bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.support.fake_service import EDWARDS, NIST, SEED, Fake, held
from tests.support.signed_text import CHECKPOINT, TIME
from tests.support.signed_text import LOG as THE_LOG
from tiles.errors import AccessError, Denied, Refused, UsageError
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.cosignature import cosign, verify_cosignature
from tiles.notes.keys import SignatureType, signing_key
from tiles.signing.service_key import (
    MAX_COSIGNED,
    PATIENCE,
    Busy,
    HeldKey,
    ServiceArtifactKey,
    ServiceCosigner,
    ServiceKey,
)
from tiles.sigstore.public_key import verify_digest

P384 = ec.derive_private_key(5, ec.SECP384R1())
DIGEST = sha256(b"content").digest()


def test_the_key_of_a_log() -> None:
    """It is the same key, and signs the same, wherever it is kept; its public half is asked for once."""
    service = Fake(EDWARDS)
    key, same = ServiceKey("log.example.com", held(service)), signing_key("log.example.com", SEED)
    assert key.verifier == same.verifier
    assert key.sign(b"text") == same.sign(b"text")
    assert (key.sign(b"") == same.sign(b""), service.asked) == (True, 3)


def test_a_key_for_artifacts() -> None:
    """What it signs is verified by its public half."""
    key = ServiceArtifactKey(held(Fake(NIST)))
    verify_digest(key.public, DIGEST, key.sign_digest(DIGEST))
    with pytest.raises(UsageError, match="4 bytes are no digest"):
        key.sign_digest(b"four")


@pytest.mark.parametrize(
    ("private", "make", "message"),
    [
        (NIST, partial(ServiceKey, "a"), "is ECDSA P-256, and the key of a log is Ed25519"),
        (
            P384,
            partial(ServiceKey, "a"),
            "is ECDSA secp384r1, and the key of a log",
        ),
        (EDWARDS, ServiceArtifactKey, "is Ed25519, and what signs artifacts is ECDSA P-256"),
        (P384, ServiceArtifactKey, "is ECDSA secp384r1, and what signs"),
    ],
)
def test_a_key_of_another_kind(private: Any, make: Callable[[HeldKey], object], message: str) -> None:
    """It is refused before anything is signed."""
    service = Fake(private)
    with pytest.raises(UsageError, match=f"^fake:key {message}"):
        make(held(service))
    assert service.asked == 1


SPOILT: list[Callable[[bytes], bytes]] = [
    lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]),
    lambda _signature: b"",
    lambda signature: signature + b"\0",
    lambda signature: signature[:32],
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_signature_that_does_not_verify_is_not_used(spoil: Callable[[bytes], bytes]) -> None:
    """Whatever comes back."""
    with pytest.raises(AccessError, match="no signature by its key, and was not used"):
        ServiceKey("a", held(Fake(EDWARDS, spoil=spoil))).sign(b"text")
    with pytest.raises(AccessError, match="no signature by its key, and was not used"):
        ServiceArtifactKey(held(Fake(NIST, spoil=spoil))).sign_digest(DIGEST)


def test_another_key_behind_the_same_name() -> None:
    """Once the public half is known, an alias that leads to another key signs nothing."""
    service = Fake(EDWARDS)
    key = ServiceKey("a", held(service))
    service.private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x06" * 32)
    with pytest.raises(AccessError, match="was not used"):
        key.sign(b"text")


def test_a_busy_service_is_asked_again() -> None:
    """A bounded number of times, with pauses that grow."""
    slept: list[float] = []
    service = Fake(EDWARDS, *[Busy("fake:key: too many requests", hint="wait")] * (PATIENCE.attempts - 1))
    assert ServiceKey("a", held(service, slept)).sign(b"")
    assert (service.asked, len(slept), slept == sorted(slept)) == (PATIENCE.attempts + 1, PATIENCE.attempts - 1, True)
    service = Fake(EDWARDS, *[Busy("fake:key: too many requests", hint="wait")] * PATIENCE.attempts)
    with pytest.raises(AccessError, match=r"^fake:key: too many requests, 5 times$") as caught:
        ServiceKey("a", held(service))
    assert (caught.value.hint, type(caught.value), service.asked) == ("wait", AccessError, PATIENCE.attempts)


def test_what_does_not_help_is_not_repeated() -> None:
    """Without rights, trying again changes nothing."""
    service = Fake(EDWARDS, Denied("no"))
    with pytest.raises(Denied):
        ServiceKey("a", held(service))
    assert service.asked == 1


def test_what_is_no_public_key() -> None:
    """An answer that is something else."""
    service = Fake(EDWARDS)
    service.public = lambda: b"<html>"  # type: ignore[method-assign]
    with pytest.raises(AccessError, match="the answer is no public key"):
        ServiceKey("a", held(service))


# ---- the key of a witness


def test_the_key_of_a_witness() -> None:
    """It is the same key, and cosigns the same, wherever it is kept."""
    key, same = ServiceCosigner("w", held(Fake(EDWARDS))), signing_key("w", SEED, SignatureType.COSIGNATURE)
    line = cosign(CHECKPOINT, key, TIME)
    assert line == cosign(CHECKPOINT, same, TIME)
    assert verify_cosignature(CHECKPOINT, line, key.verifier).timestamp == TIME


@pytest.mark.parametrize(
    "message",
    [b"", b"text", CHECKPOINT.text, b"cosignature/v1\ntime 5\n", b"cosignature/v1\ntime 05\n" + CHECKPOINT.text],
)
def test_it_signs_cosignatures_only(message: bytes) -> None:
    """Whatever asks for another signature, of a checkpoint's text, say, gets none, and the service is not asked."""
    service = Fake(EDWARDS)
    key = ServiceCosigner("w", held(service))
    asked = service.asked
    with pytest.raises(UsageError, match=r"^fake:key signs cosignatures only"):
        key.sign(message)
    assert service.asked == asked


def test_a_checkpoint_that_is_too_long_to_be_cosigned() -> None:
    """A log may write long extension lines into its checkpoint: what cosigns refuses, and the service is not asked."""
    service = Fake(EDWARDS)
    key = ServiceCosigner("w", held(service))
    size = MAX_COSIGNED - len(f"cosignature/v1\ntime {TIME}\n") - len(CHECKPOINT.text) - len("\n")
    for more, error in ((0, None), (1, Refused)):
        long = Checkpoint(THE_LOG.name, CHECKPOINT.tree, ("x" * (size + more),))
        asked = service.asked
        if error is None:
            cosign(long, key, TIME)
        else:
            with pytest.raises(error, match="cosigns at most 4096 bytes"):
                cosign(long, key, TIME)
        assert service.asked == asked + (error is None)


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_cosignature_that_does_not_verify_is_not_used(spoil: Callable[[bytes], bytes]) -> None:
    """Whatever comes back."""
    with pytest.raises(AccessError, match="no signature by its key, and was not used"):
        cosign(CHECKPOINT, ServiceCosigner("w", held(Fake(EDWARDS, spoil=spoil))), TIME)


def test_a_key_that_no_witness_has() -> None:
    """Of another kind."""
    with pytest.raises(UsageError, match="is ECDSA P-256, and the key of a witness in a service is Ed25519"):
        ServiceCosigner("w", held(Fake(NIST)))
