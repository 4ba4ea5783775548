"""The verdict on a bundle of a key: what verifies, and that each part which clients leave out is checked."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.reference import flipped
from tests.support.signed_bundles import (
    NOW,
    STATEMENT,
    bundle_of,
    digests,
    envelope_of,
    logged,
    message_of,
    public,
    signer,
    trusted_root,
    with_entry,
    with_proof,
)
from tests.support.signed_text import LOG, W1, key, sign
from tiles.errors import LogError, Malformed, PolicyError, ProofError, SignatureError, UsageError, VerificationError
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.policy import Policy, parse_policy, policy_for
from tiles.sigstore.bundle import Bundle, MessageSignature, parse_bundle
from tiles.sigstore.in_toto import STATEMENT_V0
from tiles.sigstore.trusted_root import TrustedRoot, parse_trusted_root
from tiles.sigstore.verdict import Verdict, needed_digests, verify_bundle

ROOT = parse_trusted_root(trusted_root())
GOOD = bundle_of()
ENVELOPE = bundle_of(content=envelope_of(signer()))


def verify(bundle: Bundle, trust: TrustedRoot | Policy = ROOT, **changes: Any) -> Verdict:
    """Return the verdict on a bundle, as it is when it was written and read."""
    read = parse_bundle(bundle.data)
    call = {"artifact": digests(), "demanded": public(signer()), "now": NOW, **changes}
    return verify_bundle(read, call["artifact"], trust, call["demanded"], call["now"])


@pytest.mark.parametrize("trust", [ROOT, policy_for(LOG.verifier)], ids=["trusted root", "policy"])
@pytest.mark.parametrize("bundle", [GOOD, ENVELOPE], ids=["message", "envelope"])
def test_good(bundle: Bundle, trust: TrustedRoot | Policy) -> None:
    """A bundle of a key, under a trusted root and under a policy."""
    verdict = verify(bundle, trust)
    assert verdict.logged.log == LOG.verifier
    assert verdict.logged.signed.tree.size == 11
    assert (verdict.statement is None) == (bundle is GOOD)
    assert needed_digests(bundle) == {"SHA2_256"}


@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1])
def test_other_curves(curve: type[ec.EllipticCurve]) -> None:
    """Each curve has its own hash, of messages and of envelopes."""
    private = signer(9, curve)
    for content in (message_of(private), envelope_of(private)):
        verify(bundle_of(private, content), demanded=public(private))
    known = {"SHA2_256": digests()["SHA2_256"]}
    with pytest.raises(UsageError, match="an artifact by its SHA2_"):
        verify(bundle_of(private), demanded=public(private), artifact=known)


def test_an_old_statement_in_a_small_log() -> None:
    """Statements v0.1, as cosign writes them; a tree of one entry."""
    old = envelope_of(signer(), {**STATEMENT, "_type": STATEMENT_V0})
    verdict = verify(bundle_of(content=old, index=0, size=1))
    assert verdict.statement
    assert verdict.statement.predicate_type == STATEMENT["predicateType"]


def cosigned(bundle: Bundle) -> Bundle:
    """Return a bundle whose checkpoint a witness has cosigned, in the first line."""
    proof = bundle.entries[0].proof
    assert proof
    signed = parse_signed_checkpoint(proof.checkpoint)
    lines = [sign(signed.checkpoint, W1), *signed.note.signatures]
    return with_proof(bundle, checkpoint=with_signatures(signed.checkpoint, lines).data)


def test_a_quorum_is_demanded() -> None:
    """Under a policy with witnesses their cosignatures are counted, which no client of Sigstore does."""
    policy = parse_policy(f"log {LOG.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n".encode())
    assert [one.key for one in verify(cosigned(GOOD), policy).logged.cosignatures] == [W1.verifier]
    verify(cosigned(GOOD))
    with pytest.raises(PolicyError, match="quorum w is not met"):
        verify(GOOD, policy)


OTHER = message_of(signer(), b"another artifact")
MESSAGE = GOOD.content
assert isinstance(MESSAGE, MessageSignature)
PRETTY = json.dumps(json.loads(GOOD.entries[0].body), indent=1).encode()
WRONG_DETAILS = GOOD.entries[0].body.replace(b"PKIX_ECDSA_P256_SHA_256", b"PKIX_ECDSA_P384_SHA_384")
FORGED = bundle_of(content=replace(MESSAGE, signature=flipped(MESSAGE.signature, 200)))
OTHER_LOG = key("other.example.com", 8)


def relogged(bundle: Bundle, body: bytes, *version: str) -> Bundle:
    """Return a bundle whose entry has another body, which is in the log."""
    return replace(bundle, entries=(logged(body, **({"version": version} if version else {})),))


SPOILED: dict[str, tuple[Bundle, type[LogError], str]] = {
    "treeSize": (with_proof(GOOD, size=12), ProofError, "the entry says size 12"),
    "rootHash": (with_proof(GOOD, root=bytes(32)), ProofError, "and its checkpoint says"),
    "outer logIndex": (with_entry(GOOD, lambda e: replace(e, index=6)), ProofError, "said to be number 6"),
    "both indexes": (
        with_entry(with_proof(GOOD, index=6), lambda e: replace(e, index=6)),
        ProofError,
        "leads to root",
    ),
    "a hash": (with_proof(GOOD, hashes=(bytes(32),) * 4), ProofError, "leads to root"),
    "no hash": (with_proof(GOOD, hashes=()), ProofError, "has 0 hashes instead of 4"),
    "logId": (with_entry(GOOD, lambda e: replace(e, log_id=bytes(32))), PolicyError, "does not have"),
    "a logId of 4 bytes": (with_entry(GOOD, lambda e: replace(e, log_id=e.log_id[:4])), PolicyError, "does not have"),
    "another log": (bundle_of(log=OTHER_LOG), PolicyError, "does not have"),
    "another log under this one's id": (
        with_entry(bundle_of(log=OTHER_LOG), lambda e: replace(e, log_id=LOG.verifier.log_id)),
        PolicyError,
        "the checkpoint is of 'other.example.com'",
    ),
    "another key under this log's name": (
        with_entry(bundle_of(log=key(LOG.name, 9)), lambda e: replace(e, log_id=LOG.verifier.log_id)),
        SignatureError,
        "no signature by log.example.com",
    ),
    "no entry": (replace(GOOD, entries=()), VerificationError, "0 log entries"),
    "the entry twice": (replace(GOOD, entries=GOOD.entries * 2), VerificationError, "2 log entries"),
    "another artifact": (bundle_of(content=OTHER), SignatureError, "this is another file"),
    "a digest that is not signed": (
        replace(bundle_of(content=OTHER), content=replace(OTHER, digest=MESSAGE.digest)),
        VerificationError,
        "another digest was logged",
    ),
    "a signature that is not logged": (
        replace(GOOD, content=message_of(signer())),
        VerificationError,
        "another signature was logged",
    ),
    "a wrong signature, logged": (FORGED, SignatureError, "wrong signature by the key"),
    "another key": (bundle_of(signer(8)), SignatureError, "signed by another key"),
    "the body pretty-printed": (relogged(GOOD, PRETTY), Malformed, "not an entry of Rekor in its one form"),
    "keyDetails": (relogged(GOOD, WRONG_DETAILS), Malformed, "keyDetails of a key that is PKIX_ECDSA_P256"),
    "the body of another": (relogged(GOOD, bundle_of(content=OTHER).entries[0].body), VerificationError, "digest"),
    "dsse 0.0.2": (relogged(GOOD, GOOD.entries[0].body, "dsse", "0.0.2"), VerificationError, "shown, and not verified"),
    "a time that nothing signs": (
        with_entry(GOOD, lambda e: replace(e, integrated_time=5)),
        SignatureError,
        "nothing signs that",
    ),
    "a promise": (
        with_entry(GOOD, lambda e: replace(e, promise=b"x", integrated_time=5)),
        SignatureError,
        "signed entry",
    ),
    "a statement about another": (
        bundle_of(content=envelope_of(signer(), {**STATEMENT, "subject": [{"digest": {"sha256": "00" * 32}}]})),
        SignatureError,
        "about 1 other artifacts",
    ),
    "a statement without a known digest": (
        bundle_of(content=envelope_of(signer(), {**STATEMENT, "subject": [{"digest": {"gitCommit": "x"}}]})),
        VerificationError,
        "by no digest that is known here",
    ),
    "an envelope of another type": (
        bundle_of(content=envelope_of(signer(), type_="text/plain")),
        Malformed,
        "something else than a statement",
    ),
    "an envelope whose type is changed": (
        replace(ENVELOPE, content=replace(ENVELOPE.content, payload=json.dumps({**STATEMENT, "x": 1}).encode())),
        VerificationError,
        "another digest was logged",
    ),
    "a message's entry for an envelope": (
        replace(ENVELOPE, entries=GOOD.entries),
        VerificationError,
        "another digest was logged",
    ),
}


@pytest.mark.parametrize(("bundle", "error", "problem"), SPOILED.values(), ids=SPOILED)
def test_spoiled(bundle: Bundle, error: type[LogError], problem: str) -> None:
    """Each part that is changed is found, and by the check that is about it."""
    with pytest.raises(error, match=problem):
        verify(bundle)


def test_only_what_the_log_signed_counts() -> None:
    """A promise that the log signed gives a time; the trusted root's period is held against it, or against now."""
    promised = b'{"body":"%s","integratedTime":1767225600,"logID":"%s","logIndex":5}' % (
        b64encode(GOOD.entries[0].body),
        LOG.verifier.log_id.hex().encode(),
    )
    stamped = with_entry(GOOD, lambda e: replace(e, promise=LOG.sign(promised), integrated_time=1_767_225_600))
    assert verify(stamped).time == datetime(2026, 1, 1, tzinfo=UTC)
    assert verify(GOOD).time is None
    with pytest.raises(SignatureError, match="signed entry timestamp"):
        verify(with_entry(stamped, lambda e: replace(e, integrated_time=1_767_225_601)))


def values(item: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each text in a JSON value."""
    if isinstance(item, str):
        yield path
    for name, below in item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ():
        yield from values(below, *path, name)


FREE = {"hint"}  # what the verdict does not depend on: it only helps to find the key


@pytest.mark.parametrize("bundle", [GOOD, ENVELOPE], ids=["message", "envelope"])
def test_no_field_can_be_changed(bundle: Bundle) -> None:
    """With any text of a bundle changed, in its first or last but one character, nothing verifies."""
    ways = list(values(json.loads(bundle.data)))
    assert len(ways) > 15
    for *way, last in ways:
        for at in (0, -2):
            whole = json.loads(bundle.data)
            item = whole
            for step in way:
                item = item[step]
            text = list(item[last])
            text[max(at, -len(text))] = "A" if text[max(at, -len(text))] != "A" else "B"
            item[last] = "".join(text)
            with nullcontext() if last in FREE else pytest.raises(LogError):
                found = parse_bundle(json.dumps(whole).encode())
                verify_bundle(found, digests(), ROOT, public(signer()), NOW)


PERIODS: dict[str, tuple[dict[str, str], bool]] = {
    "over": ({"start": "2026-01-01T00:00:00Z", "end": "2026-11-28T11:59:59Z"}, False),
    "not over": ({"start": "2026-01-01T00:00:00Z", "end": "2026-11-28T12:00:00Z"}, True),
    "not begun": ({"start": "2026-11-28T12:00:00.000001Z"}, False),
}


@pytest.mark.parametrize(("period", "good"), PERIODS.values(), ids=PERIODS)
def test_the_period_of_a_log(period: dict[str, str], good: bool) -> None:
    """No client holds a log's key to its period where a key has signed; here it is, at what is known of the time."""
    instance = json.loads(trusted_root())["tlogs"][0]
    root = parse_trusted_root(trusted_root(publicKey={**instance["publicKey"], "validFor": period}))
    if good:
        verify(GOOD, root)
        return
    with pytest.raises(PolicyError, match=r"the trusted root trusts https://log\.example\.com from 2026"):
        verify(GOOD, root)


KEY_ITEM = json.loads(trusted_root())["tlogs"][0]["publicKey"]
SINCE = {"start": "2026-01-01T00:00:00Z"}
ROOTS: dict[str, tuple[dict[str, Any], str]] = {
    "no start of its time": (
        {"publicKey": {name: value for name, value in KEY_ITEM.items() if name != "validFor"}},
        "no validFor.start, so nothing says since when its key is trusted",
    ),
    "another host": ({"baseUrl": "https://other.example.com"}, "its logId is"),
    "SHA-256 of the key as logId": ({"logId": {"keyId": "AAAA"}}, "does not have"),
    "no host": ({"baseUrl": "https:///x"}, "no host name"),
    "an unknown kind of key": (
        {"publicKey": {"rawBytes": "AAAA", "keyDetails": "PKIX_RSA_PKCS1V15_2048_SHA256", "validFor": SINCE}},
        "signs no checkpoints here",
    ),
}


@pytest.mark.parametrize(("instance", "problem"), ROOTS.values(), ids=ROOTS)
def test_trusted_roots_that_do_not_fit(instance: dict[str, Any], problem: str) -> None:
    """A trusted root that names the log otherwise than its key is refused, with what is wrong in it."""
    with pytest.raises((UsageError, PolicyError), match=problem):
        verify(GOOD, parse_trusted_root(trusted_root(**instance)))


def test_a_log_with_two_periods() -> None:
    """One key may be trusted at several times."""
    one = json.loads(trusted_root())["tlogs"][0]
    old = {**one, "publicKey": {**one["publicKey"], "validFor": PERIODS["over"][0]}}
    whole = json.loads(trusted_root())
    verify(GOOD, parse_trusted_root(json.dumps({**whole, "tlogs": [old, one]}).encode()))
    with pytest.raises(PolicyError, match="from 2026-01-01 to 2026-11-28 and from 2026-01-01 to 2026-11-28"):
        verify(GOOD, parse_trusted_root(json.dumps({**whole, "tlogs": [old, old]}).encode()))


def test_a_base_url_with_a_path() -> None:
    """Only the host name of baseUrl has to be the origin."""
    verify(GOOD, parse_trusted_root(trusted_root(baseUrl=f"https://{LOG.name}:8080/a/b?c")))
