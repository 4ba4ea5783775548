"""Where the page of a log shows an entry."""

from __future__ import annotations

from tiles.sigstore.origin import base_url
from tiles.store.address import shown_address


def link(origin: str, leaf: bytes, url: str | None) -> str:
    """Return the address at which the page of a log shows the entry with a leaf hash.

    url   where the log is served, as the call says; None: at its origin
    """
    return f"{shown_address(url or base_url(origin)).rstrip('/')}/#uuid={leaf.hex()}"


def named(leaf: bytes, url: str) -> dict[str, str]:
    """Return how a JSON document names an entry: `uuid` is what Rekor calls the leaf hash."""
    return {"leaf_hash": leaf.hex(), "uuid": leaf.hex(), "url": url}
