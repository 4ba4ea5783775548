"""Proofs of many entries of one log: each tile is read once, many at the same time, and few are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from tiles.errors import AccessError, LogError, NotFound
from tiles.notes.tlog_proof import TlogProof
from tiles.read.bundles import CHUNK
from tiles.read.client import LogClient
from tiles.read.verified_tree import VerifiedTree
from tiles.tree.layout import TILE_WIDTH

Run = Sequence[int]  # indexes of entries whose leaf hashes are in one tile


@dataclass(frozen=True)
class Unproven:
    """Entries of one tile, rising, whose proofs cannot be made, and why: it, or one above it, is missing or wrong."""

    indexes: Run
    error: LogError | AccessError


def proofs_of(client: LogClient, indexes: Iterable[int]) -> Iterator[TlogProof | Unproven]:
    """Yield the proof of each entry, verified, or what keeps it from being made. All are of one checkpoint.

    indexes   rising, each once, and as many as one likes: few of them are held

    The entries of CHUNK tiles are read together. If that fails, each of these tiles is tried by itself, so that a
    damaged one keeps no other proof from being made. Raises AccessError if none of several tiles can be reached, and
    UsageError for an index that the tree does not have.
    """
    signed = client.accepted.signed
    tree = client.tree_of(signed)
    runs = (list(run) for _, run in groupby(indexes, lambda index: index // TILE_WIDTH))
    while some := list(islice(runs, CHUNK)):
        failed = _failed(tree, some)
        for run in some:
            if (error := failed.get(run[0])) is not None:
                yield Unproven(run, error)
            else:
                yield from (TlogProof(index, tree.prove(index), signed) for index in run)


def _failed(tree: VerifiedTree, runs: Sequence[Run]) -> dict[int, LogError | AccessError]:
    """Read what the proofs of these runs take; return what is wrong, by the first index of a run."""
    try:
        tree.read_paths(run[0] for run in runs)
    except (LogError, AccessError) as error:
        if len(runs) == 1:
            return {runs[0][0]: error}
    else:
        return {}
    failed: dict[int, LogError | AccessError] = {}
    for run in runs:
        failed |= _failed(tree, [run])
    unreached = [each for each in failed.values() if isinstance(each, AccessError) and not isinstance(each, NotFound)]
    if len(unreached) == len(runs):  # a dead server is not asked for every tile of a large log
        raise unreached[0]
    return failed
