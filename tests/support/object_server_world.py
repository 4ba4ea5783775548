"""A log in a test whose three parts are in buckets of an object server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from tests.support.object_server import ObjectServer
from tests.support.object_server_stores import open_on
from tests.support.world import ROLES, Contents, RecordingKey, World, Wrap, not_wrapped, recording_key
from tiles.errors import NotFound, UsageError
from tiles.store import Listed, Object, Store
from tiles.store.bucket import ObjectStore
from tiles.write.sequencer import Sequencer

LOG = "log"  # the prefix of all three parts


class Behind:
    """What a part really holds, and no request: for checks, and for changes behind everyone's back."""

    patience = 0.0
    parallel = 1

    def __init__(self, server: ObjectServer, bucket: str) -> None:
        self.url = f"behind {bucket}"
        self._server = server
        self._bucket = bucket
        self._prefix = f"{LOG}/"

    def contents(self) -> dict[str, bytes]:
        """Return all objects."""
        objects = self._server.objects.get(self._bucket, {})
        return {key.removeprefix(self._prefix): data for key, data in objects.items() if key.startswith(self._prefix)}

    def read(self, path: str, limit: int | None = None) -> Object:
        data = self._server.get(self._bucket, self._prefix + path)
        if data is None:
            raise NotFound(path)
        assert limit is None or len(data) <= limit
        return Object(data)

    def list(self, prefix: str) -> Iterator[Listed]:
        found = [Listed(path, len(data)) for path, data in self.contents().items() if path.startswith(prefix)]
        return iter(sorted(found, key=lambda listed: listed.path))

    def create(self, objects: Mapping[str, bytes]) -> None:
        for path, data in objects.items():
            self._server.put(self._bucket, self._prefix + path, data)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._server.remove(self._bucket, self._prefix + path)


class ObjectWorld(World):
    """One log on a server: each part in the bucket of its name, below `log/`.

    Every write that the server carries out is told to the history, whoever asked for it, and whenever it happens.
    """

    def __init__(self, place: Place, key: RecordingKey) -> None:
        super().__init__(None, key)
        self.server = place.server
        self.behind = {role: Behind(self.server, role) for role in ROLES}
        self.stores = {role: cast(Store, part) for role, part in self.behind.items()}  # for checks, which only read
        self._clients = place.clients

    def wrote(self, bucket: str, key: str) -> None:
        """Take down what was written (a hook of the server)."""
        if bucket == "public":
            self.history.wrote(self.stores["public"], [key.removeprefix(f"{LOG}/")])

    def sequencer(self, wrap: Wrap = not_wrapped, **more: Any) -> Sequencer:
        """Return a new writer, as a new process would have it."""
        return super().sequencer(lambda _behind, role: wrap(self._clients[role], role), **more)

    def contents(self) -> Contents:
        """Return everything that is stored."""
        return {role: part.contents() for role, part in self.behind.items()}

    def check(self, *, complete: bool = True, orphans: bool = False, repeated: Iterable[bytes] = ()) -> None:
        """Run `check_log`, and raise what was found wrong while requests were answered."""
        self.server.check()
        super().check(complete=complete, orphans=orphans, repeated=repeated)

    def copy(self, folder: Path | None = None) -> World:
        """Say that there is one world in a place at a time."""
        raise UsageError(f"copy the world that this one is a copy of, and not to {folder}")


class Place:
    """Where worlds are, one at a time: a server, and clients of the three parts of the log there."""

    def __init__(self, server: ObjectServer) -> None:
        self.server = server
        self.clients = self.open()

    def open(self, who: str = "tester") -> dict[str, ObjectStore]:
        """Return clients of their own for whoever has this access key."""
        return {role: open_on(self.server, f"{role}/{LOG}", who=who, public=role == "public") for role in ROLES}

    def world(self, of: World) -> ObjectWorld:
        """Return an equal world that is here, instead of the one before. Nothing that is stored there is news."""
        self.server.fault = self.server.wrote = None
        self.server.settle()
        other = ObjectWorld(self, recording_key(of.key.name, of.key.seed, of.key.texts))
        for role, objects in of.contents().items():
            other.behind[role].delete(other.behind[role].contents())
            other.behind[role].create(objects)
        other.history = of.history.copy()
        other.acknowledged = list(of.acknowledged)
        other.writers = of.writers
        self.server.settle()
        self.server.wrote = other.wrote
        return other


class Base(World):
    """A world in memory whose copies are in a place on a server."""

    def __init__(self, world: World, place: Place) -> None:
        vars(self).update(vars(world.copy()))
        self._place = place

    def copy(self, folder: Path | None = None) -> World:
        """Return an equal world in that place, instead of the one before."""
        assert folder is None
        return self._place.world(self)
