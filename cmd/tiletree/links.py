"""Where the page of a log shows an entry."""

from __future__ import annotations

import re

from tiles.sigstore.origin import base_url
from tiles.store.address import shown_address

# an address that `shown_address` returns as it is; looking at others takes an HTTP library, which is slow to import
_PLAIN = re.compile(r"https://[a-z0-9]+(?:[.-][a-z0-9]+)*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)


def link(origin: str, leaf: bytes, url: str | None) -> str:
    """Return the address at which the page of a log shows the entry with a leaf hash.

    url   where the log is served, as the call says; None: at its origin
    """
    place = url or base_url(origin)
    shown = place if _PLAIN.fullmatch(place) else shown_address(place)
    return f"{shown.rstrip('/')}/#uuid={leaf.hex()}"


def named(leaf: bytes, url: str) -> dict[str, str]:
    """Return how a JSON document names an entry: `uuid` is what Rekor calls the leaf hash."""
    return {"leaf_hash": leaf.hex(), "uuid": leaf.hex(), "url": url}
