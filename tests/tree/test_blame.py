"""Who is wrong: each vote with three voters, two of which agree or none; and the right edge, which the root decides."""

from __future__ import annotations

import pytest

from tests.support.reference import flipped, full_tree
from tiles.errors import UsageError
from tiles.tree.blame import (
    Finding,
    Stated,
    children,
    complete,
    edge_options,
    judge_edge,
    judge_pair,
    judge_tile,
    leads_to_root,
)
from tiles.tree.layout import ENTRIES, Tile
from tiles.tree.merkle import Hash, TreeHead, node_root

LEAVES = tuple(full_tree(512).leaf(index) for index in range(256))
OTHERS = tuple(full_tree(512).leaf(index) for index in range(256, 512))
RIGHT, WRONG, THIRD = node_root(LEAVES), node_root(OTHERS), Hash(b"\x07" * 32)
TILE, BUNDLE, PARENT = "tile/0/005", "tile/entries/005", "tile/1/000"


def parent(hash_: Hash | None, *, believed: bool = False) -> Stated:
    """Return a tile of level 1 that says this of the node at position 5; None: it is not there."""
    return Stated(Tile(1, 0), None if hash_ is None else (THIRD,) * 5 + (hash_,) * 251, believed=believed)


@pytest.mark.parametrize(
    ("tile", "position", "below"),
    [
        (Tile(0, 7), 3, [Tile(ENTRIES, 7)]),
        (Tile(0, 7, 9), 3, [Tile(ENTRIES, 7, 9)]),
        (Tile(1, 2), 3, [Tile(0, 515), Tile(ENTRIES, 515)]),
        (Tile(2, 2, 4), 3, [Tile(1, 515)]),
    ],
)
def test_children(tile: Tile, position: int, below: list[Tile]) -> None:
    """Below a hash is a full tile; above entries their bundle too; below entries there is nothing."""
    assert children(tile, position) == below
    with pytest.raises(UsageError, match="nothing is below tile/entries/007"):
        children(Tile(ENTRIES, 7), 0)


def test_stated() -> None:
    """A tile below is believed if its parent says its root; it says nothing where it has no hashes."""
    below = parent(RIGHT).below(5, Tile(0, 5), LEAVES)
    assert (below.root, below.expected, below.trusted, below.believed) == (RIGHT, RIGHT, False, True)
    assert (below.parent, below.says(0)) == (PARENT, LEAVES[0])
    assert not parent(RIGHT).below(5, Tile(0, 5), OTHERS).believed
    lost = parent(RIGHT, believed=True).below(5, Tile(0, 5), None)
    assert (lost.root, lost.expected, lost.trusted, lost.believed, lost.says(0)) == (None, RIGHT, True, False, None)


@pytest.mark.parametrize(
    ("said", "believed", "tile", "bundle", "hash_", "blamed"),
    [
        (RIGHT, False, LEAVES, LEAVES, RIGHT, []),
        (RIGHT, False, OTHERS, LEAVES, RIGHT, [TILE]),
        (RIGHT, False, LEAVES, OTHERS, RIGHT, [BUNDLE]),
        (RIGHT, False, None, LEAVES, RIGHT, []),
        (RIGHT, False, LEAVES, None, RIGHT, []),
        (RIGHT, True, OTHERS, OTHERS, RIGHT, [TILE, BUNDLE]),
        (RIGHT, True, None, None, RIGHT, []),
        (RIGHT, False, None, None, None, []),
        (WRONG, False, LEAVES, LEAVES, RIGHT, []),
        (THIRD, False, LEAVES, OTHERS, None, [TILE]),
        (None, False, LEAVES, LEAVES, RIGHT, []),
        (None, False, LEAVES, OTHERS, None, [TILE]),
        (None, False, None, LEAVES, RIGHT, []),
    ],
)
def test_a_pair(
    said: Hash | None,
    believed: bool,
    tile: tuple[Hash, ...] | None,
    bundle: tuple[Hash, ...] | None,
    hash_: Hash | None,
    blamed: list[str],
) -> None:
    """A parent that is believed decides; else two that agree outvote the third; else it is open."""
    data = None if tile is None else b"".join(tile)
    found, findings = judge_pair(parent(said, believed=believed), 5, data, bundle)
    assert found == hash_
    assert [finding.path for finding in findings] == blamed
    for finding in findings:
        open_ = "is not known which of the two is wrong"
        assert (open_ if hash_ is None else f"and {PARENT} says {RIGHT.hex()}") in finding.problem


@pytest.mark.parametrize(
    ("hashes", "expected", "trusted", "computed", "hash_", "problems"),
    [
        (LEAVES, RIGHT, False, LEAVES, RIGHT, []),
        (OTHERS, RIGHT, True, LEAVES, RIGHT, ["hashes to"]),
        (OTHERS, RIGHT, True, OTHERS, RIGHT, ["like what is below it hashes to"]),
        (None, RIGHT, True, OTHERS, RIGHT, ["what is below it hashes to"]),
        (None, RIGHT, False, LEAVES, RIGHT, []),
        (None, RIGHT, False, (None, *LEAVES[1:]), None, []),
        (OTHERS, RIGHT, False, LEAVES, RIGHT, ["hashes to"]),
        (LEAVES, WRONG, False, LEAVES, RIGHT, []),
        (LEAVES, THIRD, False, (*LEAVES[:9], THIRD, *LEAVES[10:]), "below", ["does not have the hash of tile/0/009"]),
        (LEAVES, THIRD, False, (None, *LEAVES[1:9], THIRD, *LEAVES[10:]), None, ["does not have the hash of"]),
    ],
)
def test_a_tile(
    hashes: tuple[Hash, ...] | None,
    expected: Hash,
    trusted: bool,
    computed: tuple[Hash | None, ...],
    hash_: Hash | str | None,
    problems: list[str],
) -> None:
    """The same where the third voter is all that is below a tile."""
    root = None if hashes is None else node_root(hashes)
    stated = Stated(Tile(1, 0), hashes, root, expected, trusted, root == expected, "tile/2/000.p/1")
    found, findings = judge_tile(stated, computed)
    assert found == (node_root(complete(computed) or ()) if hash_ == "below" else hash_)
    assert [finding.path for finding in findings] == [PARENT] * len(problems)
    assert [found.problem.startswith(start) for found, start in zip(findings, problems, strict=True)] == [
        True for _ in problems
    ]


TREE = TreeHead(258, full_tree(258).head(258).root)  # tile/0/001.p/2 and tile/1/000.p/1
STATED = {0: OTHERS[:2], 1: (RIGHT,)}
BAD = (Hash(flipped(OTHERS[0], 0)), OTHERS[1])
EDGE = "does not lead to the root, and "


@pytest.mark.parametrize(
    ("stated", "computed", "found"),
    [
        ({}, {}, []),
        ({0: BAD}, {}, [Finding("tile/0/001.p/2", f"{EDGE}what is below it does")]),
        ({0: None}, {}, []),
        ({}, {0: BAD}, [Finding("tile/entries/001.p/2", f"{EDGE}tile/0/001.p/2 does")]),
        (
            {},
            {1: (WRONG,)},
            [Finding(path, f"{EDGE}tile/1/000.p/1 does") for path in ("tile/0/000", "tile/entries/000")],
        ),
        ({0: BAD}, {1: (None,)}, [Finding("tile/0/001.p/2", f"{EDGE}what is below it does")]),
    ],
)
def test_the_edge(
    stated: dict[int, tuple[Hash, ...] | None], computed: dict[int, tuple[Hash | None, ...]], found: list[Finding]
) -> None:
    """What leads to the root is right, level by level, and the other is blamed."""
    assert judge_edge(TREE, STATED | stated, STATED | computed) == found


def test_an_edge_of_another_root() -> None:
    """Where nothing leads to the root, the checkpoint is blamed; what differs is told, and blamed on neither."""
    other = TreeHead(258, THIRD)
    assert not leads_to_root(other, STATED)
    assert leads_to_root(TREE, STATED)
    assert not leads_to_root(TREE, {**STATED, 0: None})
    last = Finding("checkpoint", f"its root {THIRD.hex()} does not follow from the tiles and entries")
    assert judge_edge(other, STATED, STATED) == [last]
    first, second = judge_edge(other, STATED | {0: BAD}, STATED)
    assert (first.path, second) == ("tile/0/001.p/2", last)
    assert "does not have the hash of tile/entries/001.p/2" in first.problem
    assert judge_edge(other, STATED | {0: None}, STATED | {0: (None, None)}) == []


def test_options() -> None:
    """What is stored comes first, and what is below it only if all of it is known and it is something else."""
    assert edge_options(LEAVES, OTHERS) == [LEAVES, OTHERS]
    assert edge_options(LEAVES, LEAVES) == [LEAVES]
    assert edge_options(None, (None, THIRD)) == []
    assert complete(()) == ()
