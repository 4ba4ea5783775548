"""What a web server or CDN is to say about each public object: its type, and for how long a copy may be used. Pure.

Tiles and bundles never change, so copies are good for ever (https://c2sp.org/tlog-tiles, "APIs": they "SHOULD be served
with … long caching headers"); a partial one may be deleted, and readers then ask for the full one. A copy of the
checkpoint, or of an index's head, is checked each time, because it changes. Runs of an index are as tiles are; they are
read in ranges, so they are never encoded (docs/index-format.md). Entries may be hostile: none is served as text/html or
a script.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.notes.witness_messages import is_seen_path
from tiles.records.paths import (
    CHECKPOINTS,
    INDEX,
    ISSUERS,
    LATEST,
    PAYLOAD,
    PENDING,
    head_kind,
    is_endorsed_path,
    is_newest_endorsed_path,
    key_change_number,
    withheld_bundle,
)
from tiles.tree.layout import BUNDLES, CHECKPOINT, TILES, parse_tile_path

BYTES = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
CERTIFICATE = "application/pkix-cert"
IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache, max-age=0"
DAILY = "public, max-age=300"

_FRESH = frozenset({CHECKPOINT, LATEST, PENDING})
_IMMUTABLE = (TILES, PAYLOAD, INDEX)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": TEXT,
}


@dataclass(frozen=True, slots=True)
class Served:
    """How an object of a log is stored (`tiles.store.Served`)."""

    headers: Mapping[str, str]
    gzip: bool = False
    locked: bool = False


def public_serving(*, gzip: bool = False, lock: bool = False) -> Callable[[str], Served]:
    """Return what says, by path, how an object of the public part is stored.

    gzip   entry bundles gzip-encoded; tiles are hashes, which no encoding makes shorter
    lock   lock the objects that never change and are never deleted: full tiles and full entry bundles
    """

    def serve(path: str) -> Served:
        return Served(headers_of(path), gzip and path.startswith(BUNDLES), lock and is_for_ever(path))

    return serve


def is_for_ever(path: str) -> bool:
    """Whether an object of the public part stays what it is for ever. A partial tile does not: gc deletes it."""
    try:
        return parse_tile_path(path).is_full
    except Malformed:
        return False


def headers_of(path: str) -> dict[str, str]:
    """Return Content-Type and Cache-Control of an object of the public part, or of one that a witness publishes."""
    changes = path in _FRESH or is_seen_path(path) or is_newest_endorsed_path(path)
    if changes or head_kind(path) is not None or withheld_bundle(path) is not None:
        return {"Content-Type": TEXT, "Cache-Control": FRESH}
    if path.startswith(ISSUERS):
        return {"Content-Type": CERTIFICATE, "Cache-Control": IMMUTABLE}
    if path.startswith(_IMMUTABLE):
        return {"Content-Type": BYTES, "Cache-Control": IMMUTABLE}
    if path.startswith(CHECKPOINTS) or key_change_number(path) is not None or is_endorsed_path(path):
        return {"Content-Type": TEXT, "Cache-Control": IMMUTABLE}
    name = path.rpartition("/")[2]
    kind = _TYPES.get(name[name.rfind(".") :] if "." in name else "", BYTES)
    return {"Content-Type": kind, "Cache-Control": DAILY}
