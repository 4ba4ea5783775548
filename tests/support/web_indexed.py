"""Logs with an index that the verifier in JavaScript and the page are tested with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from tests.support.readers import Objects as Fetcher
from tests.support.signed_text import LOG, ORIGIN
from tests.support.web_logs import FILE, HELLO, POLICY, Objects, log_of
from tests.support.web_server import PAGE
from tiles.entries.file_digest import DigestEntry
from tiles.index.build import IndexBuilder
from tiles.notes.index_head import IndexHead, open_index_head, sign_index_head
from tiles.notes.keys import SigningKey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.store.memory import MemoryStore

SIZE = 20_700  # entries: a run of 16,384, one of 4096, and 220 that the index does not cover
# the same page, which looks through logs of up to 200 entries only
FEW = {"verifier/lookup.js": PAGE["verifier/lookup.js"].replace(b"SCAN_LIMIT = 16_384n", b"SCAN_LIMIT = 200n")}
NAME = "<b>résumé<b>\u202e.txt"
OTHER = hashlib.sha256(b"other").hexdigest()

# where in the log each of these stands, as a digest entry; all other entries are numbers
SPECIAL = {
    7000: HELLO,  # in the large run
    7001: DigestEntry(OTHER, 5, NAME).data,
    17_000: DigestEntry(OTHER, 5, "a.txt").data,  # in the small one
    20_600: DigestEntry(OTHER, 5, NAME).data,  # in the tail
}
WHERE = {"run": (hashlib.sha256(FILE).hexdigest(), [7000]), "everywhere": (OTHER, [20_600, 17_000, 7001])}


def with_index(objects: Objects, *kinds: str, key: SigningKey = LOG) -> Objects:
    """Return a log with indexes of these kinds, signed by a key."""
    store, client = MemoryStore(), LogClient(Fetcher(objects), policy_for(LOG.verifier))
    for kind in kinds:
        sign = lambda head: sign_index_head(head, key).data  # noqa: E731
        IndexBuilder(store, client, sign, key.verifier).build(ORIGIN, kind)
    return {**objects, **{listed.path: store.read(listed.path).data for listed in store.list("")}}


@cache
def indexed() -> Objects:
    """Return the log, with an index of two kinds."""
    entries = [SPECIAL.get(index, b"%d" % index) for index in range(SIZE)]
    return with_index({**log_of(entries), "policy.txt": POLICY}, "leaf/1", "sha256/1")


@cache
def before() -> Objects:
    """Return the log as it was before the index, with 10,000 entries."""
    return {**log_of([SPECIAL.get(index, b"%d" % index) for index in range(10_000)]), "policy.txt": POLICY}


TWINS = {1000: b"twin", 2000: b"twin", 3000: b"twin", 4000: b"twin", 4100: b"twin"}


@cache
def twins() -> Objects:
    """Return a log of 4200 entries of which five are equal, with an index of the first 4096."""
    special = {**TWINS, 100: SPECIAL[7001], 4150: SPECIAL[7001], 200: HELLO}
    entries = [special.get(index, b"%d" % index) for index in range(4200)]
    return with_index({**log_of(entries), "policy.txt": POLICY}, "sha256/1", "name/1")


def head_of(objects: Mapping[str, bytes], kind: str) -> IndexHead:
    """Return an index head of the log."""
    return open_index_head(objects[f"index/{kind}/head"], [LOG.verifier])
