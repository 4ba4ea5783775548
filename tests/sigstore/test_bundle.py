"""Bundles: read and written; which are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.signed_bundles import bundle_of, envelope_of, signer
from tiles.errors import Malformed
from tiles.sigstore.bundle import MEDIA_TYPES, parse_bundle

GOOD = bundle_of()
CERTIFIED = replace(GOOD, certificates=(b"der",), hint="", timestamps=(b"one", b"two"))


@pytest.mark.parametrize(
    "bundle",
    [
        GOOD,
        CERTIFIED,
        bundle_of(content=envelope_of(signer())),
        replace(GOOD, entries=()),
        replace(GOOD, hint=""),
        replace(GOOD, entries=tuple(replace(each, promise=b"set", integrated_time=7) for each in GOOD.entries)),
    ],
    ids=["key", "certificate", "envelope", "no entry", "no hint", "promise"],
)
def test_round_trip(bundle: Any) -> None:
    """What is written is read as the same."""
    assert parse_bundle(bundle.data) == bundle


def test_bundles_of_others(shared_vectors: Path) -> None:
    """Real bundles, of each version, are written again in version 0.3 with the same content."""
    versions = set()
    for path in (shared_vectors / "sigstore-bundles").glob("*/bundle.sigstore.json"):
        if path.parent.name == "rekor2-no-inclusion-proof_fail":
            continue
        bundle = parse_bundle(path.read_bytes())
        versions.add(bundle.version)
        again = parse_bundle(bundle.data)
        assert again == replace(bundle, version="0.3", certificates=bundle.certificates[:1])
        if bundle.version == "0.3":
            ours, theirs = json.loads(again.data), json.loads(path.read_bytes())
            for entry in theirs["verificationMaterial"]["tlogEntries"]:
                entry.setdefault("integratedTime", "0")
            theirs["mediaType"] = ours["mediaType"]
            assert ours == theirs
    assert versions == {"0.1", "0.3"}


def material(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Return a change of a bundle's verification material."""
    return lambda whole: change(whole["verificationMaterial"])


def entry(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Return a change of a bundle's log entry."""
    return material(lambda made: change(made["tlogEntries"][0]))


CHAIN = {"certificates": [{"rawBytes": "AAAA"}]}
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another version": (
        lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle.v0.4+json"),
        "version 0.1 or",
    ),
    "an unknown field": (lambda b: b.update(extra=None), "unknown field: 'extra'"),
    "an unknown field of an entry": (entry(lambda e: e.update(more=1)), r"tlogEntries\[0\]\.more"),
    "nothing signed": (lambda b: b.pop("messageSignature"), "not exactly one of messageSignature"),
    "two signed": (lambda b: b.update(dsseEnvelope={}), "not exactly one of messageSignature"),
    "no signer": (material(lambda m: m.pop("publicKey")), "not exactly one of certificate"),
    "two signers": (material(lambda m: m.update(certificate={"rawBytes": "AAAA"})), "not exactly one of certificate"),
    "a chain": (material(lambda m: m.update(x509CertificateChain=m.pop("publicKey") and CHAIN)), "0.3 do not have"),
    "no proof": (entry(lambda e: e.pop("inclusionProof")), "an entry without inclusionProof"),
    "no body": (entry(lambda e: e.pop("canonicalizedBody")), r"no .*canonicalizedBody"),
    "no root": (entry(lambda e: e["inclusionProof"].pop("rootHash")), r"no .*rootHash"),
    "a short root": (entry(lambda e: e["inclusionProof"].update(rootHash="AAAA")), "a rootHash of 3 bytes"),
    "no tree size": (entry(lambda e: e["inclusionProof"].pop("treeSize")), r"no .*treeSize"),
    "no checkpoint": (entry(lambda e: e["inclusionProof"].pop("checkpoint")), r"no .*checkpoint"),
    "too many hashes": (entry(lambda e: e["inclusionProof"].update(hashes=[""] * 64)), "at most 63 strings"),
    "an index with a sign": (entry(lambda e: e.update(logIndex="+1")), "not a decimal number"),
    "a digest that is cut": (
        lambda b: b["messageSignature"]["messageDigest"].update(digest="AAAA"),
        "not the size of its algorithm",
    ),
    "no signature": (lambda b: b["messageSignature"].update(signature=""), "an empty signature"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(change: Callable[[dict[str, Any]], Any], problem: str) -> None:
    """Malformed, which says what is wrong, and where."""
    whole = json.loads(GOOD.data)
    change(whole)
    with pytest.raises(Malformed, match=problem):
        parse_bundle(json.dumps(whole).encode())


def test_older_versions() -> None:
    """A chain is read in older versions, and an entry without a proof in the first; 0 may be left out."""
    whole = json.loads(GOOD.data)
    whole["verificationMaterial"]["x509CertificateChain"] = whole["verificationMaterial"].pop("publicKey") and CHAIN
    one = whole["verificationMaterial"]["tlogEntries"][0]
    del one["inclusionProof"], one["logIndex"], one["integratedTime"]
    versions = {version: name for name, version in MEDIA_TYPES.items()}
    found = parse_bundle(json.dumps({**whole, "mediaType": versions["0.1"]}).encode())
    assert (found.certificates, found.entries[0].proof, found.entries[0].index) == ((b"\0\0\0",), None, 0)
    with pytest.raises(Malformed, match="without inclusionProof"):
        parse_bundle(json.dumps({**whole, "mediaType": versions["0.2"]}).encode())
