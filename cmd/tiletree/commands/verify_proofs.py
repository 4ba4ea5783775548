"""What `tiletree verify` does with a proof: the entry that it is of has to be one that was made from the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from tiles.entries.file_digest import DigestEntry, parse_digest_entry
from tiles.entries.file_kinds import FileDigest, forms
from tiles.entries.kind import SIGNATURE
from tiles.entries.proof_extra import form_in, parse_proof_extra
from tiles.errors import Malformed, ProofError, UsageError
from tiles.notes.acceptances import Acceptances
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion
from tiletree.brought import brought
from tiletree.commands.verify_report import Check, of_proof
from tiletree.subjects import Material, Subject
from tiletree.trusting import explained

if TYPE_CHECKING:
    from tiletree.commands.verify_files import Judge


def check_proof(file: Subject, source: Material, judge: Judge) -> Check:
    """Verify a file by a proof. judge: knows whom the call trusts"""
    with brought(data := source.read(MAX_PROOF_SIZE), source, file=file):
        proof = parse_tlog_proof(data)
    trust = judge.trusted(proof.checkpoint.origin)
    with explained(proof.checkpoint.origin, judge.call.pins, judge.root):
        accepted, matched, entry, sha256 = _match(proof, trust.policy, file, source, judge.acceptances)
    if matched == SIGNATURE:
        raise UsageError(
            f"{source.shown} is of a signature, and nothing says who has to have signed: name its key with --key",
            hint="it is one of SSH, minisign or OpenPGP; its entry names a key, which anyone can write",
        )
    check = of_proof(proof, accepted, matched, entry, trust, sha256, explain=judge.call.explain)
    if judge.call.endorsement is None:
        return check
    from tiletree.commands.verify_endorsed import check_endorsement  # few calls need it

    fields, lines = check_endorsement(judge.call.endorsement, proof.checkpoint, trust.policy, judge.call.public)
    return replace(check, fields={**check.fields, **fields}, lines=[*check.lines, *lines])


def _match(
    proof: TlogProof, policy: Policy, file: Subject, source: Material, acceptances: Acceptances
) -> tuple[Accepted, str, bytes, str]:
    """Verify a file in any form in which it may have been logged; return in which it was, the entry, and its SHA-256.

    What the proof says of the entry is one more form, if it is of exactly this file.
    """
    if file.digest is not None:
        sha256, possible = file.digest, iter([_told(file.digest, proof, source)])
    else:
        content = file.content(partial(_secrets, proof.checkpoint.origin))
        told = form_in(proof.extra, DigestEntry(content.sha256, content.size))
        sha256, possible = content.sha256, chain([] if told is None else [told], forms(content))
    accepted = acceptances.accept(policy, proof.checkpoint)  # once, and not for each form: it takes the most time
    for matched, entry in possible:
        with suppress(ProofError):
            verify_inclusion(leaf_hash(entry), proof.index, accepted.signed.tree, proof.hashes)
            return accepted, matched, entry, sha256
    raise ProofError(
        f"{file.shown} is not entry {proof.index} of {proof.checkpoint.origin}: the proof is of something else",
        hint="the file was changed, or the proof is that of another file",
        evidence={"proof": proof.data},
    )


def _told(sha256: str, proof: TlogProof, source: Material) -> tuple[str, bytes]:
    """Return the kind and the entry of a file of which only the digest is known, as the proof tells the entry.

    Raises UsageError if it tells none, as that holds the size of the file as well, ProofError if it is of another file.
    """
    try:
        entry = parse_digest_entry(parse_proof_extra(proof.extra).entry)
    except Malformed:
        raise UsageError(
            f"{source.shown} is of an entry that holds the size of the file, which its digest does not tell",
            hint="name the file itself; `tiletree search LOG sha256:…` finds entries by the digest alone",
        ) from None
    if entry.sha256 != sha256:
        raise ProofError(
            f"sha256:{sha256} is not entry {proof.index} of {proof.checkpoint.origin}: the proof is of "
            f"sha256:{entry.sha256}",
            evidence={"proof": proof.data},
        )
    return FileDigest.name, entry.data


def _secrets(origin: str) -> Iterator[bytes]:
    from tiletree.blinding import known_secrets  # for what was logged blinded, which is tried last

    yield from known_secrets(None, origin)
