"""Two logs for tests of endorsements: a private one, and a public one that holds its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.readers import Objects, make_log
from tests.support.signed_text import W1, key, sign
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.endorsement import make_endorsement
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import TlogProof
from tiles.read.client import LogClient
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import TreeHead
from tiles.write.sequencer import Sequencer

PRIVATE = key("private.example.com", 61)
PUBLIC = key("public.example.com", 62)
OTHER = key("private.example.com", 63)  # somebody else's, of the same name
POLICY, PUBLIC_POLICY = policy_for(PRIVATE.verifier), policy_for(PUBLIC.verifier)
WITNESSED = parse_policy(f"log {PUBLIC.verifier.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n".encode())


def private_log(*sizes: int, tag: str = "entry", same_up_to: int = 0) -> dict[str, bytes]:
    """Return the objects of the private log, which grew to each size; another tag makes another history."""
    return make_log(*sizes, tag=tag, same_up_to=same_up_to, key=PRIVATE)


def checkpoint_of(objects: Mapping[str, bytes]) -> SignedCheckpoint:
    """Return what a log shows."""
    return parse_signed_checkpoint(objects[CHECKPOINT])


def entry_of(objects: Mapping[str, bytes]) -> bytes:
    """Return the entry that endorses what a log shows."""
    return make_endorsement(checkpoint_of(objects), POLICY)


def stated(tree: TreeHead, by: object = None) -> bytes:
    """Return an endorsement of any tree, signed by the private key or another of its name."""
    checkpoint = Checkpoint(PRIVATE.name, tree)
    return with_signatures(checkpoint, [sign(checkpoint, by or PRIVATE)]).data  # type: ignore[arg-type]


def public_log(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Return the objects of a public log that holds these entries."""
    store, memory = MemoryStore(), MemoryStore()
    sequencer = Sequencer(store, MemoryStore(), Signer(PUBLIC, memory))
    sequencer.create()
    if entries:
        sequencer.append(list(entries))
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


def private_client(objects: Mapping[str, bytes]) -> LogClient:
    """Return a reader of the private log."""
    return LogClient(Objects(objects), POLICY)


def public_client(entries: Sequence[bytes]) -> LogClient:
    """Return a reader of a public log that holds these entries."""
    return LogClient(Objects(public_log(entries)), PUBLIC_POLICY)


def proof_of(entry: bytes, *others: bytes) -> TlogProof:
    """Return the proof that a public log holds an entry, after others."""
    return public_client([*others, entry]).prove(len(others), entry)


def cosigned(proof: TlogProof) -> TlogProof:
    """Return a proof whose checkpoint a witness has cosigned."""
    signed = proof.checkpoint
    lines = [*signed.note.signatures, sign(signed.checkpoint, W1)]
    return TlogProof(proof.index, proof.hashes, with_signatures(signed.checkpoint, lines), proof.extra)
