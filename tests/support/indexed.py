"""Logs with indexes to read in tests: their public objects in a dict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256

from tests.support.ranges import Counting
from tests.support.signed_text import LOG
from tests.support.web_logs import log_of
from tiles.entries.file_digest import DigestEntry
from tiles.index.build import IndexBuilder
from tiles.notes.index_head import IndexHead, parse_index_head, sign_index_head
from tiles.notes.keys import SigningKey
from tiles.notes.note import parse_note
from tiles.notes.policy import Policy, policy_for
from tiles.read.client import LogClient
from tiles.records.paths import index_head_path
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import Hash, leaf_hashes

POLICY = policy_for(LOG.verifier)
KINDS = ("leaf/1", "sha256/1", "name/1")


def named(index: int, name: str = "") -> bytes:
    """Return the digest entry of a file of its own, with that name, or with one that four files have."""
    return DigestEntry(sha256(b"file %d" % index).hexdigest(), index, name or f"file-{index // 4}").data


def client_of(objects: Mapping[str, bytes], policy: Policy = POLICY, *, ranges: bool = True) -> LogClient:
    """Return what reads a log; its fetcher counts."""
    return LogClient(Counting(objects, ranges=ranges), policy)


class _Beginning:
    """The first entries of a log, for whoever builds an index of them."""

    def __init__(self, objects: Mapping[str, bytes], covered: int | None) -> None:
        self._client = client_of(objects)
        self._client.visit()
        self.tree = self._client.tree if covered is None else self._client.tree_at(covered)
        self.tree_at = self._client.tree_at
        self._entries = [entry for _, entry in self._client.entries(0, self.tree.size)]

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield entries with their indexes."""
        return iter(list(enumerate(self._entries))[start:stop])

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield leaf hashes."""
        yield leaf_hashes(self._entries[start:stop])


def with_index(
    objects: Mapping[str, bytes], *kinds: str, key: SigningKey = LOG, covered: int | None = None
) -> dict[str, bytes]:
    """Return the log with indexes of these kinds, of so many entries, or of all that can be covered."""
    store, log = MemoryStore(), _Beginning(objects, covered)
    for kind in kinds:
        IndexBuilder(store, log, lambda head: sign_index_head(head, key).data, key.verifier).build(LOG.name, kind)
    return {**objects, **{listed.path: store.read(listed.path).data for listed in store.list("")}}


@cache
def _numbers(size: int, covered: int) -> dict[str, bytes]:
    return with_index(log_of([entry_of(index) for index in range(size)]), *KINDS, covered=covered)


def numbers(size: int = 5000, covered: int = 4096) -> dict[str, bytes]:
    """Return a log of decimal numbers, every eighth a named file, and its indexes, which cover so many entries."""
    return dict(_numbers(size, covered))


def entry_of(index: int) -> bytes:
    """Return an entry of `numbers`."""
    return b"%d" % index if index % 8 else named(index)


def changed(
    objects: Mapping[str, bytes], kind: str, change: Callable[[IndexHead], IndexHead] = lambda head: head,
    by: Sequence[SigningKey] = (LOG,),
) -> dict[str, bytes]:  # fmt: skip
    """Return the log with another head of a kind, signed by these keys."""
    path = index_head_path(kind)
    head = change(parse_index_head(parse_note(objects[path]).text))
    notes = [sign_index_head(head, key) for key in by]
    signatures = tuple(signature for note in notes for signature in note.signatures)
    return {**objects, path: replace(notes[0], signatures=signatures).data}


def without(objects: Mapping[str, bytes], paths: Iterable[str]) -> dict[str, bytes]:
    """Return the log without some objects."""
    gone = set(paths)
    return {path: data for path, data in objects.items() if path not in gone}
