"""Where tiles and entry bundles are (https://c2sp.org/tlog-tiles, "Merkle Tree", "Log entries"): coordinates ↔ paths.

A tile (level l, index n) holds the hashes of the nodes of height 8l with indexes [256n, 256n + width).
A bundle n holds the entries [256n, 256n + width); its level is written "entries" in a path, and ENTRIES here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.tree.merkle import MAX_TREE_SIZE

TILE_HEIGHT = 8
TILE_WIDTH = 256  # hashes in a full tile, entries in a full bundle
ENTRIES = -1  # the level of an entry bundle
MAX_LEVEL = 63  # "<L> … between 0 and 63"

CHECKPOINT = "checkpoint"
TILES = "tile/"  # below it are all tiles and entry bundles
BUNDLES = "tile/entries/"

#   tile/<L>/<N>[.p/<W>]     <N> in zero-padded groups of three digits, all but the last led by an x
_PATH = (  # compiled when it is first used, as most calls parse no path
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile or an entry bundle.

    level   0 ≤ level ≤ 63, or ENTRIES
    index   0 ≤ index
    width   1 ≤ width ≤ 256; 256 is a full tile
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL:
            raise UsageError(f"tile level {self.level} is not between {ENTRIES} and {MAX_LEVEL}")
        if not 0 <= self.index <= MAX_TREE_SIZE:
            raise UsageError(f"tile index {self.index} is not between 0 and {MAX_TREE_SIZE}")
        if not 1 <= self.width <= TILE_WIDTH:
            raise UsageError(f"tile width {self.width} is not between 1 and {TILE_WIDTH}")

    @property
    def path(self) -> str:
        """The public path, relative to the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.is_full else f".p/{self.width}"
        return f"tile/{level}/{index_path(self.index)}{partial}"

    @property
    def is_full(self) -> bool:
        """Whether it holds all 256."""
        return self.width == TILE_WIDTH

    @property
    def full(self) -> Tile:
        """The full tile at the same place: what a partial one is a prefix of."""
        return Tile(self.level, self.index)

    @property
    def parent(self) -> tuple[int, int, int]:
        """Where a full tile's root stands: (level, tile index, position in that tile)."""
        return self.level + 1, self.index // TILE_WIDTH, self.index % TILE_WIDTH


def index_path(n: int) -> str:
    """Return n ≥ 0 as path elements: 1234067 → "x001/x234/067". Raises UsageError for a negative number."""
    if n < 0:
        raise UsageError(f"{n} is no index and no size")
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.append(f"x{n % 1000:03d}")
    return "/".join(reversed(groups))


def parse_tile_path(path: str) -> Tile:
    """Return the tile that `path` names. Raises Malformed for anything that `Tile.path` does not print."""
    match = re.fullmatch(_PATH, path, re.ASCII)
    if not match:
        raise Malformed("tile path", "not tile/<L>/<N>[.p/<W>]", path)
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    width = int(match["width"] or TILE_WIDTH)
    index = int(match["index"].replace("x", "").replace("/", ""))
    if level > MAX_LEVEL or width > TILE_WIDTH or (match["width"] and width == TILE_WIDTH) or index > MAX_TREE_SIZE:
        raise Malformed("tile path", "level, index or width out of range", path)
    tile = Tile(level, index, width)
    if tile.path != path:
        raise Malformed("tile path", f"not in canonical form, which is {tile.path}", path)
    return tile


def level_size(size: int, level: int) -> int:
    """Return how many hashes (for ENTRIES: entries) all tiles of a level hold together in a tree of `size`."""
    return size >> (TILE_HEIGHT * max(level, 0))


def tile_at(size: int, level: int, index: int) -> Tile:
    """Return the tile (level, index) as a tree of `size` has it: full, or the partial one at the right edge.

    Raises UsageError if the tree has no such tile.
    """
    width = min(TILE_WIDTH, level_size(size, level) - index * TILE_WIDTH)
    if width < 1:
        raise UsageError(f"a tree of size {size} has no tile {index} at level {level}")
    return Tile(level, index, width)


def edge_tiles(size: int) -> list[Tile]:
    """Return the partial tiles of a tree, one at most per level, lowest level first; bundles are not among them.

    Together they hold the roots of all complete subtrees that the tree of `size` is made of, so its root follows
    from them alone ("The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries").
    """
    tiles = []
    level = 0
    while (count := level_size(size, level)) > 0:
        if count % TILE_WIDTH:
            tiles.append(Tile(level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return tiles


def tiles_of(size: int, level: int) -> Iterator[Tile]:
    """Yield all tiles (for ENTRIES: bundles) of one level of a tree, left to right, the last one perhaps partial."""
    full, rest = divmod(level_size(size, level), TILE_WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if rest:
        yield Tile(level, full, rest)


def full_paths(level: int, first: int) -> Iterator[str]:
    """Yield the paths of full tiles (for ENTRIES: bundles) from an index on, without end; cheaper than `Tile.path`."""
    while True:
        folder = Tile(level, first).path[:-3]
        for last in range(first % 1000, 1000):
            yield f"{folder}{last:03d}"
        first += 1000 - first % 1000


def levels(size: int) -> range:
    """Return the tile levels of a tree: those that hold at least one hash."""
    count = 0
    while level_size(size, count) > 0:
        count += 1
    return range(count)
