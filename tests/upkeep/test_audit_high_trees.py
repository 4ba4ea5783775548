"""The audit of trees that are higher than a test can fill."""

from __future__ import annotations

import pytest

import tiles.upkeep.audit
from tests.support.audits import (
    Damage,
    Objects,
    changed,
    findings,
    gone,
    last_bit,
)
from tiles.store import Fetcher
from tiles.tree.blame import Stated
from tiles.tree.edge import Edge
from tiles.tree.layout import Tile, edge_tiles
from tiles.tree.merkle import TreeHead, leaf_hash, node_root
from tiles.upkeep.audit import Run

# a tree high enough to have a full tile of level 2, its runs not really recomputed
HIGH = 2 * 256**3 + 3 * 256**2


@pytest.fixture
def high(monkeypatch: pytest.MonkeyPatch) -> tuple[TreeHead, Objects]:
    """Return a tree of HIGH entries, all alike, and its tiles above level 0; entries are said to be right."""
    roots = [leaf_hash(b"")]
    for _ in range(4):
        roots.append(node_root([roots[-1]] * 256))
    objects = {tile.path: roots[tile.level] * tile.width for tile in edge_tiles(HIGH)}
    objects |= {Tile(2, i).path: roots[2] * 256 for i in range(2)}
    objects |= {Tile(1, i).path: roots[1] * 256 for i in range(2 * 256 + 3)}

    def recompute_run(_fetcher: Fetcher, above: Stated, **_how: object) -> Run:
        return [roots[1]] * above.tile.width, []

    monkeypatch.setattr(tiles.upkeep.audit, "recompute_run", recompute_run)
    edge = [tuple([roots[tile.level]] * tile.width) for tile in edge_tiles(HIGH)]
    return Edge(HIGH, ((), (), *edge)).tree, objects


@pytest.mark.parametrize("damage", [gone, last_bit])
@pytest.mark.parametrize("path", [None, "tile/3/000.p/2", "tile/2/001", "tile/2/002.p/3", "tile/1/300", "tile/1/514"])
def test_a_high_tree(high: tuple[TreeHead, Objects], path: str | None, damage: Damage) -> None:
    """Levels above 2 are walked the same way, and one damaged tile there is the only one that is blamed."""
    tree, objects = high
    assert list(findings(tree, changed(objects, (path, damage)) if path else objects)) == ([path] if path else [])


def test_several_damages_in_a_high_tree(high: tuple[TreeHead, Objects]) -> None:
    """A full tile and one below it that are both damaged are both found, and so is what only looks right to one."""
    tree, objects = high
    paths = ["tile/2/001", "tile/1/300"]
    assert sorted(findings(tree, changed(objects, *((path, last_bit) for path in paths)))) == sorted(paths)
    paths = ["tile/3/000.p/2", "tile/2/001", "tile/1/300", "tile/1/301"]
    assert sorted(findings(tree, changed(objects, *((path, last_bit) for path in paths)))) == sorted(paths)
