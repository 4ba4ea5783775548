"""What `tiletree verify` does with a signature by SSH, minisign or OpenPGP, and with the proof of its entry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tiles.entries.kind import SIGNATURE
from tiles.entries.proof_extra import parse_proof_extra
from tiles.entries.signed_file import read_signed
from tiles.errors import Malformed, NotFound, ProofError, SignatureError, UsageError
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.read.trouble import judged
from tiles.signatures import minisign
from tiles.signatures.digests import SHA256, WHOLE, Signed
from tiles.signatures.entry import SignatureEntry, entry_by, parse_signature_entry
from tiles.signatures.formats import FORMATS, MAX_FILE_SIZE, MINISIGN, SignerKey, parse_signature
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion
from tiletree.brought import brought
from tiletree.commands.verify_report import Check, of_proof
from tiletree.commands.verify_revocations import Verified
from tiletree.subjects import LocalMaterial, Material, Subject
from tiletree.trusting import explained

if TYPE_CHECKING:
    from tiletree.commands.verify_files import Call, Judge


def check_signature(file: Subject, key: SignerKey, source: Material | None, judge: Judge) -> tuple[Material, Check]:
    """Verify that a file was signed by the key that the call names; and that this is logged, if there is a proof.

    source   of the proof, as the call names it, or beside the file; without one, the call names a signature
    Returns by what it was verified, and what that says.
    """
    proof, named = None, judge.call.signature
    if source is not None:
        with brought(data := source.read(MAX_PROOF_SIZE), source, file=file):
            proof = parse_tlog_proof(data)
    told = None if proof is None else _entry_in(proof)
    if named is not None:
        where: Material = LocalMaterial(named)
        with brought(data := where.read(MAX_FILE_SIZE), where, instead="it is a proof: --proof names one"):
            signature = parse_signature(key.format, data)
            over = FORMATS[key.format].signed_digest(signature)
    elif source is None:
        raise NotFound(
            f"there is no proof of {file.shown}, and no signature", hint="name them: --proof, --signature, or both"
        )
    elif told is None:
        raise UsageError(
            f"{source.shown} does not hold a signature", hint="name it with --signature; or leave out --key"
        )
    else:
        where, signature = source, told.signature
        _check_signer(told, key)
        with judged(told.data, where.shown):
            over = FORMATS[key.format].signed_digest(signature)
    signed = _read(file, whole=over == WHOLE)
    with judged(signature, where.shown):
        entry = entry_by(key, signature, signed)
    if proof is None or source is None:
        return where, _alone(entry, key, judge.call)
    return source, _proven(file, proof, _forms(entry, told, key), key, judge)


def _read(file: Subject, *, whole: bool) -> Signed:
    if file.digest is not None:
        return Signed({SHA256: bytes.fromhex(file.digest)})
    with file.open() as stream:
        return read_signed(stream, whole=whole)


def _entry_in(proof: TlogProof) -> SignatureEntry | None:
    """Return the entry of a signature that a proof says it is of; None if it says nothing of the kind."""
    with suppress(Malformed):
        return parse_signature_entry(parse_proof_extra(proof.extra).entry)
    return None


def _check_signer(told: SignatureEntry, key: SignerKey) -> None:
    """Raise SignatureError unless an entry says that it is by the key that the call names."""
    if (told.format, SignerKey(told.format, told.key).value) != (key.format, key.value):
        raise SignatureError(f"signed by the {told.signer}, as the entry says", hint=f"--key is the {key.shown}")


def _forms(entry: SignatureEntry, told: SignatureEntry | None, key: SignerKey) -> list[SignatureEntry]:
    """Return as which entries the signature may have been logged.

    A certificate of OpenPGP changes while its key stays: so also with the one in the entry that the proof tells, which
    has the same key. The signature was verified by the one that the call names.
    """
    if told is None or (told.format, SignerKey(told.format, told.key).value) != (key.format, key.value):
        return [entry]
    return [entry, replace(entry, key=told.key)]


def _proven(file: Subject, proof: TlogProof, forms: list[SignatureEntry], key: SignerKey, judge: Judge) -> Check:
    trust = judge.trusted(proof.checkpoint.origin)
    with explained(proof.checkpoint.origin, judge.call.pins, judge.root):
        accepted = judge.acceptances.accept(trust.policy, proof.checkpoint)
    for form in forms:
        with suppress(ProofError):
            verify_inclusion(leaf_hash(form.data), proof.index, accepted.signed.tree, proof.hashes)
            digest = form.sha256.hex()
            check = of_proof(proof, accepted, SIGNATURE, form.data, trust, digest, explain=judge.call.explain)
            return replace(
                check,
                fields=check.fields | _fields(form, key),
                words=f"{check.words}, signed by the {key.shown}",
                lines=[*check.lines, *_lines(form)],
            )
    at = f"entry {proof.index} of {proof.checkpoint.origin}"
    raise ProofError(
        f"the signature of {file.shown} is not {at}: the proof is of something else",
        hint="the signature is right; the proof is that of another one, or of the file alone",
        evidence={"proof": proof.data},
    )


def _alone(entry: SignatureEntry, key: SignerKey, call: Call) -> Check:
    """Return what a signature says that nothing shows to be logged. Raises UsageError if the call asks a log."""
    if call.log is not None or call.explain:
        raise UsageError("--log and --explain are about an entry of a log", hint="name its proof with --proof")

    def no_policy() -> Policy:
        raise UsageError("no log was asked")

    return Check(
        _fields(entry, key) | {"logged": False},
        f"is signed by the {key.shown}",
        [*_lines(entry), "log       nothing shows that the signature is logged: name --proof"],
        verified=Verified(entry.data, (entry.sha256.hex(),), None, no_policy, key.value.hex()),
        undated="nothing shows that the signature is logged",
    )


def _fields(entry: SignatureEntry, key: SignerKey) -> dict[str, str]:
    comment = {"comment": minisign.trusted_comment(entry.signature)} if entry.format == MINISIGN else {}
    return {"format": entry.format, "key": key.value.hex(), "signer": key.shown, **comment}


def _lines(entry: SignatureEntry) -> list[str]:
    return [f"comment   {minisign.trusted_comment(entry.signature)}"] if entry.format == MINISIGN else []
