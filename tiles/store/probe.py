"""Finding out whether a store keeps its conditions: some that look like S3 ignore them, and say nothing.

On such a store two writers would both believe that they were first. So before a log is begun, and before a new version
writes to it for the first time, it is tried out on objects of its own, below `probe/`.
"""

from __future__ import annotations

from tiles.errors import Conflict, Refused
from tiles.store import Differs, Store

PROBES = "probe/"

_HINT = "tiletree cannot write to such a store: two writers would both believe to be first"


def probe(store: Store, nonce: str) -> None:
    """Raise Refused if the store overwrites what it was asked to create, or swaps what has changed.

    nonce   32 hex digits that no probe has had
    """
    create, swap = f"{PROBES}{nonce}", f"{PROBES}{nonce[::-1]}"
    try:
        _probe_create(store, create)
        _probe_swap(store, swap)
    finally:
        store.delete([create, swap])


def _probe_create(store: Store, path: str) -> None:
    store.create({path: b"first"})
    try:
        store.create({path: b"second"})
    except Differs as differs:
        if differs.found == b"first":
            return
    raise Refused(f"{store.url} overwrote an object that it was asked to create only if it is not there", hint=_HINT)


def _probe_swap(store: Store, path: str) -> None:
    first = store.swap(path, b"first", None)
    second = store.swap(path, b"second", first)
    for stale, what in ((first, "that had changed since"), (None, "that was not to be there")):
        try:
            store.swap(path, b"third", stale)
        except Conflict:
            continue
        raise Refused(f"{store.url} replaced an object {what}: it ignores conditions on writes", hint=_HINT)
    if store.read(path).version != second:
        raise Refused(f"{store.url} gives an object one version when it is written, another when read", hint=_HINT)
