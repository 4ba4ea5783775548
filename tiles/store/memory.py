"""A store in memory: one process's threads share it, and nothing outlives it. For tests, and for trying things out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Lock

from tiles.errors import Conflict, NotFound, TooLong
from tiles.store import Differs, Listed, Object, Part, Version, content_version
from tiles.store.paths import check_path, check_prefix


class MemoryStore:
    """Objects in a dict under a lock: every method is one atomic step, except `create` and `delete` of several objects.

    Versions are computed from the content, so a swap cannot tell A from A → B → A. The contract allows no weaker store,
    so code that is right on this one is right on every one.

    clock   returns `modified` of what is written now; without it writes are numbered from 1.0
    """

    parallel = 1
    patience = 0.0

    def __init__(self, name: str = "log", clock: Callable[[], float] | None = None) -> None:
        self.url = f"memory://{name}"
        self._clock = clock or map(float, itertools.count(1)).__next__
        self._lock = Lock()
        self._objects: dict[str, tuple[bytes, float]] = {}

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return an object. Raises NotFound; TooLong."""
        with self._lock:
            found = self._objects.get(check_path(path))
        if found is None:
            raise NotFound(f"{self.url}/{path}: not found")
        data, modified = found
        if limit is not None and len(data) > limit:
            raise TooLong(f"{self.url}/{path}: longer than {limit} bytes")
        return Object(data, modified)

    def read_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return a part of an object (RangedStore)."""
        return Part(start, self.read(path, size).data[start:stop])

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create all objects, one after the other, as other threads may see. Raises Differs after the last."""
        differs: Differs | None = None
        for path in objects:
            check_path(path)
        for path, content in objects.items():
            data = bytes(content)
            with self._lock:
                found = self._objects.get(path)
                if found is None:
                    self._objects[path] = data, self._clock()
                elif found[0] != data:
                    differs = differs or Differs(path, data, found[0])
        if differs is not None:
            raise differs

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace an object that is still at version `expected`, and return the new version. Raises Conflict."""
        data = bytes(data)
        with self._lock:
            found = self._objects.get(check_path(path))
            if (None if found is None else content_version(found[0])) != expected:
                raise Conflict(f"{self.url}/{path}: changed since it was read")
            self._objects[path] = data, self._clock()
        return content_version(data)

    def list(self, prefix: str) -> Iterator[Listed]:
        """Yield the objects that are below the prefix at the time of the call, in the order of their paths."""
        check_prefix(prefix)
        with self._lock:
            found = [Listed(path, len(o[0]), o[1]) for path, o in self._objects.items() if path.startswith(prefix)]
        return iter(sorted(found, key=lambda listed: listed.path))

    def folders(self, prefix: str) -> Sequence[str]:
        """Return, in order, the names of the folders that stand right below a prefix."""
        below = [listed.path[len(prefix) :] for listed in self.list(prefix)]
        return sorted({path.partition("/")[0] for path in below if "/" in path})

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects; one that is not there counts as deleted."""
        for path in paths:
            with self._lock:
                self._objects.pop(check_path(path), None)

    def barrier(self) -> None:
        """Return at once: nothing here outlives a power cut, and nothing is lost before one."""
