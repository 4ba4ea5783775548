"""Finding out whether a store keeps conditions on writes: some that look like S3 ignore them, and say nothing.

On such a store two writers would both believe that they were first. So a store is tried out, on objects below `probe/`,
before a log is begun in it and before a new version writes to it for the first time.
"""

from __future__ import annotations

from contextlib import suppress

from tiles.errors import AccessError, Conflict, Refused, TilesError
from tiles.store import Differs, Store, Version

PROBES = "probe/"

_HINT = "tiletree cannot write to such a store: two writers would both believe to be first"


def probe(store: Store, nonce: str) -> None:
    """Raise Refused if the store overwrites what it was asked to create, or swaps what has changed, or says it did.

    nonce   32 hex digits that no probe has had
    Raises AccessError if it does not answer; some of the probe's objects may stay then, which nothing reads.
    """
    create, swap = f"{PROBES}{nonce}", f"{PROBES}{nonce[::-1]}"
    try:
        _probe_create(store, create)
        _probe_swap(store, swap)
    except TilesError:
        with suppress(AccessError):  # the first error says more
            store.delete([create, swap])
        raise
    store.delete([create, swap])


def _probe_create(store: Store, path: str) -> None:
    store.create({path: b"first"})
    try:
        store.create({path: b"second"})
    except Differs as differs:
        found = differs.found
    else:
        if store.read(path).data == b"first":
            raise Refused(f"{store.url} says that it created an object that is there already", hint=_HINT)
        found = b"second"
    if found != b"first":
        raise Refused(
            f"{store.url} overwrote an object that it was asked to create only if it is not there", hint=_HINT
        )


def _probe_swap(store: Store, path: str) -> None:
    first = store.swap(path, b"first", None)
    try:
        second = store.swap(path, b"second", first)
    except Conflict:
        _check_version(store, path, first)
        raise Refused(f"{store.url} did not replace an object that had not changed", hint=_HINT) from None
    for stale, what in ((first, "that had changed since"), (None, "that was not to be there")):
        try:
            store.swap(path, b"third", stale)
        except Conflict:
            continue
        raise Refused(f"{store.url} replaced an object {what}: it ignores conditions on writes", hint=_HINT)
    _check_version(store, path, second)


def _check_version(store: Store, path: str, written: Version) -> None:
    if store.read(path).version != written:
        raise Refused(f"{store.url} gives an object one version when it is written, another when read", hint=_HINT)
