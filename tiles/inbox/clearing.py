"""Taking out of the inbox what is decided, as far as that is possible.

Everyone who may create below `inbox/` can put there what cannot be deleted: in a directory, a file in a folder that is
not writable; in a bucket, an object under a hold. So no failure here stops a run. What was not seen gone is returned,
and the caller has to remember that it is decided.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from tiles.errors import AccessError, NotFound, Refused
from tiles.inbox.naming import folder, is_by_digest, listed_digest, name_digest
from tiles.records.paths import INBOX
from tiles.store import Listed, Store

MOST_LISTED = 1 << 17  # objects that are looked at in one listing
LONGEST = 60.0  # seconds that one listing takes, or the deletions of one submitter, before the rest is left out
TROUBLE = (AccessError, Refused, RecursionError)  # the last one is raised for folders nested too deeply

_HOPELESS = 16  # after so many deletions that failed, the others of this submitter are not tried


class TooMuch(AccessError):
    """A listing has more objects than are looked at, or takes longer than it may."""


def listed_within(store: Store, prefix: str, clock: Callable[[], float]) -> Iterator[Listed]:
    """List below a prefix, and raise TooMuch after MOST_LISTED objects or LONGEST seconds."""
    deadline = clock() + LONGEST
    for number, listed in enumerate(store.list(prefix)):
        if number == MOST_LISTED or clock() > deadline:
            raise TooMuch(f"{store.url}/{prefix}: more than {MOST_LISTED} objects, or {LONGEST:g} seconds of them")
        yield listed


def clear(private: Store, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> tuple[str, ...]:
    """Delete objects, and return the names of those whose deletion was not confirmed.

    names   as batches have them
    clock   seconds since any fixed moment
    What was deleted stays deleted after the next barrier.
    """
    paths, left = _where(private, names, clock)
    try:
        private.delete(paths.values())
    except TROUBLE:
        # which of them it was is not known, so each submitter's are tried by themselves
        for _, own in groupby(sorted(paths), key=lambda name: name.partition("/")[0]):
            left += _clear_one_by_one(private, {name: paths[name] for name in own}, clock)
    return tuple(left)


def gone(private: Store, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> list[str]:
    """Return those of the names, as batches have them, whose objects are seen not to be there."""
    paths, unknown = _where(private, names, clock)
    there = {*unknown, *(name for name, path in paths.items() if not _is_absent(private, path))}
    return [name for name in names if name not in there]


def _clear_one_by_one(private: Store, paths: dict[str, str], clock: Callable[[], float]) -> list[str]:
    """Delete a submitter's objects: all at once, then by halves."""
    left: list[str] = []
    failures, deadline = 0, clock() + LONGEST
    waiting = [list(paths)]
    while waiting:
        part = waiting.pop()
        if failures >= _HOPELESS or clock() > deadline:
            left += part
            continue
        try:
            private.delete([paths[name] for name in part])
        except TROUBLE:
            if len(part) == 1:
                left += part
                failures += 1
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
    return left


def _where(private: Store, names: Iterable[str], clock: Callable[[], float]) -> tuple[dict[str, str], list[str]]:
    """Return the paths of objects, by name, and the names for which that cannot be said.

    An object that a batch names by a digest is looked for; if it is not there, it is in neither of them.
    """
    paths: dict[str, str] = {}
    by_digest: dict[str, dict[str, str]] = {}  # folder → digest → name
    for name in names:
        if is_by_digest(name):
            by_digest.setdefault(folder(name), {})[name_digest(name)] = name
        else:
            paths[name] = INBOX + name
    unknown: list[str] = []
    for prefix, wanted in by_digest.items():
        try:
            for listed in listed_within(private, prefix, clock):
                digest = listed_digest(listed.path[len(INBOX) :])
                if digest in wanted:
                    paths[wanted[digest]] = listed.path
        except TROUBLE:
            unknown += [name for name in wanted.values() if name not in paths]
    return paths, unknown


def _is_absent(private: Store, path: str) -> bool:
    try:
        private.read(path, 0)
    except NotFound:
        return True
    except TROUBLE:
        pass
    return False
