"""A store in S3, Google Cloud Storage or Azure Blob Storage, or whatever speaks like one of them, through obstore.

Creating is `If-None-Match: *`, swapping is `If-Match` or the generation: the store itself decides who was first. What
an answer means is decided here, once for all kinds of store:

- A store may say "it is there already" of our own write whose answer was lost, or of a write that collided with another
  and did not happen (S3's 409). So the object is read back: it is ours, somebody else's, or not there.
- A swap is sent once, so "it has changed" means that somebody else changed it. A swap without an answer may have
  happened, or may still happen: OutcomeUnknown.
- Contents are compared decoded: the same bundle may be stored with different gzip bytes.

A write that was answered lasts, and everyone sees it: `barrier` has nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import obstore
from obstore import exceptions as answers

from tiles.errors import AccessError, Conflict, Denied, NotFound, OutcomeUnknown, TooLong
from tiles.parallel import BUCKET_REQUESTS, all_done
from tiles.retry import Clock, Pauses, attempts
from tiles.store import Differs, Listed, Locks, Object, Part, Serve, Version
from tiles.store.address import shown_object_url
from tiles.store.bounded_gzip import encode
from tiles.store.bucket_clients import Clients
from tiles.store.bucket_errors import DENIED, is_nowhere, status, trouble
from tiles.store.bucket_ranges import part_of
from tiles.store.content_encoding import decode_what_is, on_wire_after, times_encoded
from tiles.store.paths import check_path, check_prefix, is_path

COLLISIONS = 8  # tries of a write, as long as the store answers that it collided with another and did not happen
GZIP_LEVEL = 6
_COLLIDED = Pauses(COLLISIONS, 0.1, 10.0)
_PAGE = 1000  # objects of one request, to list or to delete
_UNLIMITED = 1 << 40  # bytes

_THERE = (answers.AlreadyExistsError, answers.PreconditionError, FileNotFoundError)


@dataclass(frozen=True, slots=True)
class Plain:
    """How objects are stored that are not for readers: no cache may keep a copy of them."""

    headers: Mapping[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
    )
    gzip: bool = False
    locked: bool = False


_PLAIN = Plain()


class ObjectStore:
    """Objects below a prefix of one bucket. Any number of threads and processes, anywhere, may use it.

    address   its URL, with options; `url` is what is shown of it
    clients   obstore's stores, which send the requests
    sleep     waits for that many seconds
    serving   how objects are stored, and what locks them (`served`)
    """

    parallel = BUCKET_REQUESTS
    patience = 3.0  # seconds; a writer that was not stopped has published by then

    def __init__(
        self,
        address: str,
        clients: Clients,
        sleep: Callable[[float], None] = time.sleep,
        serving: tuple[Serve, Locks | None] = (lambda _path: _PLAIN, None),
    ) -> None:
        self.address = address
        self.url = shown_object_url(address)
        self._clients = clients
        self._client = clients.patient
        self._once = clients.once
        self._stamped_by = clients.stamped_by
        self._pace = clients.pace
        self._clock = Clock(sleep=sleep)
        self._serve, self._locks = serving

    def served(self, serve: Serve, locks: Locks | None = None) -> ObjectStore:
        """Return the same store, which stores objects as `serve` says; `locks` locks those it says are locked."""
        return ObjectStore(self.address, self._clients, self._clock.sleep, (serve, locks))

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return an object, decoded. Raises NotFound; TooLong."""
        return self._read(check_path(path), limit)

    def read_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object, or the whole, decoded (RangedStore)."""
        part = part_of(self._client, self.url, check_path(path), (start, stop), size)
        return Part(0, self._read(path, size).data) if part is None else part

    def _read(self, path: str, limit: int | None) -> Object:
        most = _UNLIMITED if limit is None else limit
        data = None
        try:
            with self._pace.seen(write=False):
                got = obstore.get(self._client, path)
            said = got.attributes.get("Content-Encoding", "") if self._clients.decodes else ""
            times = times_encoded(said, f"{self.url}/{path}")
            if got.meta["size"] <= max(on_wire_after(times, most), on_wire_after(1, most)):
                data = decode_what_is(bytes(got.bytes()), times, most)
        except FileNotFoundError as error:
            if is_nowhere(error):
                raise trouble(self.url, "read", path, error) from None
            raise NotFound(f"{self.url}/{path}: not found") from None
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise trouble(self.url, "read", path, error) from None
        if data is None or len(data) > most:
            raise TooLong(f"{self.url}/{path}: longer than {limit} bytes")
        return Object(data, got.meta["last_modified"].timestamp(), self._stamp(path, got.meta))

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create all objects, many at a time (`Pace`); one that is there with the same content counts as created.

        Raises Differs; AccessError, after which no further object is begun. Some of the others may be there then.
        """
        for path in objects:
            check_path(path)
        failures: list[AccessError] = []

        def create(item: tuple[str, bytes]) -> Differs | None:
            try:
                if not failures:
                    self._create(*item)
            except Differs as differs:
                return differs
            except AccessError as error:
                failures.append(error)
            return None

        outcomes = all_done(create, objects.items(), self._pace.most)
        for error in (*filter(None, outcomes), *failures):
            raise error
        if self._locks is not None:
            self._locks.lock([path for path in objects if self._serve(path).locked])

    def _create(self, path: str, data: bytes) -> None:
        served = self._serve(path)
        attributes = dict(served.headers)
        body = encode(data, GZIP_LEVEL) if served.gzip else data
        if served.gzip:
            attributes["Content-Encoding"] = "gzip"
        for _ in attempts(self._clock, _COLLIDED):
            try:
                obstore.put(self._client, path, body, mode="create", attributes=attributes, use_multipart=False)
            except (answers.AlreadyExistsError, *DENIED) as error:
                if (found := self._in_the_way(path, len(data), error)) is None:
                    continue  # nothing is there: it collided
                if found != data:
                    raise Differs(path, data, found) from None
            except Exception as error:  # noqa: BLE001  its text may be secret
                raise trouble(self.url, "create", path, error) from None
            return
        raise AccessError(f"{self.url}/{path}: {COLLISIONS} times the store said that it is there, and it is not")

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace an object that is still at version `expected`, and return the new version.

        Raises Conflict; OutcomeUnknown if there is no answer, or none that says whether it happened.
        """
        attributes = dict(self._serve(check_path(path)).headers)
        mode: Any = "create" if expected is None else {self._stamped_by: expected}
        for _ in attempts(self._clock, _COLLIDED):
            try:
                with self._pace.seen(write=True):
                    made = obstore.put(self._once, path, data, mode=mode, attributes=attributes, use_multipart=False)
            except _THERE as error:
                if is_nowhere(error):
                    raise trouble(self.url, "replace", path, error) from None
            except DENIED as error:
                raise trouble(self.url, "replace", path, error) from None
            except Exception as error:  # noqa: BLE001  its text may be secret
                if status(error) != "409":  # S3 answers 409 to one of two writes at once, which did not happen
                    raise OutcomeUnknown(trouble(self.url, "replace", path, error).message) from None
            else:
                return self._stamp(path, made)
            if self._version(path) != expected:
                raise Conflict(f"{self.url}/{path}: changed since it was read")
        raise Conflict(f"{self.url}/{path}: {COLLISIONS} writes collided with those of others")

    def _version(self, path: str) -> Version | None:
        """Return the version of an object, None if it is not there, after an answer that the version has changed."""
        try:
            return self._stamp(path, obstore.head(self._client, path))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise Conflict(f"{trouble(self.url, 'read', path, error).message}, and it had changed") from None

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield all objects below a prefix in the order of their paths.

        Raises Unlistable at an object whose name stops the listing: one with an empty element, say.
        """
        return self._list(check_prefix(prefix))

    def _list(self, prefix: str) -> Iterator[Listed]:
        try:
            for page in obstore.list(self._client, prefix[:-1] or None, chunk_size=_PAGE):
                for found in page:
                    path = found["path"]
                    # a name that ends in "/", as consoles give to what they show as a folder, is listed without it
                    if path.startswith(prefix) and is_path(path):
                        yield Listed(path, found["size"], found["last_modified"].timestamp())
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise trouble(self.url, "list", prefix, error) from None

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the folders that stand right below a prefix."""
        below = check_prefix(prefix)[:-1] or None
        try:
            found = obstore.list_with_delimiter(self._client, below)
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise trouble(self.url, "list", prefix, error) from None
        return sorted(path[len(prefix) :] for path in found["common_prefixes"])

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; one that is not there counts as deleted."""
        waiting = iter([check_path(path) for path in paths])
        while page := list(islice(waiting, _PAGE)):
            try:
                obstore.delete(self._client, page)
            except FileNotFoundError:  # some stores raise it for a missing object, and delete no further
                all_done(self._delete, page, BUCKET_REQUESTS)
            except Exception as error:  # noqa: BLE001  its text may be secret
                raise trouble(self.url, "delete", page[0], error) from None

    def _delete(self, path: str) -> None:
        try:
            obstore.delete(self._client, [path])
        except FileNotFoundError:
            return
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise trouble(self.url, "delete", path, error) from None

    def barrier(self) -> None:
        """Return at once: a write that was answered lasts."""

    def _in_the_way(self, path: str, length: int, error: Exception) -> bytes | None:
        """Return what an object holds that was not created, None if there is none."""
        if not isinstance(error, DENIED):
            return self._content(path, length)
        # to whoever may not delete, Google Cloud Storage may deny what is there already
        with suppress(AccessError):
            if (found := self._content(path, length)) is not None:
                return found
        raise trouble(self.url, "create", path, error) from None

    def _content(self, path: str, length: int) -> bytes | None:
        """Return what an object holds, None if there is none; of one much longer than `length`, its beginning."""
        try:
            return self._read(path, 2 * length + (1 << 16)).data
        except NotFound:
            return None
        except Denied as error:
            raise AccessError(f"{error.message}, and it is there already", hint=error.hint) from error
        except TooLong:
            return self._beginning(path, length + 1)

    def _beginning(self, path: str, length: int) -> bytes | None:
        try:
            return bytes(obstore.get_range(self._client, path, start=0, end=length))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001  its text may be secret
            raise trouble(self.url, "read", path, error) from None

    def _stamp(self, path: str, meta: Mapping[str, Any]) -> Version:
        stamp = meta[self._stamped_by]
        if not stamp:
            raise AccessError(
                f"{self.url}/{path}: the store gives its objects no {self._stamped_by}",
                hint="without it no write can depend on what was read: such a store can be read, not written",
            )
        return Version(stamp)
