"""Bundles, good and spoiled, as files that every client of Sigstore takes; and the clients that run in this process.

A `Case` is what is verified: a bundle, a trusted root, an artifact, and whom the verifier demands. A client takes a
case, and returns "" or what it says is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import node
from tests.support.signed_bundles import ARTIFACT, bundle_of, digests, envelope_of, logged, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import IDENTITY, ISSUER, authority, log_instance
from tiles.errors import TilesError
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.sigstore.identity import demand
from tiles.sigstore.trusted_root import parse_trusted_root
from tiles.sigstore.verdict import verify_bundle

SCRIPT = Path(__file__).parent / "sigstore_js" / "verify.cjs"
PACKAGES = Path(sys.prefix) / "node"  # where `make` installs what the script needs

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is verified.

    bundle, root   as JSON values; a test may spoil a copy
    artifact       its bytes
    key            PEM of the key that is demanded; "": `identity` and ISSUER are
    """

    bundle: Json = field(repr=False)
    root: Json = field(repr=False)
    artifact: bytes = ARTIFACT
    key: str = ""
    identity: str = IDENTITY

    @property
    def material(self) -> Json:
        """The bundle's verification material."""
        material: Json = self.bundle["verificationMaterial"]
        return material

    @property
    def entry(self) -> Json:
        """The bundle's log entry."""
        entry: Json = self.material["tlogEntries"][0]
        return entry

    def spoiled(self, spoil: Callable[[Case], object]) -> Case:
        """Return a copy of which something was changed."""
        copy = replace(self, bundle=json.loads(json.dumps(self.bundle)), root=json.loads(json.dumps(self.root)))
        return changed if isinstance(changed := spoil(copy), Case) else copy


def _case(bundle: Bundle, **whom: str) -> Case:
    return Case(json.loads(bundle.data), authority().trusted_root(log_instance(LOG.verifier)), **whom)


def by_key(*, envelope: bool = False, private: Any = None, log: Any = LOG) -> Case:
    """Return a case of a key."""
    private = private or signer()
    made = bundle_of(private, envelope_of(private) if envelope else message_of(private), log=log)
    case = _case(made, key=public(private).pem.decode())
    return replace(case, root=authority().trusted_root(log_instance(log.verifier)))


def by_certificate(*, envelope: bool = False, stamp: bool = True) -> Case:
    """Return a case of a certificate, with a timestamp of its validity if nothing else is said."""
    private = signer()
    certificate = authority().leaf(key=private, issuer_v1=ISSUER).der  # sigstore-python reads the older field
    content = envelope_of(private) if envelope else message_of(private)
    over = sha256(content.signed).digest() if isinstance(content, Envelope) else content.digest
    body = make_hashedrekord(over, content.signature, public(private), certificate).data
    stamps = (authority().timestamp(content.signature),) if stamp else ()
    return _case(Bundle(content, (certificate,), "", (logged(body),), stamps))


GOOD: dict[str, Callable[[], Case]] = {
    "key, file": by_key,
    "key, DSSE": lambda: by_key(envelope=True),
    "certificate, file": by_certificate,
    "certificate, DSSE": lambda: by_certificate(envelope=True),
}


# ---- what is tampered with, in every kind of bundle


def flip(text: str, at: int = 10) -> str:
    """Return base64 of the bytes with one bit changed."""
    data = bytearray(b64decode(text))
    data[at] ^= 1
    return b64encode(data).decode()


def _flip_signature(case: Case) -> None:
    if "dsseEnvelope" in case.bundle:
        (signature,) = case.bundle["dsseEnvelope"]["signatures"]
        signature["sig"] = flip(signature["sig"])
    else:
        case.bundle["messageSignature"]["signature"] = flip(case.bundle["messageSignature"]["signature"])


def _flip_artifact(case: Case) -> Case:
    if "dsseEnvelope" in case.bundle:  # clients in JavaScript look at no artifact then
        case.bundle["dsseEnvelope"]["payload"] = b64encode(
            b64decode(case.bundle["dsseEnvelope"]["payload"]).replace(b"slsa", b"SLSA")
        ).decode()
        return case
    return replace(case, artifact=case.artifact + b"x")


def _flip_hash(case: Case) -> None:
    hashes = case.entry["inclusionProof"]["hashes"]
    hashes[0] = flip(hashes[0])


def _flip_checkpoint(case: Case) -> None:
    checkpoint = case.entry["inclusionProof"]["checkpoint"]
    text, _, encoded = checkpoint["envelope"].rstrip("\n").rpartition(" ")
    checkpoint["envelope"] = f"{text} {flip(encoded, -1)}\n"


def _flip_body(case: Case) -> None:
    case.entry["canonicalizedBody"] = flip(case.entry["canonicalizedBody"], 200)


TAMPERED: dict[str, Callable[[Case], object]] = {
    "artifact or payload": _flip_artifact,
    "signature": _flip_signature,
    "body": _flip_body,
    "hash of the proof": _flip_hash,
    "signature of the checkpoint": _flip_checkpoint,
}


# ---- clients


def ours(case: Case, *, by_digest: bool = False) -> str:
    """Return what tiletree says."""
    from tiles.sigstore.public_key import parse_public_key

    demanded = parse_public_key(case.key.encode()) if case.key else demand(case.identity, ISSUER)
    artifact = {"SHA2_256": sha256(case.artifact).digest()} if by_digest else digests(case.artifact)
    try:
        bundle, root = (json.dumps(each).encode() for each in (case.bundle, case.root))
        verify_bundle(parse_bundle(bundle), artifact, parse_trusted_root(root), demanded, datetime.now(UTC))
    except TilesError as error:
        return f"{type(error).__name__}: {error.message}"
    return ""


def python(case: Case, *, by_digest: bool = False) -> str:
    """Return what sigstore-python says."""
    reason = "NOT TESTED against sigstore-python: it is not installed"
    verify = pytest.importorskip("sigstore.verify", reason=reason)
    models, errors = pytest.importorskip("sigstore.models"), pytest.importorskip("sigstore.errors")
    policy = verify.policy.Identity(identity=case.identity, issuer=ISSUER)
    try:
        bundle = models.Bundle.from_json(json.dumps(case.bundle))
        verifier = verify.Verifier(trusted_root=_python_root(case.root))
        if "dsseEnvelope" not in case.bundle:
            verifier.verify_artifact(_python_artifact(case.artifact, by_digest=by_digest), bundle, policy)
        else:
            _, payload = verifier.verify_dsse(bundle, policy)
            subjects = json.loads(payload)["subject"]  # which the caller has to look at
            if sha256(case.artifact).hexdigest() not in [subject["digest"]["sha256"] for subject in subjects]:
                return "another artifact"
    except (errors.Error, models.InvalidBundle) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _python_root(root: Json) -> Any:
    from sigstore.models import TrustedRoot
    from sigstore_models.trustroot import v1

    return TrustedRoot(v1.TrustedRoot.from_json(json.dumps(root)))


def _python_artifact(artifact: bytes, *, by_digest: bool) -> Any:
    if not by_digest:
        return artifact
    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=sha256(artifact).digest())


def javascript(cases: Iterable[Case]) -> list[str]:
    """Return what @sigstore/verify says of each."""
    program = node()
    if not (PACKAGES / "node_modules" / "@sigstore" / "verify").is_dir():
        pytest.skip("NOT TESTED against @sigstore/verify: it is not installed; `make` does that where there is npm")
    lines = [
        json.dumps(
            {
                "bundle": case.bundle,
                "root": case.root,
                "artifact": b64encode(case.artifact).decode(),
                "key": case.key,
                "identity": case.identity,
                "issuer": ISSUER,
            }
        )
        for case in cases
    ]
    command = [program, str(SCRIPT), str(PACKAGES)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=120)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(lines), done.stderr
    return found
