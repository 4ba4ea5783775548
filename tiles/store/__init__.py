"""Storage behind one small Protocol: immutable objects, and a few compare-and-swap objects. A store knows no log.

    memory                        in this process
    directory                     in a directory; its helpers are directory_root, directory_creating, directory_listing,
                                  folders (no link is followed), keeping, temporary, posix (the system calls) and mounts
    drafts                        what is written next, prepared with what is written now
    bucket                        in S3, Google Cloud Storage or Azure; open_bucket opens one, bucket_clients has what
                                  sends the requests, bucket_errors says what its errors mean, object_lock protects
                                  objects, probe tries a store out
    address fsspec_address        every form of address, and what may be shown of it
    paths                         what a path of an object may be
    network                       which proxy to go through, and which certificates to trust
    past_caches                   asking once more: for what a cache may have kept, or at another address of the log
    ranges                        reading part of an object; bucket_ranges is how that is done in a bucket
    bounded_gzip                  gzip within a limit
    content_encoding              which encodings of an object are undone, and which are refused

What a store promises, and `tests/store/test_contract.py` holds every store to:

- `create` never changes an object that exists. The same content again is success; another content is `Differs`.
  Readers see an object whole or not at all. A created object may need `barrier` to last through a power cut.
- `swap` replaces an object if and only if it is still the version that was read; it lasts once it has returned, and so
  does whatever the same store object has created before.
- `read` and `list` see whatever was written before they were called, by anyone.
- `barrier` returns once everything that was readable before the call lasts through a power cut,
  whoever wrote it, and everything that was deleted stays deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NewType, Protocol, runtime_checkable

from tiles.errors import AccessError, LogError

Version = NewType("Version", str)  # opaque: only the store that made it compares it, for equality


@dataclass(frozen=True, slots=True)
class Object:
    """What `read` returns.

    modified   seconds since the epoch, by the store's own clock; 0.0 where it has none
    stamp      the version, if the store gives its objects one; otherwise the version is computed from the content. It
               may be that of an older content than `data`, where the store reads the two one after the other: then a
               swap is lost and nothing else, so what an object holds is compared by its content. It is never newer
    """

    data: bytes
    modified: float = 0.0
    stamp: Version | None = None

    @property
    def version(self) -> Version:
        """What to hand to `swap`."""
        return self.stamp if self.stamp is not None else content_version(self.data)


def content_version(data: bytes) -> Version:
    """Return the version of an object in a store whose versions are computed from the content."""
    return Version(sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Listed:
    """What `list` yields. size in bytes as stored, modified as in `Object`."""

    path: str
    size: int
    modified: float = 0.0


class Served(Protocol):
    """How to store one object in a store that serves readers by itself.

    headers   the headers of its answers to readers
    gzip      store the object gzip-encoded
    locked    keep the object from being deleted or replaced
    """

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the store's answers to readers."""
        ...

    @property
    def gzip(self) -> bool:
        """Whether the object is stored gzip-encoded."""
        ...

    @property
    def locked(self) -> bool:
        """Whether the object is kept from being deleted."""
        ...


Serve = Callable[[str], Served]  # from a path: a store does not know what its objects are


class Locks(Protocol):
    """What keeps objects from being deleted or replaced."""

    def lock(self, paths: Sequence[str]) -> None:
        """Lock objects that are there. Raises AccessError."""
        ...


@runtime_checkable
class Serves(Protocol):
    """A store that serves its objects to readers by itself, with the headers that it was told.

    address   its URL, with options
    """

    address: str

    def served(self, serve: Serve, locks: Locks | None = None) -> Store:
        """Return the same store, which stores objects as `serve` says; `locks` locks those it says are locked."""
        ...


class Differs(LogError):
    """An immutable object exists with another content: corruption, or a fork of the log.

    path   the object; ours and found are the two contents
    """

    def __init__(self, path: str, ours: bytes, found: bytes) -> None:
        super().__init__(f"{path} exists with another content ({len(found)} bytes, ours has {len(ours)})")
        self.path = path
        self.ours = ours
        self.found = found


class Unlistable(AccessError):
    """An object below the prefix has a name that no object of ours can have, and that stops the listing."""


@runtime_checkable
class Store(Protocol):
    """One place for objects. Paths are relative, use "/" and never ".."; contents are bytes.

    Every method raises AccessError when storage or network fails.
    """

    @property
    def url(self) -> str:
        """Where it is, as the user would write it; without credentials."""
        ...

    @property
    def parallel(self) -> int:
        """How many requests at a time are worth it; 1 where requests only wait for a disk."""
        ...

    @property
    def patience(self) -> float:
        """Seconds for which a run leaves it to another writer to publish what that one has committed."""
        ...

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return an object. Raises NotFound; TooLong if it is longer than `limit` bytes."""
        ...

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create all objects, in any order; one that is there with the same content counts as created.

        Raises Differs for one with another content; the others may or may not have been created then.
        """
        ...

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace an object that is still at version `expected` (None: that is not there), and return the new version.

        Raises Conflict if it is not: nothing was changed. Raises OutcomeUnknown if it may have been replaced or not.
        """
        ...

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield all objects below a prefix ("" or ending in "/"), in the order of their paths.

        Raises Unlistable where somebody's object has a name that stops it.
        """
        ...

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the folders that stand right below a prefix ("" or ending in "/")."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; one that is not there counts as deleted."""
        ...

    def barrier(self) -> None:
        """Return once everything readable before the call lasts through a power cut, and what was deleted is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of an object, as anyone may have written them.

    first   where in the object they begin, 0 ≤ first
    """

    first: int
    data: bytes

    @property
    def stop(self) -> int:
        """Where in the object they end."""
        return self.first + len(self.data)


@runtime_checkable
class RangedStore(Protocol):
    """A store that can read part of an object."""

    def read_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return bytes of an object, as `tiles.store.ranges.ReadsRanges.fetch_range` does."""
        ...


@runtime_checkable
class EachStore(Protocol):
    """A store that reads many objects, one after the other, at less cost than each by itself."""

    def read_each(self, wanted: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Yield objects, given by path and limit, in order; None for one of which `read` says what is wrong."""
        ...


@runtime_checkable
class ListsUnknown(Protocol):
    """A store that lists folders faster if it need not look at names that are known."""

    def list_unknown(self, prefix: str, known: Callable[[str], Collection[str]]) -> Iterator[Listed]:
        """List as `Store.list` does, but for some names. known: gives those in a folder, which ends with a "/"."""
        ...


class Fetcher(Protocol):
    """Where the public objects of one log are read. Threads may share it.

    url        where it is, as it may be shown: without credentials
    parallel   how many objects to fetch at a time
    """

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    @property
    def parallel(self) -> int:
        """How many objects to fetch at a time."""
        ...

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object. Raises NotFound; AccessError; TooLong if it is longer than `limit` bytes."""
        ...


class StoreFetcher:
    """Reads the public objects of a log in a store.

    parallel   1 where reading only waits for a disk: more threads would gain nothing there
    """

    def __init__(self, store: Store, parallel: int = 1) -> None:
        self.url = store.url
        self.parallel = parallel
        self._store = store

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object. Raises NotFound; AccessError; TooLong if it is longer than `limit` bytes."""
        return self._store.read(path, limit).data

    def fetch_each(self, wanted: Iterable[tuple[str, int]]) -> Iterator[bytes | None]:
        """Yield objects as `EachStore.read_each` does; only None from a store that cannot."""
        if isinstance(self._store, EachStore):
            return self._store.read_each(wanted)
        return (None for _ in wanted)

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole (`tiles.store.ranges.ReadsRanges`)."""
        if isinstance(self._store, RangedStore):
            return self._store.read_range(path, start, stop, size)
        return Part(0, self.fetch(path, size))
