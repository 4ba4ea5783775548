"""Finding out whether a store keeps conditions on writes: some that look like S3 do not, and say nothing.

On such a store two writers would both believe that they were first. So a store is tried out, on objects below `probe/`,
before a log is begun in it and before a new version writes to it for the first time:

- One write after the other finds a store that ignores conditions.
- Races find one that looks whether a condition holds, and writes a little later. Several connections create one object
  at once, and later swap it at once; on such a store more than one of them succeeds now and then.

An answer that says nothing (none at all, 429, 503) makes its write neither a winner nor a loser of a race.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from threading import Barrier

from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, Refused, TilesError
from tiles.parallel import all_done, in_parallel
from tiles.retry import Clock, Pauses, attempts
from tiles.store import Differs, Object, Store, Version

PROBES = "probe/"
RACERS = 12  # connections that write one object at once
ROUNDS = 8  # objects that they race for, first to create each of them, then to swap it

_CHANGED = "that had changed since"
_HINT = "tiletree cannot write to such a store: two writers would both believe to be first"
_BUSY = Pauses(4, 1.0, 2.0, spread=(1.0, 1.0))  # Google Cloud Storage takes one write of an object each second
_AGAIN = Pauses(2, 1.0, 1.0, spread=(1.0, 1.0))  # of rounds that nobody won


def probe(store: Store, nonce: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Raise Refused if the store overwrites what it was asked to create, or swaps what has changed, or says it did.

    nonce   32 hex digits that no probe has had
    sleep   waits for that many seconds

    Its objects are deleted if that is allowed. Otherwise, or if it dies, there stay up to ROUNDS + 3 objects of less
    than 16 bytes, which nothing reads. Raises AccessError if the store does not answer, or is too busy.
    """
    create, swap, absent, *raced = paths = list(_paths(nonce))
    clock = Clock(sleep=sleep)
    try:
        _probe_create(store, create)
        _probe_swap(store, swap, absent, clock)
        created = _race_all(store, dict.fromkeys(raced), clock)
        _race_all(store, created, clock)
    except TilesError:
        _tidy(store, paths)  # the first error says more
        raise
    _tidy(store, paths)


def _paths(nonce: str) -> Iterator[str]:
    for number in range(ROUNDS + 3):
        yield f"{PROBES}{sha256(f'{nonce} {number}'.encode()).hexdigest()[:32]}"


def _tidy(store: Store, paths: Sequence[str]) -> None:
    with suppress(AccessError):
        store.delete(paths)


def _look(store: Store, path: str) -> Object | None:
    """Return an object, None if it is not there."""
    try:
        return store.read(path)
    except NotFound:
        return None


# ---- one write after the other


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
        raise _overwrote(store)


def _probe_swap(store: Store, path: str, absent: str, clock: Clock) -> None:
    first = _swap(store, path, b"first", None, clock)
    try:
        second = _swap(store, path, b"second", first, clock)
    except Conflict:
        _check_version(store, store.read(path), first)
        raise Refused(f"{store.url} did not replace an object that had not changed", hint=_HINT) from None
    for where, stale, what in (
        (path, first, _CHANGED),
        (path, None, "that was not to be there"),
        (absent, second, "that is not there"),
    ):
        try:
            _swap(store, where, b"third", stale, clock)
        except Conflict:
            continue
        raise _replaced(store, what)
    _check_version(store, store.read(path), second)


def _swap(store: Store, path: str, data: bytes, expected: Version | None, clock: Clock) -> Version:
    """Swap as `Store.swap` does. Where it does not say what came of it, look, and swap again if it did not happen."""
    unknown: OutcomeUnknown | None = None
    for _ in attempts(clock, _BUSY):
        try:
            return store.swap(path, data, expected)
        except OutcomeUnknown as error:
            unknown = error
        except Conflict:
            if unknown is None:
                raise
        found = _look(store, path)
        if found is not None and found.data == data:
            return found.version
        if (found and found.version) != expected:
            raise Conflict(f"{store.url}/{path}: changed since it was read")
    raise unknown or AssertionError(path)


def _check_version(store: Store, found: Object, written: Version) -> None:
    if found.version != written:
        raise Refused(f"{store.url} gives an object one version when it is written, another when read", hint=_HINT)


def _overwrote(store: Store) -> Refused:
    return Refused(f"{store.url} overwrote an object that it was asked to create only if it is not there", hint=_HINT)


def _replaced(store: Store, what: str) -> Refused:
    return Refused(f"{store.url} replaced an object {what}: it ignores conditions on writes", hint=_HINT)


# ---- races


def _race_all(store: Store, expected: Mapping[str, Version | None], clock: Clock) -> dict[str, Version | None]:
    """Race for each of these objects, which has that version or is not there (None), and return their new versions.

    Objects that are not there afterwards are left out. Rounds that nobody won are held once more, after a pause.
    """
    won: dict[str, Object] = {}
    for _ in attempts(clock, _AGAIN):
        for path in [path for path in expected if path not in won]:
            if (winner := _race(store, path, expected[path])) is not None:
                won[path] = winner
        if len(won) == len(expected):
            break
    if not won:
        raise AccessError(
            f"{store.url} did none of {RACERS} writes at once, in no round of {len(expected)}",
            hint="it is too busy to be tried out: try again later",
        )
    versions: dict[str, Version | None] = {}
    for path, found in zip(expected, in_parallel(partial(_look, store), expected, RACERS), strict=True):
        if (winner := won.get(path)) is not None:
            _check_winner(store, winner, found, is_new=expected[path] is None)
        if found is not None:
            versions[path] = found.version
    return versions


def _race(store: Store, path: str, expected: Version | None) -> Object | None:
    """Let all racers write one object at once, and return what the winner wrote; None if none is known to have won."""
    done = "created" if expected is None else "replaced"
    start = Barrier(RACERS)

    def write(number: int) -> Object | OutcomeUnknown | None:
        data = f"{done} by {number}".encode()  # all differ, because a version may be one of the content
        start.wait()
        try:
            return Object(data, stamp=store.swap(path, data, expected))
        except OutcomeUnknown as unknown:
            return unknown
        except Conflict:
            return None

    outcomes = all_done(write, range(RACERS), RACERS)
    winners = [outcome for outcome in outcomes if isinstance(outcome, Object)]
    if len(winners) > 1:
        raise Refused(
            f"{store.url} told {len(winners)} of {RACERS} writers at once that they had {done} the same object: "
            "it looks whether a condition holds, and writes later",
            hint=_HINT,
        )
    if all(isinstance(outcome, OutcomeUnknown) for outcome in outcomes):
        _look(store, path)  # if nothing answers any more, this raises AccessError, and no further round waits in vain
    return winners[0] if winners else None


def _check_winner(store: Store, winner: Object, found: Object | None, *, is_new: bool) -> None:
    """Raise Refused unless an object is what the only known winner wrote: a write without an answer may be there."""
    if found is None:
        raise Refused(f"{store.url} does not show an object that it says it wrote", hint=_HINT)
    if found.data != winner.data:
        raise _overwrote(store) if is_new else _replaced(store, _CHANGED)
    _check_version(store, found, winner.version)
