"""Bundles that get their entries: complete, logged once whatever dies, and nothing logged that was not checked."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.rekor_log import MemoryLog, artifact_key
from tests.support.sigstore_authority import IDENTITY, T0, authority, log_instance
from tiles.errors import AccessError, LogError, Refused, SignatureError, TilesError, Unfinished, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import signing_key
from tiles.notes.note import verify_note
from tiles.rekor.sign import attest_artifacts, sign_artifact
from tiles.rekor.staple import Stapled, entry_for, staple
from tiles.sigstore.bundle import Bundle, MessageSignature, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.sigstore.public_key import PublicKey, certificate_key
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.tree.proof import verify_inclusion

KEY = artifact_key()
DATA = b"what is released"
DIGEST = sha256(DATA).digest()
BUNDLE = sign_artifact(KEY, DIGEST)
STATED = attest_artifacts(KEY, {"app.whl": DIGEST}, "https://slsa.dev/provenance/v1", b'{"runDetails":{}}')


def one(log: MemoryLog, bundle: Bundle = BUNDLE, key: PublicKey | None = KEY.public) -> Stapled:
    """Staple one bundle."""
    (stapled,) = staple(log.open(), [bundle], [key]).stapled
    return stapled


@pytest.mark.parametrize("bundle", [BUNDLE, STATED], ids=["message", "DSSE"])
def test_every_field_is_there(bundle: Bundle) -> None:
    """The bundle that was written says all that clients ask for, and it all fits together."""
    log = MemoryLog()
    log.open().append([b"before"])
    stapled = one(log, bundle)
    read = parse_bundle(stapled.bundle.data)
    assert replace(read, entries=()) == bundle
    (entry,) = read.entries
    proof = entry.proof
    assert proof is not None
    assert (entry.kind, entry.version, entry.integrated_time, entry.promise) == ("hashedrekord", "0.0.2", 0, b"")
    assert (entry.index, proof.index, stapled.index, proof.size) == (1, 1, 1, 2)
    assert entry.log_id == log.key.verifier.log_id
    assert len(entry.log_id) == 32
    assert entry.body == entry_for(bundle, KEY.public) == log.entries()[1]
    verify_inclusion(leaf_hash(entry.body), 1, TreeHead(proof.size, proof.root), proof.hashes)
    signed = parse_signed_checkpoint(proof.checkpoint)
    verify_note(signed.note, [log.key.verifier])
    assert signed.tree == TreeHead(proof.size, proof.root)
    assert b64decode(read.hint) == sha256(KEY.public.spki).digest()
    assert stapled.leaf == leaf_hash(entry.body)


@pytest.mark.parametrize("bundle", [BUNDLE, STATED], ids=["message", "DSSE"])
def test_a_model_of_sigstore_reads_it(bundle: Bundle) -> None:
    """Its own parser takes what we write, and finds the same."""
    from sigstore_models.bundle.v1 import Bundle as Model

    stapled = one(MemoryLog(), bundle)
    read = Model.from_json(stapled.bundle.data)
    (entry,) = read.verification_material.tlog_entries
    assert int(entry.log_index) == stapled.index
    assert entry.canonicalized_body == stapled.bundle.entries[0].body


def test_sigstore_verifies_a_certificate_that_was_stapled(tmp_path: Path) -> None:
    """A bundle made without a log, with certificate and timestamp, gets its entry: then sigstore-python verifies it."""
    from sigstore.models import Bundle as Theirs
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    bundle, leaf = keyless()
    log = MemoryLog()
    stapled = one(log, bundle, None)
    file = tmp_path / "trusted_root.json"
    file.write_bytes(authority().trusted_root_bytes(log_instance(log.key.verifier)))
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(file)))
    read = Theirs.from_json(stapled.bundle.data)
    verifier.verify_artifact(DATA, read, Identity(identity=IDENTITY))
    with pytest.raises(Exception, match="digest mismatch"):
        verifier.verify_artifact(DATA + b"!", read, Identity(identity=IDENTITY))
    assert stapled.bundle.certificates == (leaf,)


def keyless() -> tuple[Bundle, bytes]:
    """Return a bundle of a certificate and a timestamp, without an entry, and the certificate."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    leaf = authority().leaf(IDENTITY)
    signature = leaf.key.sign(DATA, ec.ECDSA(SHA256()))
    stamp = authority().timestamp(signature, at=T0 + timedelta(minutes=1))
    message = MessageSignature("SHA2_256", DIGEST, signature)
    return Bundle(message, (leaf.der,), timestamps=(stamp,)), leaf.der


# ---- once


def test_the_same_signature_is_one_entry() -> None:
    """Stapled again, alone or twice in one call, it is where it was, and the proof is of the newest tree."""
    log = MemoryLog()
    first = one(log)
    log.open().append([b"after"])
    again = staple(log.open(), [first.bundle, BUNDLE, STATED], [KEY.public] * 3).stapled
    assert [each.already for each in (first, *again)] == [False, True, True, False]
    assert [each.index for each in again] == [0, 0, 2]
    proof = again[0].bundle.entries[0].proof
    assert proof is not None
    assert proof.size == 3
    assert again[0].bundle == again[1].bundle
    assert len(log.entries()) == 3


def test_a_run_that_dies_anywhere_is_repeated() -> None:
    """At every store operation: after it, the same call writes the bundle, and the log has the entry once."""
    counting = Faults()
    staple(MemoryLog().open(counting.wrap), [BUNDLE], [KEY.public])
    assert len(counting.done) > 20
    for number in range(len(counting.done)):
        log = MemoryLog()
        with pytest.raises(Died):
            staple(log.open(Faults(number).wrap), [BUNDLE], [KEY.public])
        assert one(log).index == 0, number
        assert log.entries() == [entry_for(BUNDLE, KEY.public)], number


def test_a_run_that_cannot_finish_is_repeated() -> None:
    """Where the entry is committed and not published, the error says so, and the same call ends it."""
    log = MemoryLog()
    at = next(number for number, what in enumerate(operations()) if "public swap checkpoint" in what)
    with pytest.raises(Unfinished):
        staple(log.open(Faults(at, Fault.NOT_DONE).wrap), [BUNDLE], [KEY.public])
    assert log.entries() == []
    assert one(log).index == 0
    assert len(log.entries()) == 1


def operations() -> list[str]:
    """Return what a call asks of the stores."""
    counting = Faults()
    staple(MemoryLog().open(counting.wrap), [BUNDLE], [KEY.public])
    return [what for what, _ in counting.done]


def test_a_store_that_shows_an_older_checkpoint() -> None:
    """No proof is made of a tree in which the entry is not; the call can be repeated."""
    log = MemoryLog()
    old = log.stores["public"].read("checkpoint").data

    class Stale:
        def __init__(self, inner: Any) -> None:
            self._inner, self._published = inner, False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def swap(self, *arguments: Any) -> Any:
            self._published = True
            return self._inner.swap(*arguments)

        def read(self, path: str, limit: int | None = None) -> Any:
            found = self._inner.read(path, limit)
            return replace(found, data=old) if self._published and path == "checkpoint" else found

    def wrap(store: Any, role: str) -> Any:
        return Stale(store) if role == "public" else store

    with pytest.raises(TilesError) as caught:
        staple(log.open(wrap), [BUNDLE], [KEY.public])
    assert isinstance(caught.value, AccessError | Unfinished)
    assert one(log).already


# ---- what is not logged

OTHER = artifact_key(2)
WRONG = replace(BUNDLE, content=MessageSignature("SHA2_256", sha256(b"another").digest(), BUNDLE.signature))


@pytest.mark.parametrize(
    ("bundle", "key", "error", "says"),
    [
        (WRONG, KEY.public, SignatureError, "wrong signature"),
        (BUNDLE, OTHER.public, SignatureError, "wrong signature"),
        (
            replace(STATED, content=Envelope("application/vnd.in-toto+json", b"{}", STATED.signature)),
            KEY.public,
            SignatureError,
            "wrong",
        ),
        (BUNDLE, None, UsageError, "does not hold the key"),
        (keyless()[0], KEY.public, UsageError, "of another key"),
        (replace(BUNDLE, certificates=(b"no certificate",)), None, LogError, "not an X.509 certificate"),
        (
            replace(BUNDLE, content=MessageSignature("SHA2_512", bytes(64), BUNDLE.signature)),
            KEY.public,
            UsageError,
            "a digest of SHA2_512, and the key signs SHA2_256",
        ),
    ],
)
def test_what_is_not_logged(bundle: Bundle, key: PublicKey | None, error: type[TilesError], says: str) -> None:
    """Of several bundles one of which will not do, none is logged."""
    log = MemoryLog()
    with pytest.raises(error, match=says):
        staple(log.open(), [STATED, bundle], [KEY.public, key])
    assert log.entries() == []


def test_the_entry_of_another_log_stays() -> None:
    """A bundle that is in another log is not given a second entry, which some clients refuse."""
    elsewhere = one(MemoryLog(key=signing_key("other.example.com", bytes(32))))
    log = MemoryLog()
    with pytest.raises(Refused, match="the entry of another log"):
        one(log, elsewhere.bundle)
    assert log.entries() == []


def test_an_entry_of_a_certificate_holds_it() -> None:
    """The key in it is not logged beside it: clients compare the whole verifier."""
    bundle, leaf = keyless()
    expected = make_hashedrekord(DIGEST, bundle.signature, certificate_key(leaf), leaf)
    assert entry_for(bundle) == expected.data
    assert expected.verifier == "x509Certificate"
    assert b"publicKey" not in expected.data
