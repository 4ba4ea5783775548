"""Which clients of Sigstore take a log by its origin.

They compare the origin, and the name in the signature, with the host name of the log's address in the trusted root:
sigstore-go and with it cosign (pkg/verify/tlog.go, `url.Parse(baseUrl).Hostname()`), sigstore-java (RekorVerifier).
"""

from __future__ import annotations

import re

# of an address, what Go's net/url and Java's URI take for the whole host name, without changing a character
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)

REFUSING = ("cosign", "sigstore-go", "sigstore-java")


def refused_by(origin: str) -> tuple[str, ...]:
    """Return the clients that accept no proof of a log of that origin; () if it is a bare host name."""
    return () if _HOST_NAME.fullmatch(origin) else REFUSING


def base_url(origin: str) -> str:
    """Return the address that names the log in a trusted root. Nothing has to answer there."""
    return f"https://{origin}"
