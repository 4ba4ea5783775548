"""What a log looks like that is none of https://c2sp.org/tlog-tiles: named when an object of ours is not there.

Such a log is not damaged. It is looked at only after something was missing, by a few requests, and nothing of what they
bring is believed: it only chooses the words of an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tiles.errors import Malformed, NotFound, TilesError
from tiles.notes.note import MAX_NOTE_SIZE, parse_note
from tiles.read.log_formats import MAX_BUNDLE_SIZE, MAX_TILE_SIZE
from tiles.read.tiles import fetch_tile
from tiles.store import Fetcher
from tiles.tree.layout import BUNDLES, ENTRIES, TILE_WIDTH, TILES, tile_at
from tiles.tree.merkle import HASH_SIZE

Probe = tuple[str, int, Callable[[bytes], bool], str]  # path, limit in bytes, whether it is that, what it then is

_API = "has an API to ask instead of tiles to read"


def explained(fetcher: Fetcher, missing: NotFound) -> NotFound:
    """Return the error for a checkpoint that is not there, saying what the log looks like instead, if anything."""
    return _explained(fetcher, missing, _instead_of_checkpoint())


def check_layout(fetcher: Fetcher, size: int) -> None:
    """Raise NotFound if the log looks like one of another layout: its newest objects are not where they should be.

    size   of the log's tree
    That objects are missing is no error here, unless they are at the places of another layout.
    """
    if not size:
        return
    for level in (0, ENTRIES):
        tile = tile_at(size, level, (size - 1) // TILE_WIDTH)
        try:
            fetch_tile(fetcher, tile)
        except NotFound as missing:
            named = _explained(fetcher, missing, _instead_of_tile(tile.path))
            if named is not missing:
                raise named from None
        except TilesError:
            pass  # whoever reads the log will find out what is wrong with it


def _explained(fetcher: Fetcher, missing: NotFound, probes: list[Probe]) -> NotFound:
    for path, limit, is_that, what in probes:
        try:
            if is_that(fetcher.fetch(path, limit)):
                return NotFound(
                    f"{missing.message}; but {path} is there, so this looks like {what}",
                    hint="tiletree reads tlog-tiles, sumdb and static-ct: look for another address, or at --layout",
                )
        except TilesError:
            continue
    return missing


def _instead_of_checkpoint() -> list[Probe]:
    return [
        ("api/v2/checkpoint", MAX_NOTE_SIZE, _is_note, "a Rekor log, whose tiles are below api/v2 of this address"),
        ("latest", MAX_NOTE_SIZE, _is_note, "a checksum database of Go"),
        ("ct/v1/get-sth", MAX_NOTE_SIZE, _has("tree_size"), f"a log of certificates (RFC 6962), which {_API}"),
        ("api/v1/log", MAX_NOTE_SIZE, _has("treeSize"), f"a Rekor log of version 1, which {_API}"),
    ]


def _instead_of_tile(path: str) -> list[Probe]:
    if path.startswith(BUNDLES):
        data = f"{TILES}data/{path.removeprefix(BUNDLES)}"
        found = [
            (data, MAX_BUNDLE_SIZE, _is_data, "a log of certificates (static-ct-api), whose entries are elsewhere")
        ]
    else:
        high = f"{TILES}8/{path.removeprefix(TILES)}"
        what = "a log with tiles as a checksum database of Go has them"
        found = [(high, MAX_TILE_SIZE, _is_hashes, what)]
    return [*found, ("seq/00/00/00/00/00", MAX_BUNDLE_SIZE, _is_data, "a log of serverless-log, with a file an entry")]


def _is_note(data: bytes) -> bool:
    try:
        return bool(parse_note(data))
    except Malformed:
        return False


def _has(key: str) -> Callable[[bytes], bool]:
    def is_that(data: bytes) -> bool:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return False
        return isinstance(document, dict) and key in document

    return is_that


def _is_data(data: bytes) -> bool:
    return bool(data) and not data.lstrip().startswith(b"<")  # a host that answers everything sends a web page


def _is_hashes(data: bytes) -> bool:
    return bool(data) and len(data) % HASH_SIZE == 0 and _is_data(data)
