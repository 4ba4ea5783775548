"""What the ways to keep the objects of a log are called; `tiles.read.layouts` reads them. Pure.

    tlog-tiles   https://c2sp.org/tlog-tiles: our own logs, Tessera's, Rekor's of version 2
    sumdb        Go's checksum database, https://go.dev/design/25530-sumdb
    static-ct    logs of certificates, https://c2sp.org/static-ct-api

They stand here by themselves, so that who only offers them does not import the code that reads such logs.
"""

from __future__ import annotations

TLOG_TILES = "tlog-tiles"
SUMDB = "sumdb"
STATIC_CT = "static-ct"

LAYOUT_NAMES = (TLOG_TILES, SUMDB, STATIC_CT)
