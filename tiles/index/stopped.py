"""Which indexes of a log no run keeps any more, because its owner has given them up: a list in the private part.

A run that publishes neither begins these kinds of keys nor lets their index follow. `index build` of a kind takes it
off the list. The list is swapped as a whole; whoever dies before that has changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiles.errors import Conflict, Malformed, NotFound, UsageError
from tiles.notes.encoding import decode_text
from tiles.notes.index_head import check_kind
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.paths import STOPPED_INDEXES
from tiles.retry import Clock, among_writers
from tiles.store import Store, Version

_WHAT = "list of indexes that were given up"


def stopped_kinds(private: Store) -> frozenset[str]:
    """Return the kinds of keys whose index was given up. Raises Malformed, which no run of ours has written."""
    return _read(private)[0]


def change_stopped(
    private: Store, clock: Clock, *, stop: Iterable[str] = (), resume: Iterable[str] = ()
) -> frozenset[str]:
    """Give up the index of some kinds of keys, take up that of others again, and return which are given up now."""
    stop, resume = frozenset(stop), frozenset(resume)
    for _ in among_writers(clock):
        before, version = _read(private)
        after = (before | stop) - resume
        if after == before:
            return after
        try:
            private.swap(STOPPED_INDEXES, "".join(f"{kind}\n" for kind in sorted(after)).encode(), version)
        except Conflict:
            continue
        return after
    raise Conflict(f"{private.url}/{STOPPED_INDEXES} changes all the time")


def _read(private: Store) -> tuple[frozenset[str], Version | None]:
    try:
        stored = private.read(STOPPED_INDEXES, MAX_RECORD_SIZE)
    except NotFound:
        return frozenset(), None
    kinds = decode_text(stored.data, _WHAT).splitlines()
    try:
        for kind in kinds:
            check_kind(kind)
    except UsageError as error:
        raise Malformed(_WHAT, error.message, kind) from None
    return frozenset(kinds), stored.version
