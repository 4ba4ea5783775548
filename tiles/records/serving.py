"""What a web server or CDN is to say about each public object: its type, and for how long a copy may be used. Pure.

Tiles and bundles never change, so copies are good for ever (https://c2sp.org/tlog-tiles, "APIs": they "SHOULD be served
with … long caching headers"); a partial one may go, and readers then ask for the full one. The checkpoint is what
readers come for: a copy of it is checked each time. Nothing is text/html or a script by accident: entries are hostile.
"""

from __future__ import annotations

from tiles.records.paths import CHECKPOINTS, INDEX, PAYLOAD, PENDING
from tiles.tree.layout import CHECKPOINT, TILES

BYTES = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache, max-age=0"
DAILY = "public, max-age=300"
PRIVATE = "no-store"

_FRESH = frozenset({CHECKPOINT, PENDING})
_IMMUTABLE = (TILES, PAYLOAD, INDEX)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": TEXT,
}


def headers_of(path: str, *, public: bool) -> dict[str, str]:
    """Return Content-Type and Cache-Control of an object.

    public   whether it is in the part that is served; the private one is never to be kept by anyone in between
    """
    if not public:
        return {"Content-Type": BYTES, "Cache-Control": PRIVATE}
    if path.startswith(_IMMUTABLE):
        return {"Content-Type": BYTES, "Cache-Control": IMMUTABLE}
    if path.startswith(CHECKPOINTS):
        return {"Content-Type": TEXT, "Cache-Control": IMMUTABLE}
    if path in _FRESH:
        return {"Content-Type": TEXT, "Cache-Control": FRESH}
    name = path.rpartition("/")[2]
    kind = _TYPES.get(name[name.rfind(".") :] if "." in name else "", BYTES)
    return {"Content-Type": kind, "Cache-Control": DAILY}
