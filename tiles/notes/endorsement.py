"""Endorsements: the checkpoint of one log as an entry of another, which dates it; docs/endorsement.md. Pure.

    <origin>
    <tree size, decimal>                                the text of the checkpoint, as https://c2sp.org/tlog-checkpoint
    <root hash, base64>                                 has it, extension lines included
    <empty line>
    — <origin> <base64>                                 the log's own signature lines, one or more, and no others

The log that is endorsed is called the private log here, the one that holds the entry the public log. Cosignatures are
left out: the public log's own witnesses say until when the entry was there. Anyone can log such bytes, under any
origin, so an endorsement counts only if the key that its reader knows by that origin has signed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiles.errors import Malformed, PolicyError, ProofError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.note import claimed
from tiles.notes.policy import Accepted, Policy
from tiles.notes.tlog_proof import TlogProof, verify_tlog_proof
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash

ORIGIN = "origin/1"  # the kind of keys: whose checkpoint is endorsed
SIGNATURES = b"\n\n\xe2\x80\x94 "  # what every signed note has

_WHAT = "endorsement"


@dataclass(frozen=True, slots=True)
class Endorsed:
    """What an endorsement has shown: the private key has signed this tree, and the public log holds that signature.

    tree      of the private log, accepted by the keys that its reader knows
    public    the checkpoint of the public log in which the entry was proven
    index     of the entry there
    It does not show that the private log has signed no other tree.
    """

    tree: Accepted
    public: Accepted
    index: int


def make_endorsement(signed: SignedCheckpoint, policy: Policy) -> bytes:
    """Return the entry that endorses a checkpoint.

    policy   names the keys of the log that has signed it; its witnesses do not matter
    Raises SignatureError or PolicyError as `Policy.accept` does; UsageError for one that is too long for an entry.
    """
    by_log_alone(policy).accept(signed)
    own = [signature for signature, _ in claimed(signed.note, policy.keys_of(signed.origin))]
    entry = with_signatures(signed.checkpoint, own).data
    if len(entry) > MAX_ENTRY_SIZE:
        raise UsageError(f"the checkpoint has {len(entry)} bytes, and an entry {MAX_ENTRY_SIZE} at most")
    return entry


def is_like_endorsement(entry: bytes) -> bool:
    """Whether an entry may be an endorsement: quick, and false for nearly all others."""
    return SIGNATURES in entry


def parse_endorsement(entry: bytes) -> SignedCheckpoint:
    """Return the checkpoint that an entry endorses. VERIFIES NOTHING: anyone can log such bytes. Raises Malformed."""
    if len(entry) > MAX_ENTRY_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_ENTRY_SIZE} bytes", len(entry))
    if not is_like_endorsement(entry):
        raise Malformed(_WHAT, "no signature lines")
    signed = parse_signed_checkpoint(entry)
    for signature in signed.note.signatures:
        if signature.name != signed.origin:
            raise Malformed(_WHAT, "a signature line of another name than the origin", signature.name)
    return signed


def verify_endorsement(proof: TlogProof, public: Policy, private: Policy) -> Endorsed:
    """Return what the proof of an endorsement shows. The entry is the proof's extra data.

    public, private   what the two logs are known by; of the private one only its keys matter
    Raises Malformed for extra data that is no endorsement; ProofError if the entry is not in the public log;
    SignatureError or PolicyError as `Policy.accept` does, for either of them.
    """
    signed = parse_endorsement(proof.extra)
    in_public = verify_tlog_proof(proof, leaf_hash(proof.extra), public)
    if in_public.signed.origin == signed.origin:
        raise PolicyError(f"the log {signed.origin} cannot endorse itself", evidence={"proof": proof.data})
    return Endorsed(by_log_alone(private).accept(signed), in_public, proof.index)


def check_same_tree(endorsed: SignedCheckpoint, proven: SignedCheckpoint) -> None:
    """Raise ProofError unless the checkpoint of a proof states the endorsed tree: another size shows nothing."""
    if (endorsed.origin, endorsed.tree) != (proven.origin, proven.tree):
        raise ProofError(
            f"the proof leads to {proven.origin}, {proven.tree}, and what is endorsed is {endorsed.origin}, "
            f"{endorsed.tree}",
            hint="`tiletree prove --through` writes a proof and an endorsement of one tree",
            evidence={"proven": proven.data, "endorsed": endorsed.data},
        )


def by_log_alone(policy: Policy) -> Policy:
    """Return a policy of the same logs without witnesses: an endorsement has no cosignatures."""
    return replace(policy, witnesses=(), groups=(), quorum=None)
