"""Which format a log has, among those that are read here: as the call says, or found by looking at what is there.

`tiles.records.layout_names` has their names. What is found is not believed: entries and tiles of any format are
believed only if they hash up to the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable

from tiles.errors import Malformed, NotFound, TilesError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.tree_head_signature import split
from tiles.read.client import LogClient
from tiles.read.go_sumdb import GoSumdb
from tiles.read.log_formats import TLOG_TILES, LogFormat
from tiles.read.other_layouts import explained
from tiles.read.static_ct import StaticCt
from tiles.read.tiles import fetch_tile
from tiles.records import layout_names as names
from tiles.records.paths import LATEST
from tiles.store import Fetcher
from tiles.tree.layout import ENTRIES, TILE_WIDTH, tile_at

SUMDB, STATIC_CT = GoSumdb(), StaticCt()
LAYOUTS: dict[str, LogFormat] = {names.TLOG_TILES: TLOG_TILES, names.SUMDB: SUMDB, names.STATIC_CT: STATIC_CT}


def name_of(log_format: LogFormat) -> str:
    """Return what a format is called."""
    return next((name for name, one in LAYOUTS.items() if one is log_format), names.TLOG_TILES)


def visited(fetcher: Fetcher, visit: Callable[[LogFormat], LogClient], named: LogFormat | None = None) -> LogClient:
    """Return a client that has visited a log, in the format that the log has.

    visit   makes a client that reads the log in a format, and visits the log with it
    named   that format, if a call says it; None: it is found by looking at what is there
    Raises NotFound, explained, for a log in a format that is not read here; what `visit` raises.
    """
    try:
        client = visit(named or TLOG_TILES)
    except NotFound as error:
        found = without_checkpoint(fetcher) if named is None else None
        if found is None:
            raise explained(fetcher, error) from error
        return visit(found)
    if named is None and client.log_format is TLOG_TILES:
        found = with_checkpoint(fetcher, client.accepted.signed)
        if found is not TLOG_TILES:
            client.read_as(found)
    return client


def without_checkpoint(fetcher: Fetcher) -> LogFormat | None:
    """Return the format of a log that has no `checkpoint`; None if it is none that is read here."""
    try:
        parse_signed_checkpoint(fetcher.fetch(LATEST, MAX_NOTE_SIZE))
    except (TilesError, Malformed):
        return None
    return SUMDB


def with_checkpoint(fetcher: Fetcher, signed: SignedCheckpoint) -> LogFormat:
    """Return the format of a log that has that checkpoint.

    No request is made unless its signatures look like those of a log of certificates. A copy of such a log may well be
    in the format of tlog-tiles, as mirrors keep it (https://c2sp.org/tlog-mirror): the newest data tile decides.
    """
    if not signed.tree.size or not has_tree_head(signed):
        return TLOG_TILES
    newest = tile_at(signed.tree.size, ENTRIES, (signed.tree.size - 1) // TILE_WIDTH)
    for log_format in (STATIC_CT, TLOG_TILES):
        try:
            fetch_tile(fetcher, newest, log_format)
        except NotFound:
            continue
        except TilesError:
            pass  # whoever reads it will say what is wrong with it
        return log_format
    return STATIC_CT


def has_tree_head(signed: SignedCheckpoint) -> bool:
    """Whether a signature line named as the origin has the form of a tree head's of RFC 6962."""
    named = (line for line in signed.note.signatures if line.name == signed.origin)
    return any(split(line.signature) is not None for line in named)
