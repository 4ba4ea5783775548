"""What `tiletree verify` says of a file: fields of its JSON document, and lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tiles.entries.file_digest import name_in
from tiles.notes.freshness import undated
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import TlogProof
from tiles.tree.merkle import Hash, TreeHead, leaf_hash
from tiles.tree.proof import inclusion_steps
from tiles.user.pinned import Pinned
from tiletree.commands.verify_revocations import Verified
from tiletree.remarks import cosigned

if TYPE_CHECKING:
    from tiles.sigstore.gate import GateLine
    from tiles.sigstore.verdict import Verdict


@dataclass(frozen=True)
class Check:
    """One thing that a file was verified by: a proof or a bundle.

    fields   of the JSON document
    words    one sentence, which begins with the file: "is entry 5 of …"
    lines    what else there is to say
    steps    every hash, with --explain: its place in `fields` is "steps"
    verified   by which it may be revoked
    undated   why no quorum states a time, where none does
    """

    fields: dict[str, Any]
    words: str
    lines: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    verified: Verified = field(kw_only=True)
    undated: str = field(default="", kw_only=True)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hex, which whoever made this has computed; of several digests the first."""
        return self.verified.digests[0]


def of_proof(
    proof: TlogProof, accepted: Accepted, matched: str, entry: bytes, pinned: Pinned, sha256: str, *, explain: bool
) -> Check:
    """Return what was verified by a proof file. matched: in which form the file was logged; sha256: of the file"""
    signed = accepted.signed
    name = name_in(entry) if matched == "file" else None
    fields, lines = cosigned(accepted, pinned.policy)
    document = {
        "index": proof.index,
        "size": signed.tree.size,
        "origin": signed.origin,
        "trust": pinned.how,
        "matched": matched,
        **({} if name is None else {"name": name}),
        **fields,
    }
    steps, explained = _steps(entry, proof.index, signed.tree, proof.hashes) if explain else ([], [])
    return Check(
        {**document, **({"steps": steps} if explain else {})},
        f"is entry {proof.index} of {signed.origin}, size {signed.tree.size}",
        [
            f"matched   {_how(matched)}",
            *([] if name is None else [f"name      {name}"]),
            f"trust     {pinned.how}",
            *lines,
        ],
        explained,
        verified=Verified(entry, (sha256,), signed, lambda: pinned.policy),
        undated=undated(pinned.policy),
    )


def of_bundle(
    verdict: Verdict, how: str, policy: Policy | None, digests: dict[str, bytes], verified: Verified, *, explain: bool
) -> Check:
    """Return what was verified by a bundle.

    how       whom to trust came to be known
    policy    by which the checkpoint was accepted, where it was one
    digests   of the artifact
    verified   by which it may be revoked
    """
    logged, tree = verdict.logged, verdict.logged.signed.tree
    fields: dict[str, Any] = {
        "index": logged.entry.index,
        "leaf_hash": logged.leaf.hex(),
        "size": tree.size,
        "origin": logged.signed.origin,
        "trust": how,
        "entry_kind": f"{logged.entry.kind} {logged.entry.version}",
        "key": verdict.key.hint.hex(),
    }
    words, lines = f"signed by the key {verdict.key.hint.hex()}", []
    if verdict.checked is not None:
        certificate = verdict.checked.certificate
        identity = certificate.identities[0].value
        fields |= {"identity": identity, "issuer": certificate.issuer, "claims": dict(certificate.fulcio)}
        words = f"signed by {identity}, for whom {certificate.issuer} vouches"
        lines += [f"{name}: {text}" for name, text in certificate.fulcio.items()]
    if verdict.statement is not None:
        fields["predicate_type"] = verdict.statement.predicate_type
        lines.append(f"statement {verdict.statement.predicate_type}")
    if verdict.time is not None:
        fields["signed_at"] = int(verdict.time.timestamp())
        lines.append(f"signed    {verdict.time:%Y-%m-%d %H:%M:%S} UTC, or before")
    why = "a trusted root names no witnesses" if policy is None else undated(policy)
    if policy is not None:
        accepted = Accepted(logged.signed, logged.log, logged.cosignatures)
        more, cosigners = cosigned(accepted, policy)
        fields |= more
        lines += cosigners
    steps: list[str] = []
    if explain:
        fields["steps"], way = _steps(logged.entry.body, logged.proof.index, tree, logged.proof.hashes)
        steps = [*(f"{name}(file) = {digest.hex()}" for name, digest in digests.items()), *way]
    where = f"is entry {logged.entry.index} of {logged.signed.origin}, size {tree.size}"
    entry = f"entry     {fields['entry_kind']}"
    return Check(
        fields, f"{where}, {words}", [entry, f"trust     {how}", *lines], steps, verified=verified, undated=why
    )


def of_gate(check: Check, line: GateLine, source: str) -> Check:
    """Return what was verified by a bundle, with the line of the gate that it meets. source: where the gate is"""
    rule = {"line": line.number, "text": line.text}
    return replace(
        check,
        fields={**check.fields, "rule": rule},
        words=f"{check.words}, as line {line.number} of {source} demands",
        lines=[*check.lines, f"rule      line {line.number}: {line.text}"],
    )


def of_listed(check: Check, source: str, sha256: str) -> Check:
    """Return what was verified of a file through a list that has its digest. check: of the list; sha256: of the file"""
    return replace(
        check,
        fields={**check.fields, "through": source},
        words=f"is listed in {source}, which {check.words}",
        verified=replace(check.verified, digests=(sha256, *check.verified.digests)),
    )


def _steps(
    entry: bytes, index: int, tree: TreeHead, hashes: tuple[Hash, ...]
) -> tuple[list[dict[str, str]], list[str]]:
    """Return every step from an entry to the root, which were verified: as fields, and as lines."""
    leaf = leaf_hash(entry)
    way = inclusion_steps(leaf, index, tree.size, hashes)
    fields = [{"left": left.hex(), "right": right.hex(), "hash": node.hex()} for left, right, node in way]
    lines = [
        f"SHA256(0x00 || the entry's {len(entry)} bytes) = {leaf.hex()}",
        *(f"SHA256(0x01 || {step['left']} || {step['right']}) = {step['hash']}" for step in fields),
        f"which is the root in the checkpoint, of size {tree.size}",
    ]
    return fields, lines


def _how(matched: str) -> str:
    """Return in words what of a file is the entry."""
    if matched == "raw":
        return "its bytes"
    if matched == "signature":
        return "a signature over it"
    return "its digest, blinded" if matched == "blinded" else "its digest"
