"""Files that `sign`, `attest`, `upload` and `staple` are called with."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.support.rekor_log import artifact_key
from tiles.rekor.sign import sign_artifact
from tiles.signing.artifact_key import write_artifact_key


def write_signatures(data: bytes) -> None:
    """Write a signing key `sk`, and a predicate, a signature over data and its bundle without an entry."""
    bundle = sign_artifact(artifact_key(), sha256(data).digest())
    write_artifact_key(Path("sk"), artifact_key())
    Path("json").write_bytes(b"{}")
    Path("signature").write_bytes(bundle.signature)
    Path("unlogged").write_bytes(bundle.data)
