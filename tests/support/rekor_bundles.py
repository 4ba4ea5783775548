"""Sigstore bundles of real logs: the log entry in a bundle, the key of the log that it is of, whom to trust."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from tiles.notes.keys import VerifierKey, ecdsa_key
from tiles.sigstore import logged
from tiles.sigstore.bundle import LogEntry, parse_bundle
from tiles.sigstore.trusted_root import MEDIA_TYPE, Period, TrustedLog, TrustedRoot, parse_trusted_root

# the public instance; published with the bundles
REKOR = ecdsa_key(
    "rekor.sigstore.dev",
    b64decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/"
        "bY2LhC30M9+RYtw=="
    ),
)


def entry_of(folder: Path) -> LogEntry:
    """Return the log entry of a bundle."""
    (entry,) = parse_bundle((folder / "bundle.sigstore.json").read_bytes()).entries
    return entry


def root_of(folder: Path) -> TrustedRoot:
    """Return the trusted root beside a bundle, or one with the log of the public instance."""
    path = folder / "trusted_root.json"
    if path.exists():
        return parse_trusted_root(path.read_bytes())
    spki, details = logged.log_spki(REKOR)
    return TrustedRoot(
        (TrustedLog(f"https://{REKOR.name}", spki, details, REKOR.log_id, Period(datetime(2021, 1, 12, tzinfo=UTC))),)
    )


def public_instance() -> TrustedRoot:
    """Return the whole trusted root of the public instance, which `sigstore` ships; skip the test without it."""
    found = find_spec("sigstore")
    if found is None or found.origin is None:
        pytest.skip("NOT TESTED with the public instance's trusted root: sigstore is not installed")
    (path,) = (Path(found.origin).parent / "_store").glob("*.sigstore.dev/trusted_root.json")
    root = parse_trusted_root(path.read_bytes())
    assert MEDIA_TYPE.encode() in path.read_bytes()
    return root


def log_key(folder: Path, entry: LogEntry) -> VerifierKey:
    """Return the key of the entry's log: from the bundle's trusted root, or the public instance's."""
    (log,) = (log for log in root_of(folder).logs if log.log_id == entry.log_id)
    return logged.log_key(log)
