"""Searching a log: the entries that have some keys, newest first, and whether these are all; docs/index-format.md.

A small log is looked through. Of a larger one an index names candidates, each of which is read and verified, and the
entries that the index does not cover, the tail, are looked through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import chain, groupby, islice

from tiles.entries.key_kinds import keys_of_kind
from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, NAME
from tiles.errors import AccessError, NotFound, NotLogged, TileError, TilesError, TooLong, UsageError
from tiles.index.lookup import newest
from tiles.index.opened import Elsewhere, Index, open_index
from tiles.index.record import key_prefix
from tiles.index.run_reader import RunReader
from tiles.index.scan import Wanted, is_few, is_hit, scan, too_large
from tiles.index.search_verdict import check_candidate
from tiles.notes.index_head import MAX_COVERED
from tiles.parallel import in_background, in_parallel
from tiles.read.client import LogClient

MOST = 100  # hits at a time

_MANY = {NAME: 1, KEY: 2, IDENTITY: 3, ISSUER: 4}  # lead to ever more entries, and other kinds to few
_CHUNK = 64  # candidates whose entries are read together

Hit = tuple[int, bytes]
Candidates = Iterator[tuple[int, bytes]]  # index and prefix, newest first
Remark = Callable[[str], None]  # is called with what somebody should know of an index that is not believed


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    wanted     an entry is a hit if it has one key of each; not empty
    before     only entries before this one
    most       how many hits at a time, 1 ≤ most
    any_size   a log of any size is looked through, entry by entry, and no index is used
    elsewhere  where an index is that somebody else has built, to be used instead of the log's
    """

    wanted: Wanted
    before: int = MAX_COVERED
    most: int = MOST
    any_size: bool = False
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    hits       index and entry, verified, newest first
    more       how many older ones there are, at least
    covered    how many of the entries, from the first on, were looked at or are covered by the index
    unproven   why there may be other hits among them; "" if it is proven that there are none, but for those that are
               older than the ones returned if there is `more`
    damage     what of the index does not verify, if that is why
    """

    hits: tuple[Hit, ...]
    more: int
    covered: int
    unproven: str = ""
    damage: TileError | None = None

    def absent(self, what: str, where: str, size: int) -> TilesError:
        """Return what to raise where there are no hits.

        what, where   what was looked for, and in what; size: of the tree
        """
        if self.damage is not None:
            return self.damage
        why = self.unproven
        if not why and self.covered < size:
            why = f"the index covers {self.covered} of the {size} entries"
        if why:
            return AccessError(f"{what} was not found in {where}, and it is not proven that it is not there: {why}",
                               hint="--scan looks at all entries")  # fmt: skip
        return NotLogged(f"{what} is not among the {size} entries of {where}")


def search(
    client: LogClient,
    query: Query,
    remark: Remark = lambda _text: None,
    progress: Callable[[int], None] = lambda _count: None,
    index: Index | None = None,
) -> Found:
    """Return the entries that have what is wanted.

    progress   is called with the count of further entries that were looked at
    index      what `index_for` returned for it, if it was asked already
    Raises UsageError for a large log without an index of any of the kinds of keys; VerificationError if the index is
    wrong although the log has signed it, or contradicts the log; what `LogClient` raises.
    """
    if query.any_size or is_few(client.tree.size):
        last: deque[Hit] = deque(maxlen=query.most)
        count = 0
        for hit in scan(client, query.wanted, 0, query.before, any_size=True, progress=progress):
            last.append(hit)
            count += 1
        return Found(tuple(reversed(last)), count - len(last), client.tree.size)
    index = index or index_for(client, query.wanted, remark, query.elsewhere)
    looked = _Lookup(client, index, query, proven=True)
    covered, size = min(index.covered, client.tree.size), client.tree.size
    tail: list[Hit] = []
    if is_few(size - covered):
        tail = list(scan(client, query.wanted, covered, query.before, progress=progress))
        covered = size
    hits = tuple(islice(chain(reversed(tail), looked.hits()), query.most + 1))
    unproven, damage = index.doubt, None
    if looked.trouble is not None:
        unproven = unproven or f"a part of the index cannot be used: {looked.trouble}"
        damage = looked.trouble if isinstance(looked.trouble, TileError) else None
    return Found(hits[: query.most], max(0, len(hits) - query.most), covered, unproven, damage)


def first_hits(
    client: LogClient, wanted: Wanted, remark: Remark = lambda _text: None, index: Index | None = None
) -> Iterator[Hit]:
    """Yield hits, each verified, as soon as they are found: of a large log the largest runs are asked first.

    index   as for `search`
    Nothing follows from what is not yielded: `search` says whether there are others. Raises what `search` raises.
    """
    if is_few(client.tree.size):
        yield from scan(client, wanted)
        return
    index = index or index_for(client, wanted, remark)
    yield from _Lookup(client, index, Query(wanted), proven=False).hits()
    if is_few(client.tree.size - index.covered):
        yield from scan(client, wanted, min(index.covered, client.tree.size))


def index_for(client: LogClient, wanted: Wanted, remark: Remark, elsewhere: Elsewhere | None = None) -> Index:
    """Return the index of one of the kinds of keys, one that proves absence if there is one.

    elsewhere   where it is; None: in the log
    Raises UsageError if there is none.
    """
    if not wanted:
        raise UsageError("nothing is looked for: name a file, a digest or a name")
    doubtful: list[Index] = []
    kinds = sorted({keys[0].kind for keys in wanted}, key=lambda kind: (_MANY.get(kind, 0), kind != LEAF, kind))
    for kind in kinds:
        index = open_index(client, kind, remark, elsewhere)
        if index is not None and index.covered and not index.doubt:
            return index
        doubtful += [index] if index is not None else []
    if doubtful:
        return doubtful[0]
    where = "the log" if elsewhere is None else elsewhere.fetcher.url
    raise too_large(client.tree.size, f", as {where} has no index of {' or '.join(kinds)}")


class _Lookup:
    """Looking for hits in the runs of an index.

    proven    all runs are asked at once, and yield the newest first, so that nothing is left out; otherwise the
              largest are asked first, and nothing is shown of them
    trouble   what of the index could not be used
    """

    def __init__(self, client: LogClient, index: Index, query: Query, *, proven: bool) -> None:
        self.trouble: TileError | NotFound | TooLong | None = None
        self._client = client
        self._index = index
        self._query = query
        self._proven = proven
        self._size = client.tree.size
        keys = next(keys for keys in query.wanted if keys[0].kind == index.head.kind)
        self._prefixes = sorted({key_prefix(key) for key in keys})
        readers = [reader for reader in reversed(index.readers()) if reader.run.covers.start < query.before]
        self._waves = [list(some)[::-1] for _, some in groupby(readers[::-1], lambda reader: reader.run.level)]
        self._asked: Callable[[], Iterable[Candidates]] | None = None
        if proven and client.fetcher.parallel > 1:  # meanwhile the tail can be looked through
            self._asked = in_background(lambda: list(self._ask_all(readers))).result
        elif proven:
            self._waves = [readers]

    def hits(self) -> Iterator[Hit]:
        """Yield hits in the order in which the runs are asked, of one run newest first."""
        for wave in self._waves if self._asked is None else [[]]:
            for candidates in self._ask_all(wave) if self._asked is None else self._asked():
                while some := list(islice(candidates, _CHUNK)):
                    yield from self._verified(some)

    def _ask_all(self, readers: list[RunReader]) -> Iterator[Candidates]:
        return in_parallel(self._ask, readers, self._client.fetcher.parallel)

    def _ask(self, reader: RunReader) -> Candidates:
        """Return what a run names. What is needed for the first is read before it returns."""
        sources = [self._named(reader, prefix) for prefix in self._prefixes]
        firsts = [list(islice(source, 1)) for source in sources]
        return merge(*map(chain, firsts, sources), reverse=True)

    def _named(self, reader: RunReader, prefix: bytes) -> Candidates:
        try:
            for some in newest(reader, prefix, self._query.before, proven=self._proven):
                yield from ((index, prefix) for index in some if index < self._size)
        except (TileError, NotFound, TooLong) as error:
            self.trouble = self.trouble or error

    def _verified(self, candidates: list[tuple[int, bytes]]) -> Iterator[Hit]:
        """Yield those of some candidates that are hits."""
        named = dict(candidates)
        for index, entry in self._client.entries_at(list(named)):
            if self._proven and not self._index.doubt:
                evidence = {"index head": self._index.data, "checkpoint": self._client.accepted.signed.data}
                check_candidate(index, keys_of_kind(entry, self._index.head.kind), named[index], evidence)
            if is_hit(entry, self._query.wanted):
                yield index, entry
