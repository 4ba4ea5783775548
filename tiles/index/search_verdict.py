"""What a search proof shows: which entries of a tree have a key, and that no others have it; docs/index-format.md.

The numbers of the rules are those of its "It holds if".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiles.entries.key_kinds import keys_of_kind
from tiles.entries.kind import LEAF, Key
from tiles.errors import ProofError, SignatureError, VerificationError
from tiles.index.lookup import Shown
from tiles.index.opened import note_keys
from tiles.index.record import PREFIX_SIZE, RECORD_SIZE, index_in, key_prefix
from tiles.index.run import PAGE_RECORDS, page_count, problem_of, records_in
from tiles.index.search_proof import SearchProof
from tiles.notes.index_head import IndexHead, Run, is_local, open_index_head
from tiles.notes.keys import VerifierKey
from tiles.notes.note import parse_note
from tiles.notes.policy import Accepted, Policy
from tiles.tree.merkle import EMPTY_ROOT, EMPTY_TREE, Hash, TreeHead, fold_right, leaf_hash, leaf_hashes, node_hash
from tiles.tree.proof import root_nodes, verify_inclusion


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search proof shows: the entries of the checkpoint's tree that have the key are these, and no others.

    accepted   the checkpoint
    covered    how many of the entries an index vouches for; the others are in the proof
    hits       index and entry, oldest first; None for one of which the proof has the leaf hash only
    """

    accepted: Accepted
    covered: int
    hits: tuple[tuple[int, bytes | None], ...]


def verify_search_proof(proof: SearchProof, policy: Policy, index_key: VerifierKey | None = None) -> Searched:
    """Return what a search proof shows to whoever trusts a policy.

    index_key   whose index heads are believed; None: the log's own
    Raises SignatureError and PolicyError as `Policy.accept` does, and SignatureError for an index head that the log
    has not signed; ProofError if the proof does not hold; VerificationError, with the index head as evidence, if it
    shows that the log has signed a wrong one.
    """
    accepted = policy.accept(proof.checkpoint)
    head = _head(proof, policy, index_key)
    tree = proof.checkpoint.tree
    covered = head.tree.size if head else 0
    if is_local(proof.key.kind):
        raise ProofError(f"keys of the kind {proof.key.kind} are an application's own: no absence follows from them")
    leaves = [Hash(one) for one in proof.tail] if proof.key.kind == LEAF else leaf_hashes(proof.tail)
    _check_tree(proof, head.tree if head else EMPTY_TREE, leaves)
    prefix = key_prefix(proof.key)
    named = _named(proof, head, prefix)
    if [candidate.index for candidate in proof.candidates] != named:
        raise ProofError("the candidates are not those that the records of the pages name, in their order")
    hits: list[tuple[int, bytes | None]] = []
    for candidate in proof.candidates:
        verify_inclusion(leaf_hash(candidate.entry), candidate.index, tree, candidate.hashes)
        keys = keys_of_kind(candidate.entry, proof.key.kind)
        check_candidate(candidate.index, keys, prefix, {"index head": proof.index, "search proof": proof.data})
        if proof.key in keys:
            hits.append((candidate.index, candidate.entry))
    for index, one in enumerate(proof.tail, covered):
        if one == proof.key.value if proof.key.kind == LEAF else proof.key in keys_of_kind(one, proof.key.kind):
            hits.append((index, None if proof.key.kind == LEAF else one))
    return Searched(accepted, covered, tuple(hits))


def check_candidate(index: int, keys: Sequence[Key], prefix: bytes, evidence: dict[str, bytes]) -> None:
    """Raise VerificationError if an entry that a believed record names has no key that begins like the record."""
    if not any(key_prefix(key) == prefix for key in keys):
        raise VerificationError(
            f"the index head is wrong: a record says that entry {index} has a key that begins with {prefix.hex()}, "
            "and it has none",
            hint="keep the evidence, and tell whoever runs the log",
            evidence=evidence,
        )


def _head(proof: SearchProof, policy: Policy, index_key: VerifierKey | None) -> IndexHead | None:
    """Return the index head, signed by the log itself or by whom the verifier believes (rule 1)."""
    if not proof.index:
        return None
    origin = proof.checkpoint.origin
    keys = note_keys(policy, origin) if index_key is None else [index_key]
    if not keys:
        note = parse_note(proof.index)
        raise SignatureError("no key that is trusted for this log signs index heads", evidence={"note": note.data})
    head = open_index_head(proof.index, keys)
    if (head.kind, head.origin) != (proof.key.kind, origin):
        raise ProofError(f"the index head is of {head.origin} and {head.kind}")
    if head.tree.size > proof.checkpoint.tree.size:
        raise ProofError(f"the index head covers {head.tree.size} entries, more than the checkpoint has")
    if not head.tree.size:
        raise ProofError("the index head covers nothing: it has to be left out")
    return head


def _check_tree(proof: SearchProof, covered: TreeHead, leaves: Sequence[Hash]) -> None:
    """Raise ProofError unless edge and tail are those of the tree (rule 2)."""
    tree = proof.checkpoint.tree
    nodes = root_nodes(covered.size)
    if len(proof.edge) != len(nodes):
        raise ProofError(f"{len(proof.edge)} hashes of the edge instead of {len(nodes)}")
    if proof.edge and fold_right(proof.edge) != covered.root:
        raise ProofError("the edge does not lead to the root in the index head")
    if covered.size + len(leaves) != tree.size:
        raise ProofError(f"{len(leaves)} entries in the tail, and the tree has {tree.size - covered.size}")
    stack = [(node.height, hash_) for node, hash_ in zip(nodes, proof.edge, strict=True)]
    for leaf in leaves:
        top = (0, leaf)
        while stack and stack[-1][0] == top[0]:
            top = (top[0] + 1, node_hash(stack.pop()[1], top[1]))
        stack.append(top)
    root = fold_right([hash_ for _, hash_ in stack]) if stack else EMPTY_ROOT
    if root != tree.root:
        raise ProofError("edge and tail do not lead to the root of the checkpoint")


def _named(proof: SearchProof, head: IndexHead | None, prefix: bytes) -> list[int]:
    """Return the entries that records with the prefix name, all of them (rule 3)."""
    runs = [run for run in head.runs if run.records] if head else []
    if len(proof.runs) != len(runs):
        raise ProofError(f"pages of {len(proof.runs)} runs, and {len(runs)} have records")
    named = []
    for run, shown in zip(runs, proof.runs, strict=True):
        records = _records(run, shown, prefix)
        named += [index_in(record) for record in records if record[:PREFIX_SIZE] == prefix]
    return named


def _records(run: Run, shown: Shown, prefix: bytes) -> list[bytes]:
    what = f"run {run.level}/{run.number}"
    pages = page_count(run.records)
    stop = shown.first + len(shown.pages)
    if stop > pages:
        raise ProofError(f"{what} has no page {stop - 1}")
    records: list[bytes] = []
    for number, (page, hashes) in enumerate(shown.pages, shown.first):
        verify_inclusion(leaf_hash(page), number, TreeHead(pages, run.root), hashes)
        if len(page) != RECORD_SIZE * min(PAGE_RECORDS, run.records - number * PAGE_RECORDS):
            raise ProofError(f"page {number} of {what} has another number of records")
        records += records_in(page)
    if problem := problem_of(run, records):
        raise ProofError(f"{what}: {problem}")
    if shown.first > 0 and records[0][:PREFIX_SIZE] >= prefix:
        raise ProofError(f"the first page of {what} does not begin before the key")
    if stop < pages and records[-1][:PREFIX_SIZE] <= prefix:
        raise ProofError(f"the last page of {what} does not end after the key")
    return records
