"""Whether an entry of a bundle is in a log that the verifier trusts (https://github.com/sigstore/architecture-docs,
client-spec.md, "Transparency log entry").

Clients of Sigstore take size and root from the checkpoint and ignore what else an entry says of them. Here all of it
has to be the same: an entry that says two things is not what a log answered.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tiles.errors import LogError, PolicyError, ProofError, SignatureError, UsageError
from tiles.notes.acceptances import Acceptances
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.cosignature import Cosignature
from tiles.notes.keys import SIGNS_TEXT, SignatureType, VerifierKey, ecdsa_key
from tiles.notes.note import claimed, parse_note
from tiles.notes.policy import Accepted, Policy, policy_of
from tiles.sigstore.bundle import EntryProof, LogEntry
from tiles.sigstore.json_text import canonical_json
from tiles.tree.merkle import Hash, leaf_hash
from tiles.tree.proof import verify_inclusion

if TYPE_CHECKING:
    from tiles.sigstore.trusted_root import Period, TrustedLog, TrustedRoot

ED25519 = "PKIX_ED25519"
# keyDetails of logs' keys; RSA, which signed-note does not have, is not read
_ECDSA = re.compile(r"PKIX_ECDSA_P(?:256_SHA_256|384_SHA_384|521_SHA_512)", re.ASCII)
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 section 4: the 32 bytes of the key follow
_MAX_TIME = 253_402_300_799  # POSIX seconds: the last that a date can have


@dataclass(frozen=True, slots=True)
class Logged:
    """What is known of an entry that is in a trusted log.

    log             the key that signed the checkpoint
    leaf            the leaf hash of the entry
    cosignatures    of witnesses, where a policy names them; all of them verified
    integrated      when the log says it took the entry, if it signed that, as Rekor v1 does
    trusted         what the trusted root says of the log: under one key it may have several periods; () under a policy
    """

    entry: LogEntry
    proof: EntryProof
    signed: SignedCheckpoint
    log: VerifierKey
    leaf: Hash
    cosignatures: tuple[Cosignature, ...] = ()
    integrated: datetime | None = None
    trusted: tuple[TrustedLog, ...] = ()


def verify_entry(entry: LogEntry, trust: TrustedRoot | Policy, acceptances: Acceptances | None = None) -> Logged:
    """Return the entry, which is in the tree of a checkpoint of a log that is trusted.

    acceptances   what was verified of other entries' checkpoints, for who has many
    Raises Malformed, SignatureError, PolicyError or ProofError. What the body says is not looked at.
    """
    proof = entry.proof
    if proof is None:
        raise ProofError("the entry has no inclusion proof, so nothing shows that it is in the log")
    signed = parse_signed_checkpoint(proof.checkpoint)
    trusted: tuple[TrustedLog, ...] = ()
    cosignatures: tuple[Cosignature, ...] = ()
    is_v1 = False
    acceptances = acceptances or Acceptances()
    if isinstance(trust, Policy):
        accepted = acceptances.accept(trust, signed)
        log, cosignatures = _named_by(entry, accepted, trust), accepted.cosignatures
    else:
        trusted = _trusted_logs(entry, trust)
        log = log_key(trusted[0])
        is_v1 = _check_origin(signed, log)
        acceptances.verify_note(signed.note, log)
    if (proof.size, proof.root) != (signed.tree.size, signed.tree.root):
        raise ProofError(
            f"the entry says size {proof.size} root {proof.root.hex()}, and its checkpoint says {signed.tree}",
            evidence={"note": signed.data},
        )
    leaf = leaf_hash(entry.body)
    verify_inclusion(leaf, proof.index, signed.tree, proof.hashes)
    integrated = _integrated(entry, log)
    if entry.index != proof.index and not (is_v1 and integrated):
        # Rekor v1 counts over all its trees; the promise, which is signed, is over that number
        raise ProofError(f"the entry is said to be number {entry.index}, and the proof is of entry {proof.index}")
    return Logged(entry, proof, signed, log, leaf, cosignatures, integrated, trusted)


def log_key(log: TrustedLog) -> VerifierKey:
    """Return the verifier key of a log of signatures; its name, and so the log's origin, is the host in `base_url`.

    Raises UsageError for a key that cannot sign notes, and where `log_id` is not that of the key: the file is wrong.
    """
    where = f"the trusted root's log {log.base_url!r}"
    if not log.host:
        raise UsageError(f"{where}: no host name, which has to be the log's origin")
    if log.period.start is None:
        raise UsageError(f"{where}: no validFor.start, so nothing says since when its key is trusted")
    try:
        if log.key_details == ED25519 and log.key[:-32] == _ED25519_SPKI:
            key = VerifierKey(log.host, SignatureType.ED25519, log.key[-32:])
        elif _ECDSA.fullmatch(log.key_details):
            key = ecdsa_key(log.host, log.key)
        else:
            raise UsageError(f"a key of the kind {log.key_details!r} signs no checkpoints here")
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}") from None
    if key.log_id != log.log_id:
        raise UsageError(
            f"{where}: its logId is {log.log_id.hex()}, and its key under the name {log.host} has {key.log_id.hex()}",
            hint="baseUrl has to name the log's origin as its host, and logId is computed from origin and key",
        )
    return key


def policy_in(root: TrustedRoot, now: datetime | None = None) -> Policy:
    """Return the policy that accepts what any log of a trusted root has signed, for proofs that are no bundles.

    now   with its zone: keys whose time is over, or has not come, are left out, for a proof says of no time when it was
          made; None: all of them are in
    Logs whose keys sign no checkpoints here are left out. Raises UsageError if none is left.
    """
    keys = [key for key, period in _keys_of(root) if now is None or period.holds(now)]
    if not keys:
        raise UsageError("the trusted root has no log whose checkpoints can be verified here")
    return policy_of(keys)


def out_of_time(root: TrustedRoot, data: bytes, now: datetime) -> str:
    """Say of a note that no key signed which a trusted root trusts now, which one it trusts at another time; or ""."""
    try:
        note = parse_note(data)
    except LogError:
        return ""
    every = list(_keys_of(root))
    good = {key for key, period in every if period.holds(now)}
    for key, period in every:
        if key not in good and claimed(note, [key]):
            return f"it is signed by {key}, which the trusted root trusts {period}, and nothing shows when it was made"
    return ""


def _keys_of(root: TrustedRoot) -> Iterator[tuple[VerifierKey, Period]]:
    for log in root.logs:
        with suppress(UsageError):
            yield log_key(log), log.period


def log_spki(key: VerifierKey) -> tuple[bytes, str]:
    """Return a log's key as trusted roots have it: its DER SubjectPublicKeyInfo, and what they call its kind.

    Raises UsageError for a key that signs no notes.
    """
    if key.type not in SIGNS_TEXT:
        raise UsageError(f"{key} signs no notes, so it cannot be a log's key in a trusted root")
    if key.type == SignatureType.ED25519:
        return _ED25519_SPKI + key.public, ED25519
    from tiles.sigstore.public_key import parse_public_key

    return key.public, parse_public_key(key.public).details


def _named_by(entry: LogEntry, accepted: Accepted, policy: Policy) -> VerifierKey:
    """Return the key that the entry names, which is one of those of its log that signed. Raises PolicyError."""
    note = accepted.signed.note
    for key in policy.keys_of(accepted.signed.origin):
        if key.log_id == entry.log_id and any(signature.claims(key) for signature in note.signatures):
            return key  # whose signature is right: a policy accepts no wrong one of a key in it
    found = accepted.log.log_id.hex()
    raise PolicyError(f"the entry is said to be of the log {entry.log_id.hex()}, and its checkpoint is of {found}")


def _trusted_logs(entry: LogEntry, root: TrustedRoot) -> tuple[TrustedLog, ...]:
    """Return the log that the entry is said to be of. Raises PolicyError if the trusted root does not have it."""
    found = [log for log in root.logs if log.log_id == entry.log_id]
    if found:
        return tuple(log for log in found if (log.host, log.key) == (found[0].host, found[0].key))
    names = ", ".join(log.base_url for log in root.logs) or "no log"
    raise PolicyError(
        f"the entry is of the log {entry.log_id.hex()}, which the trusted root does not have; it has {names}"
    )


def _check_origin(signed: SignedCheckpoint, log: VerifierKey) -> bool:
    """Return whether it is a checkpoint of Rekor v1. Raises PolicyError unless the origin is that of the log."""
    if signed.origin == log.name:
        return False
    # Rekor v1 runs several trees under one key: "rekor.sigstore.dev - <tree id>"
    if log.type == SignatureType.ECDSA and re.fullmatch(re.escape(log.name) + r" - \d{1,20}", signed.origin, re.ASCII):
        return True
    raise PolicyError(
        f"the checkpoint is of {signed.origin!r}, and the trusted root's log is {log.name!r}",
        evidence={"note": signed.data},
    )


def _integrated(entry: LogEntry, log: VerifierKey) -> datetime | None:
    """Return when the log says it took the entry; None if it did not sign that. Raises SignatureError.

    rekor/openapi.yaml, "signedEntryTimestamp": over the canonical JSON of body, integratedTime, logID and logIndex.
    """
    if not entry.promise:
        if entry.integrated_time:
            raise SignatureError("the entry says when it was logged, and nothing signs that")
        return None
    try:
        promised = canonical_json(
            {
                "body": b64encode(entry.body).decode("ascii"),
                "integratedTime": entry.integrated_time,
                "logID": entry.log_id.hex(),
                "logIndex": entry.index,
            }
        )
        log.verify(promised, entry.promise)
    except (LogError, UsageError) as error:
        raise SignatureError(f"the signed entry timestamp does not hold: {error.message}") from None
    if not 0 < entry.integrated_time <= _MAX_TIME:
        raise SignatureError(f"the log has signed that it took the entry at {entry.integrated_time}, which is no time")
    return datetime.fromtimestamp(entry.integrated_time, UTC)
