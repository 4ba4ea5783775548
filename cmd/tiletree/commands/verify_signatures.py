"""What `tiletree verify` does with a signature by SSH, minisign or OpenPGP, and with the proof of its entry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tiles.entries.kind import SIGNATURE
from tiles.entries.proof_extra import parse_proof_extra
from tiles.entries.signed_file import read_signed
from tiles.errors import Malformed, NotFound, ProofError, SignatureError, UsageError
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.read.trouble import judged
from tiles.signatures import minisign
from tiles.signatures.digests import SHA256, WHOLE, Signed
from tiles.signatures.entry import SignatureEntry, entry_by, parse_signature_entry
from tiles.signatures.formats import FORMATS, MAX_FILE_SIZE, MINISIGN, SignerKey, parse_signature
from tiles.tree.merkle import leaf_hash
from tiletree.commands.verify_report import Check, of_proof
from tiletree.commands.verify_revocations import Verified
from tiletree.files import open_binary, read_limited
from tiletree.trusting import pinned, read_trusted_root, times_explained

if TYPE_CHECKING:
    from tiletree.commands.verify_files import Call


def check_signature(
    file: str, named: str | None, key: SignerKey, proof_path: Path | None, call: Call
) -> tuple[Path, Check]:
    """Verify that a file was signed by the key that the call names; and that this is logged, if there is a proof.

    named        the SHA-256 that the call names in the place of a file; None: it names a file
    proof_path   as the call names it, or beside the file; without one, the call names a signature
    Returns by what it was verified, and what that says.
    """
    proof = None
    if proof_path is not None:
        with judged(data := read_limited(proof_path, MAX_PROOF_SIZE), str(proof_path)):
            proof = parse_tlog_proof(data)
    told = None if proof is None else _entry_in(proof)
    if call.signature is not None:
        where = call.signature
        with judged(data := read_limited(where, MAX_FILE_SIZE), str(where)):
            signature = parse_signature(key.format, data)
            over = FORMATS[key.format].signed_digest(signature)
    elif proof_path is None:
        raise NotFound(
            f"there is no proof of {file}, and no signature", hint="name them: --proof, --signature, or both"
        )
    elif told is None:
        raise UsageError(f"{proof_path} does not hold a signature", hint="name it with --signature; or leave out --key")
    else:
        where, signature = proof_path, told.signature
        _check_signer(told, key)
        with judged(told.data, str(where)):
            over = FORMATS[key.format].signed_digest(signature)
    signed = _read(file, named, whole=over == WHOLE)
    with judged(signature, str(where)):
        entry = entry_by(key, signature, signed)
    if proof is None or proof_path is None:
        return where, _alone(entry, key, call)
    return proof_path, _proven(file, proof, _forms(entry, told, key), key, call)


def _read(file: str, named: str | None, *, whole: bool) -> Signed:
    if named is not None:
        return Signed({SHA256: bytes.fromhex(named)})
    with open_binary(file) as stream:
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


def _proven(file: str, proof: TlogProof, forms: list[SignatureEntry], key: SignerKey, call: Call) -> Check:
    root = read_trusted_root(call.root)
    trust = pinned(proof.checkpoint.origin, call.pins, root)
    for form in forms:
        with suppress(ProofError), times_explained(root):
            accepted = verify_tlog_proof(proof, leaf_hash(form.data), trust.policy)
            digest = form.sha256.hex()
            check = of_proof(proof, accepted, SIGNATURE, form.data, trust, digest, explain=call.explain)
            return replace(
                check,
                fields=check.fields | _fields(form, key),
                words=f"{check.words}, signed by the {key.shown}",
                lines=[*check.lines, *_lines(form)],
            )
    at = f"entry {proof.index} of {proof.checkpoint.origin}"
    raise ProofError(
        f"the signature of {file} is not {at}: the proof is of something else",
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
        verified=Verified(entry.data, (entry.sha256.hex(),), "", 0, no_policy, key.value.hex()),
        undated="nothing shows that the signature is logged",
    )


def _fields(entry: SignatureEntry, key: SignerKey) -> dict[str, str]:
    comment = {"comment": minisign.trusted_comment(entry.signature)} if entry.format == MINISIGN else {}
    return {"format": entry.format, "key": key.value.hex(), "signer": key.shown, **comment}


def _lines(entry: SignatureEntry) -> list[str]:
    return [f"comment   {minisign.trusted_comment(entry.signature)}"] if entry.format == MINISIGN else []
