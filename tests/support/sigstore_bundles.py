"""What is in a Sigstore bundle, in as few lines as the tests need; a reader of the format is not part of the core."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tiles.notes.keys import SignatureType, VerifierKey, ecdsa_key

# the public instance; published with the bundles
REKOR = ecdsa_key(
    "rekor.sigstore.dev",
    b64decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/"
        "bY2LhC30M9+RYtw=="
    ),
)


def entry_of(folder: Path) -> dict[str, Any]:
    """Return the log entry of a bundle."""
    bundle = json.loads((folder / "bundle.sigstore.json").read_bytes())
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    return dict(entry)


def log_key(folder: Path, entry: dict[str, Any]) -> VerifierKey:
    """Return the key of the entry's log: from the bundle's trusted root, or the public instance's."""
    root = folder / "trusted_root.json"
    key_id = b64decode(entry["logId"]["keyId"])
    if not root.exists():
        key = REKOR
    else:
        (log,) = (log for log in json.loads(root.read_bytes())["tlogs"] if b64decode(log["logId"]["keyId"]) == key_id)
        assert log["publicKey"]["keyDetails"] == "PKIX_ED25519"
        origin = urlsplit(log["baseUrl"]).hostname
        assert origin is not None
        key = VerifierKey(origin, SignatureType.ED25519, b64decode(log["publicKey"]["rawBytes"])[-32:])
    assert key.key_id == key_id[:4]
    return key
