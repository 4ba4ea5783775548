"""Which origins the clients of Sigstore take."""

from __future__ import annotations

import pytest

from tiles.sigstore.origin import REFUSING, base_url, refused_by
from tiles.sigstore.trusted_root import TrustedLog


@pytest.mark.parametrize("origin", ["log.example.com", "mylog", "log2025-1.rekor.sigstore.dev", "xn--lg-eka.example"])
def test_a_host_name(origin: str) -> None:
    """It is what remains of its address as the host name, so all take it."""
    assert refused_by(origin) == ()
    assert TrustedLog(base_url(origin), b"", "PKIX_ED25519", b"").host == origin


@pytest.mark.parametrize(
    "origin",
    [
        "log.example.com/releases",
        "log.example.com:8443",
        "https://log.example.com",
        *("a@b", "a?b", "a#b", "[::1]", "a%20b", "a..b", ".a"),
    ],
)
def test_more_than_a_host_name(origin: str) -> None:
    """A path, a port or anything else that no host name has."""
    assert refused_by(origin) == REFUSING
