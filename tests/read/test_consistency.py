"""Consistency proofs between two sizes of a log."""

from __future__ import annotations

import pytest

from tests.support.readers import POLICY, Objects, make_log
from tiles.errors import TileError, UsageError
from tiles.read.client import LogClient
from tiles.read.consistency import prove_consistency
from tiles.tree.proof import verify_consistency

SIZE = 600


def reader(objects: dict[str, bytes]) -> LogClient:
    """Return a client of a log."""
    return LogClient(Objects(objects), POLICY)


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (0, 600), (1, 600), (255, 257), (256, 512), (300, 599), (600, 600)]
)
def test_both_trees_are_those_of_the_log(first: int, last: int) -> None:
    """Of any two sizes, also below that of the checkpoint, the roots are those of the entries, and the proof holds."""
    proof = prove_consistency(reader(make_log(SIZE)), first, last)
    for tree, size in ((proof.older, first), (proof.newer, last)):
        assert tree == reader(make_log(size)).tree
    verify_consistency(proof.older, proof.newer, proof.hashes)


@pytest.mark.parametrize(("first", "last"), [(2, 1), (-1, 5), (1, 601)])
def test_sizes_that_the_log_never_had(first: int, last: int) -> None:
    """The call is wrong then, and not the log."""
    with pytest.raises(UsageError, match=f"from {first} to {last}"):
        prove_consistency(reader(make_log(SIZE)), first, last)


def test_a_damaged_tile_makes_no_proof() -> None:
    """What does not hash up to the checkpoint is not put into a proof."""
    objects = make_log(SIZE)
    objects["tile/0/001"] = bytes(len(objects["tile/0/001"]))
    with pytest.raises(TileError):
        prove_consistency(reader(objects), 300, 599)
