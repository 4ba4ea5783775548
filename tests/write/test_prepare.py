"""Making a log's stores ready: how each object is stored, what is tried out and when, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.world import World
from tiles.errors import AccessError, Denied, NotFound, Refused, UsageError
from tiles.records.paths import HEAD, SETTINGS
from tiles.records.serving import IMMUTABLE
from tiles.records.settings import MAX_LOCK_DAYS, Settings, parse_settings
from tiles.store import Locks, Object, Serve, Store
from tiles.store.memory import MemoryStore
from tiles.store.probe import PROBES
from tiles.tree.layout import CHECKPOINT
from tiles.version import __version__
from tiles.write import prepare
from tiles.write.parts import Parts
from tiles.write.prepare import Preparation, Wishes, as_public, as_settled, check_unreadable, read_settings


class Bucket(MemoryStore):
    """A store that serves its objects by itself, and takes down how it was told to, and what was tried in it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = self.address = url
        self.serve: Serve | None = None
        self.locks: Locks | None = None
        self.probes: set[str] = set()

    def served(self, serve: Serve, locks: Locks | None = None) -> Store:
        """Take it down."""
        self.serve, self.locks = serve, locks
        return self

    def create(self, objects):  # type: ignore[no-untyped-def]
        """Create objects, and take down those of probes."""
        self.probes.update(path for path in objects if path.startswith(PROBES))
        super().create(objects)


def paths(store: Store) -> list[str]:
    """Return the paths of all objects."""
    return [listed.path for listed in store.list("")]


class Place:
    """A log in two buckets, whose signer remembers in a third."""

    def __init__(self) -> None:
        self.public, self.private, self.anchor = (
            Bucket(f"s3://{name}/log") for name in ("public", "private", "anchor")
        )
        self.parts = Parts(self.public, self.private)
        self.prepared = Preparation(self.parts, self.anchor)
        self.private.create({HEAD: World().grown().stores["private"].read(HEAD).data})

    @property
    def probed(self) -> list[int]:
        """How often each store was tried out."""
        return [len(store.probes) for store in (self.public, self.private, self.anchor)]


# ---- how objects are stored


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where locks were opened, and for how many days."""
    found: list[tuple[str, int]] = []
    monkeypatch.setattr(prepare, "open_object_lock", lambda url, days, _now: found.append((url, days)) or "locks")
    return found


@pytest.mark.parametrize(
    ("settings", "bundles", "locked"),
    [
        (None, False, False),
        (Settings("1"), False, False),
        (Settings("1", gzip=True), True, False),
        (Settings("1", lock_days=7), False, True),
        (Settings("1", gzip=True, lock_days=7), True, True),
    ],
)
def test_as_public(settings: Settings | None, bundles: bool, locked: bool, opened: list[tuple[str, int]]) -> None:
    """Each object gets its headers; only bundles are gzip-encoded, only what is full is locked."""
    store = Bucket("s3://public/log")
    assert as_public(store, settings) is store
    assert (opened, store.locks) == (([("s3://public/log", 7)], "locks") if locked else ([], None))
    assert store.serve is not None
    for path, encoded, kept in (
        ("tile/entries/000", True, True),
        ("tile/entries/000.p/7", True, False),
        ("tile/0/000", False, True),
        ("tile/0/000.p/7", False, False),
        (CHECKPOINT, False, False),
        ("payload/sha256/00", False, False),
    ):
        served = store.serve(path)
        assert (served.gzip, served.locked) == (bundles and encoded, locked and kept)
        assert (served.headers["Cache-Control"] == IMMUTABLE) == (path != CHECKPOINT)


def test_a_store_that_does_not_serve() -> None:
    """A directory is served by somebody else, and stays as it is."""
    store = MemoryStore()
    assert as_public(store, Settings("1", gzip=True)) is store


@pytest.mark.parametrize(
    ("wishes", "url", "message"),
    [
        (Wishes(), "memory://log", ""),
        (Wishes(gzip=True), "gs://public/log", ""),
        (Wishes(gzip=True, lock_days=MAX_LOCK_DAYS), "s3://public/log", ""),
        (Wishes(gzip=True), "memory://log", "in a bucket only"),
        (Wishes(lock_days=1), "gs://public/log", "only S3 has Object Lock"),
        (Wishes(lock_days=1), "memory://log", "only S3 has Object Lock"),
        (Wishes(lock_days=-1), "s3://public/log", "0 to 36500 days, not -1"),
        (Wishes(lock_days=MAX_LOCK_DAYS + 1), "s3://public/log", "0 to 36500 days, not 36501"),
    ],
)
def test_wishes(wishes: Wishes, url: str, message: str) -> None:
    """What the store cannot do is a wrong call."""
    if not message:
        wishes.check(Bucket(url))
        return
    with pytest.raises(UsageError, match=message):
        wishes.check(Bucket(url))


# ---- settings


def test_settings() -> None:
    """They are read with their version; a log may have none; damaged ones are refused by all who need them."""
    place = Place()
    assert read_settings(place.private) == (None, None)
    settings = Settings("0.1", gzip=True)
    version = place.private.swap(SETTINGS, settings.data, None)
    assert read_settings(place.private) == (settings, version)
    assert as_settled(place.parts) is place.public
    assert place.public.serve is not None
    assert place.public.serve("tile/entries/000").gzip
    place.private.swap(SETTINGS, b"damaged", version)
    for call in (lambda: read_settings(place.private), lambda: as_settled(place.parts), place.prepared.ready):
        with pytest.raises(Refused, match=r"^s3://private/log/settings: malformed tiletree-settings/v1") as caught:
            call()
        assert "find out who changed it" in caught.value.hint
    assert place.probed == [0, 0, 0]


# ---- trying out


@pytest.mark.parametrize("before", [None, Settings("0.1", gzip=True)])
def test_a_version_tries_the_stores_out_once(before: Settings | None) -> None:
    """The first run of this version does, and says so in the settings, whose other parts it keeps."""
    place = Place()
    if before is not None:
        place.private.swap(SETTINGS, before.data, None)
    for _ in range(2):
        assert place.prepared.is_needed
        assert place.prepared.ready() is place.public
        assert place.probed == [1, 1, 1]
    after = replace(before or Settings(""), probed=__version__)
    assert parse_settings(place.private.read(SETTINGS).data) == after
    assert place.public.serve is not None
    assert place.public.serve("tile/entries/000").gzip == after.gzip
    assert [paths(store) for store in (place.public, place.private, place.anchor)] == [[], [HEAD, SETTINGS], []]


def test_only_what_is_in_buckets_is_tried_out() -> None:
    """Directories need nothing, and are not asked whether there is a log; a bucket without one is not tried out."""
    directories = Parts(MemoryStore("public"), MemoryStore("private"))
    assert not Preparation(directories, MemoryStore()).is_needed
    assert Preparation(directories, MemoryStore()).ready() is directories.public
    anchor = Bucket("s3://anchor/log")
    assert Preparation(directories, anchor).is_needed
    place = Place()
    place.private.delete([HEAD])
    with pytest.raises(NotFound):
        place.prepared.ready()
    assert place.probed == [0, 0, 0]


def test_settings_of_another_run() -> None:
    """Where another run has written settings first, its own stay; the next run sees to it."""
    place = Place()
    place.private.swap(SETTINGS, Settings("0.2").data, None)
    assert place.prepared.settle(Settings("0.1", gzip=True), None) is place.public
    assert read_settings(place.private)[0] == Settings("0.2")


# ---- where a log can begin


def test_a_place_of_its_own() -> None:
    """The private part of another log is no public part, nor the other way round; nothing is tried out there."""
    for part, path, whose in (("public", HEAD, "private"), ("private", CHECKPOINT, "public")):
        place = Place()
        getattr(place, part).create({path: b"of another log"})
        with pytest.raises(Refused, match=f"^s3://{part}/log is the {whose} part of another log$"):
            place.prepared.check_places()
        assert place.probed == [0, 0, 0]
    place = Place()
    for _ in range(2):
        place.prepared.check_places()
        assert place.probed == [1, 1, 1]


class Anonymous(MemoryStore):
    """Another's view of a store, which answers in one way."""

    def __init__(self, answer: Callable[[str], Object]) -> None:
        super().__init__()
        self._answer = answer

    def read(self, path: str, limit: int | None = None) -> Object:  # noqa: ARG002
        """Answer."""
        return self._answer(path)


def test_a_private_part_that_anyone_can_read() -> None:
    """It is refused after it was tried out, and nothing of the trial is left."""
    place = Place()
    anyone = Anonymous(place.private.read)
    with pytest.raises(Refused, match="s3://private/log can be read by anyone"):
        check_unreadable(place.private, anyone)
    with pytest.raises(Refused, match="s3://private/log can be read by anyone") as caught:
        Preparation(place.parts, place.anchor, anyone).check_places()
    assert "--readable-private" in caught.value.hint
    assert paths(place.private) == [HEAD]


@pytest.mark.parametrize("error", [Denied("no"), NotFound("no"), AccessError("no answer")])
def test_a_private_part_that_nobody_else_can_read(error: AccessError) -> None:
    """No is an answer; no answer is none."""
    place = Place()

    def answer(_path: str) -> Object:
        raise error

    if isinstance(error, (Denied, NotFound)):
        check_unreadable(place.private, Anonymous(answer))
    else:
        with pytest.raises(AccessError, match="no answer"):
            check_unreadable(place.private, Anonymous(answer))
    assert paths(place.private) == [HEAD]
