"""A consistency proof between two sizes of one log, made of its tiles and verified before it is given out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from tiles.errors import UsageError
from tiles.read.client import LogClient
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.proof import build_proof, consistency_nodes, verify_consistency


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof that the tree `newer` begins with the tree `older`; both follow from the log's checkpoint."""

    older: TreeHead
    newer: TreeHead
    hashes: tuple[Hash, ...]


def prove_consistency(client: LogClient, first: int, last: int) -> Consistency:
    """Return the proof, verified, that the log's tree of size `last` begins with that of size `first`.

    Raises UsageError unless 0 ≤ first ≤ last ≤ the tree's size; what `LogClient.tree_at` raises.
    """
    if not 0 <= first <= last <= client.tree.size:
        raise UsageError(f"a log of size {client.tree.size} has no consistency proof from {first} to {last}")
    older, newer = client.tree_at(first), client.tree_at(last)
    parts = consistency_nodes(first, last)
    tree = client.tree_of(client.accepted.signed)
    tree.read(list(chain.from_iterable(parts)))
    hashes = build_proof(parts, tree.hash)
    verify_consistency(older, newer, hashes)
    return Consistency(older, newer, hashes)
