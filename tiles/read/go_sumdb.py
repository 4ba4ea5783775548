"""Go's checksum database (https://go.dev/design/25530-sumdb): a log of which versions of modules have which hashes.

latest                            the checkpoint, with the origin "go.sum database tree"
tile/8/<L>/<N>[.p/<W>]            tiles of hashes, as tlog-tiles has them
tile/8/data/<N>[.p/<W>]           records, each followed by a blank line
lookup/<module>@<version>         number and text of a record, and a checkpoint
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed, TileError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_decimal, decode_text
from tiles.read.log_formats import TlogTiles, cut_hashes
from tiles.records.paths import LATEST
from tiles.tree.layout import ENTRIES, TILE_WIDTH, TILES, Tile
from tiles.tree.merkle import MAX_TREE_SIZE
from tiles.tree.sumdb_bundle import check_record, format_records, parse_records

MAX_LOOKUP_SIZE = 1 << 20  # bytes
MAX_MODULE_VERSION = 1024  # characters

_HEIGHT = f"{TILES}8/"
_MODULE_VERSION = re.compile(r"[!-~]+@v[!-~]+", re.ASCII)


class GoSumdb(TlogTiles):
    """A checksum database. An entry is the text of a record, which ends in newline."""

    checkpoint = LATEST

    def path(self, tile: Tile) -> str:
        """Return the path of a tile or data tile."""
        below = tile.path.removeprefix(TILES)
        return f"{_HEIGHT}data/{below.removeprefix('entries/')}" if tile.level == ENTRIES else f"{_HEIGHT}{below}"

    def parse_bundle(self, bundle: Tile, data: bytes) -> list[bytes]:
        """Return the records in a data tile's bytes. Raises Malformed."""
        return parse_records(data, bundle.width)

    def cut(self, tile: Tile, full: bytes) -> bytes:
        """Return a partial tile or data tile, cut from the full one. Raises TileError, which names the full one."""
        path = self.path(tile.full)
        if tile.level != ENTRIES:
            return cut_hashes(tile, full, path)
        try:
            return format_records(parse_records(full, TILE_WIDTH)[: tile.width])
        except Malformed as error:
            raise TileError(path, error.problem, evidence={path: full}) from None


# ---- lookup


@dataclass(frozen=True, slots=True)
class Looked:
    """What a lookup answers. Nothing of it is verified: it only says which entry to read.

    index    of the record
    record   its text
    signed   a checkpoint, perhaps of a newer tree than `latest`
    """

    index: int
    record: bytes
    signed: SignedCheckpoint


def lookup_path(module_version: str) -> str:
    """Return where a checksum database answers for a module@version. Raises UsageError for what is none."""
    is_one = _MODULE_VERSION.fullmatch(module_version) and module_version.count("@") == 1
    elements = module_version.partition("@")[0].split("/")
    if not is_one or len(module_version) > MAX_MODULE_VERSION or not all(each.strip(".") for each in elements):
        raise UsageError(f"{module_version[:80]!r} is no module and version, such as golang.org/x/mod@v0.36.0")
    if re.search("[!?#%\\\\]", module_version):
        raise UsageError(f"{module_version[:80]!r} has a character that no module and no version has")
    # golang.org/x/mod/module, "Escaped Paths": a capital letter is an exclamation mark and the small one
    return "lookup/" + re.sub("[A-Z]", lambda found: f"!{found[0].lower()}", module_version)


def parse_lookup(data: bytes) -> Looked:
    """Return what is in the answer of a lookup. Raises Malformed."""
    if len(data) > MAX_LOOKUP_SIZE:
        raise Malformed("lookup", f"more than {MAX_LOOKUP_SIZE} bytes", len(data))
    head, blank, note = data.partition(b"\n\n")
    number, newline, text = head.partition(b"\n")
    if not blank or not newline:
        raise Malformed("lookup", "not a number, a record, a blank line and a checkpoint")
    index = decode_decimal(decode_text(number, "lookup"), "lookup", maximum=MAX_TREE_SIZE - 1)
    record = text + b"\n"
    check_record(record)
    return Looked(index, record, parse_signed_checkpoint(note))
