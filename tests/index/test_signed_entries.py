"""Entries that somebody signed, in a log that is too large to be looked through: found, and proven to be all."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.certificate_texts import MAIL, ONE, SPKI, WORKFLOW, certificate, der, names
from tests.support.entry_texts import rekor
from tests.support.readers import Objects
from tests.support.signed_text import LOG
from tests.support.web_indexed import with_index
from tests.support.web_logs import log_of
from tiles.entries.kind import Key
from tiles.index.key_text import key_from, spellings
from tiles.index.search import Query, index_for, search
from tiles.index.search_prover import make_search_proof
from tiles.index.search_verdict import verify_search_proof
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient

KINDS = ("key/1", "identity/1", "issuer/1")
BY_MAIL, BY_WORKFLOW = (
    rekor(verifier="x509Certificate", raw=one).encode() for one in (ONE, certificate(names(der(0x86, WORKFLOW))))
)
SPECIAL = {7: BY_MAIL, 4000: BY_WORKFLOW, 4001: rekor().encode(), 4100: BY_MAIL}
# kind and what is looked for → where it is: in the run, and in the tail
WHERE = {
    ("identity/1", MAIL.decode()): [4100, 7],
    ("identity/1", "@example.com"): [4100, 7],
    ("identity/1", "https://github.com/Org/"): [4000],
    ("identity/1", "https://github.com/org"): [],
    ("issuer/1", "https://token.actions.githubusercontent.com"): [4100, 7],
    ("key/1", sha256(SPKI).hexdigest()): [4100, 4000, 7],
    ("key/1", sha256(b"key").hexdigest()): [4001],
}


def test_found_and_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """By each kind of key, with a search proof of each; of two kinds, those that have both."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    objects = with_index(log_of([SPECIAL.get(index, b"%d" % index) for index in range(4200)]), *KINDS)
    client = LogClient(Objects(objects), policy_for(LOG.verifier))

    def found(*keys: Key) -> list[int]:
        result = search(client, Query([spellings(key) for key in keys]))
        assert (result.covered, result.unproven) == (4200, "")
        return [index for index, _ in result.hits]

    for (kind, text), indexes in WHERE.items():
        key = key_from(kind, text)
        assert found(key) == indexes, text
        proven = verify_search_proof(make_search_proof(client, key, index_for(client, [[key]], str)), client.policy)
        assert [index for index, _ in reversed(proven.hits)] == (found(key) if not text.endswith("/") else [])
    both = (key_from("key/1", sha256(SPKI).hexdigest()), key_from("identity/1", "https://github.com"))
    assert found(*both) == [4000]
