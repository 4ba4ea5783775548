"""Making a search proof: what shows which entries of a log have a key, read from the log and its index."""

from __future__ import annotations

from functools import partial
from itertools import chain

from tiles.entries.kind import LEAF, Key
from tiles.index.lookup import Shown, show
from tiles.index.opened import Index
from tiles.index.record import PREFIX_SIZE, index_in, key_prefix
from tiles.index.run import records_in
from tiles.index.run_reader import RunReader
from tiles.index.search_proof import Candidate, SearchProof
from tiles.parallel import in_parallel
from tiles.read.client import LogClient

MAX_PAGES = 4096  # of one run: a million entries with one key


def make_search_proof(client: LogClient, key: Key, index: Index | None) -> SearchProof:
    """Return a search proof, not verified: `verify_search_proof` says what it shows, also if the index is wrong.

    index   of the key's kind, which proves absence; None, or one that covers nothing: all entries are in the proof
    Raises UsageError for more than MAX_PAGES pages of one run, or more than a proof can hold.
    """
    covered = index.covered if index else 0
    prefix = key_prefix(key)
    readers = [reader for reader in index.readers() if reader.run.records] if index else []
    shown = tuple(in_parallel(partial(_show, prefix), readers, client.fetcher.parallel))
    named = [index_in(record) for record in _records(shown) if record[:PREFIX_SIZE] == prefix]
    entries = dict(client.entries_at(named))
    size = client.tree.size
    if key.kind == LEAF:
        tail = tuple(bytes(leaf) for some in client.leaves(covered, size) for leaf in some)
    else:
        tail = tuple(entry for _, entry in client.entries(covered, size))
    return SearchProof(
        key,
        index.data if index and covered else b"",
        shown,
        tuple(client.subtrees_at(covered)) if covered else (),
        tail,
        tuple(Candidate(one, entries[one], client.prove(one).hashes) for one in named),
        client.accepted.signed,
    )


def _show(prefix: bytes, reader: RunReader) -> Shown:
    return show(reader, prefix, MAX_PAGES)


def _records(shown: tuple[Shown, ...]) -> list[bytes]:
    return list(chain.from_iterable(records_in(page) for one in shown for page, _ in one.pages))
