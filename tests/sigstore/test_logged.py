"""Whether an entry is in a trusted log. What is spoiled in a bundle is in tests/sigstore/test_verdict.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.rekor_bundles import REKOR, entry_of, log_key, root_of
from tests.support.signed_bundles import bundle_of, public, signer, trusted_root
from tests.support.signed_text import LOG, MLDSA44, W1, key
from tiles.errors import PolicyError, ProofError, SignatureError, UsageError
from tiles.notes.keys import ecdsa_key
from tiles.notes.policy import policy_for, policy_of
from tiles.sigstore.logged import log_key as key_in
from tiles.sigstore.logged import log_spki, verify_entry
from tiles.sigstore.trusted_root import parse_trusted_root

ENTRY = bundle_of().entries[0]


def test_keys_of_logs() -> None:
    """A log's key as trusted roots have it, and back; keys that sign no notes are in none."""
    for verifier in (LOG.verifier, ecdsa_key("log.example.com", public(signer()).spki)):
        root = parse_trusted_root(trusted_root(verifier))
        assert key_in(root.logs[0]) == verifier
        assert log_spki(verifier) == (root.logs[0].key, root.logs[0].key_details)
    for other in (W1, key("log.example.com", 3, MLDSA44)):
        with pytest.raises(UsageError, match="signs no notes"):
            log_spki(other.verifier)


def test_ids_of_real_logs(shared_vectors: Path) -> None:
    """The ids of all logs in trusted roots of Sigstore are those of their keys."""
    seen = set()
    for path in (shared_vectors / "sigstore-bundles").glob("*/trusted_root.json"):
        for log in parse_trusted_root(path.read_bytes()).logs:
            assert key_in(log).log_id == log.log_id
            seen.add(log.host)
    assert len(seen) >= 3


def test_policies() -> None:
    """Under a policy, the entry names the key that the policy accepted."""
    assert verify_entry(ENTRY, policy_for(LOG.verifier)).trusted == ()
    new = key(LOG.name, 9)
    assert verify_entry(bundle_of(log=new).entries[0], policy_of([LOG.verifier, new.verifier])).log == new.verifier
    with pytest.raises(PolicyError, match="the entry is said to be of the log 0000"):
        verify_entry(replace(ENTRY, log_id=bytes(32)), policy_for(LOG.verifier))
    with pytest.raises(ProofError, match="has no inclusion proof"):
        verify_entry(replace(ENTRY, proof=None), policy_for(LOG.verifier))


@pytest.mark.parametrize("name", ["happy-path-v0.3", "managed-key-happy-path"])
def test_rekor_v1(name: str, shared_vectors: Path) -> None:
    """Its origin is its name and a tree's number; its index counts over all trees, which only a promise says."""
    folder = shared_vectors / "sigstore-bundles" / name
    entry = entry_of(folder)
    logged = verify_entry(entry, root_of(folder))
    assert entry.proof
    assert entry.index != entry.proof.index
    assert logged.signed.origin.startswith("rekor.sigstore.dev - ")
    assert logged.log == log_key(folder, entry) == REKOR
    assert logged.integrated
    with pytest.raises(ProofError, match="said to be number"):
        verify_entry(replace(entry, promise=b"", integrated_time=0), root_of(folder))
    for change in ({"index": entry.index + 1}, {"integrated_time": entry.integrated_time + 1}):
        with pytest.raises(SignatureError, match="the signed entry timestamp does not hold"):
            verify_entry(replace(entry, **change), root_of(folder))
