"""What `tiletree verify` does with a proof: the entry that it is of has to be one that was made from the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tiles.entries.file_digest import DigestEntry
from tiles.entries.file_kinds import forms
from tiles.entries.kind import SIGNATURE
from tiles.entries.proof_extra import form_in
from tiles.errors import ProofError, UsageError
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.read.trouble import judged
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import verify_inclusion
from tiletree.commands.verify_report import Check, of_proof
from tiletree.files import digest_named, read_file, read_limited
from tiletree.trusting import pinned, times_explained

if TYPE_CHECKING:
    from tiles.sigstore.trusted_root import TrustedRoot
    from tiletree.commands.verify_files import Call


def check_proof(file: str, path: Path, call: Call, root: TrustedRoot | None) -> Check:
    """Verify a file by the proof in a file. root: the trusted root that the call names"""
    if digest_named(file) is not None:
        raise UsageError(f"{path} is of an entry that holds the size of the file", hint="name the file itself")
    with judged(data := read_limited(path, MAX_PROOF_SIZE), str(path)):
        proof = parse_tlog_proof(data)
    trust = pinned(proof.checkpoint.origin, call.pins, root)
    with times_explained(root):
        accepted, matched, entry, sha256 = _match(proof, trust.policy, file)
    if matched == SIGNATURE:
        raise UsageError(
            f"{path} is of a signature, and nothing says who has to have signed: name its key with --key",
            hint="it is one of SSH, minisign or OpenPGP; its entry names a key, which anyone can write",
        )
    check = of_proof(proof, accepted, matched, entry, trust, sha256, explain=call.explain)
    if call.endorsement is None:
        return check
    from tiletree.commands.verify_endorsed import check_endorsement  # few calls need it

    fields, lines = check_endorsement(call.endorsement, proof.checkpoint, trust.policy, call.public)
    return replace(check, fields={**check.fields, **fields}, lines=[*check.lines, *lines])


def _match(proof: TlogProof, policy: Policy, file: str) -> tuple[Accepted, str, bytes, str]:
    """Verify a file in any form in which it may have been logged; return in which it was, the entry, and its SHA-256.

    What the proof says of the entry is one more form, if it is of exactly this file.
    """
    content = read_file(file, partial(_secrets, proof.checkpoint.origin))
    told = form_in(proof.extra, DigestEntry(content.sha256, content.size))
    accepted = policy.accept(proof.checkpoint)  # once, and not for each form: it is most of what verifying takes
    for matched, entry in chain([] if told is None else [told], forms(content)):
        with suppress(ProofError):
            verify_inclusion(leaf_hash(entry), proof.index, accepted.signed.tree, proof.hashes)
            return accepted, matched, entry, content.sha256
    raise ProofError(
        f"{file} is not entry {proof.index} of {proof.checkpoint.origin}: the proof is of something else",
        hint="the file was changed, or the proof is that of another file",
        evidence={"proof": proof.data},
    )


def _secrets(origin: str) -> Iterator[bytes]:
    from tiletree.blinding import known_secrets  # for what was logged blinded, which is tried last

    yield from known_secrets(None, origin)
