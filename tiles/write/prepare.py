"""From a log's settings to stores that a writer can use: tried out, kept apart, and told how to store each object.

Code that writes to the public part gets the store from here. Otherwise readers would be told the wrong type, and caches
would keep objects that change. A bucket is tried out (`tiles.store.probe`) before a log is begun in it, and once by
each version that writes to it; its private part must not be readable without credentials.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from tiles.errors import (
    AccessError,
    Conflict,
    Denied,
    Malformed,
    NotFound,
    OutcomeUnknown,
    Refused,
    TilesError,
    UsageError,
)
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.parallel import all_done
from tiles.records.fields import MAX_RECORD_SIZE, is_value
from tiles.records.paths import HEAD, SETTINGS
from tiles.records.serving import public_serving
from tiles.records.settings import MAX_LOCK_DAYS, Settings, parse_settings
from tiles.signing.anchor import SEALED, AnchorMemory
from tiles.store import Serves, Store, Version
from tiles.store.address import absolute, is_object_url
from tiles.store.object_lock import open_object_lock
from tiles.store.open_bucket import open_object_store
from tiles.store.probe import PROBES, probe
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import private_url
from tiles.version import __version__
from tiles.write.load import read_head
from tiles.write.parts import Parts


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a log that is begun is to be stored, in a bucket.

    gzip        store entry bundles gzip-encoded
    lock_days   keep full tiles from being deleted for so long, by S3 Object Lock; 0 to MAX_LOCK_DAYS
    """

    gzip: bool = False
    lock_days: int = 0

    def check(self, public: Store) -> None:
        """Raise UsageError if the public part cannot be stored like that."""
        if self.gzip and not is_object_url(public.url):
            raise UsageError("bundles are stored gzip-encoded in a bucket only; a web server encodes files by itself")
        if not 0 <= self.lock_days <= MAX_LOCK_DAYS:
            raise UsageError(f"tiles are locked for 0 to {MAX_LOCK_DAYS} days, not {self.lock_days}")
        if self.lock_days and not public.url.startswith("s3://"):
            raise UsageError("only S3 has Object Lock")


def as_public(store: Store, settings: Settings | None = None) -> Store:
    """Return the public part of a log, which stores objects as they are to be served.

    settings   the log's; None if it has none, or if they are not known and no bundle and no full tile is written
    """
    if not isinstance(store, Serves):
        return store
    if settings is None:
        return store.served(public_serving())
    locks = open_object_lock(store.address, settings.lock_days, time.time) if settings.lock_days else None
    return store.served(public_serving(gzip=settings.gzip, lock=locks is not None), locks)


def as_settled(parts: Parts) -> Store:
    """Return the public part of a log that exists, as its settings say. Raises Refused if they are damaged."""
    return as_public(parts.public, read_settings(parts.private)[0])


def read_settings(private: Store) -> tuple[Settings | None, Version | None]:
    """Return the settings of a log and their version; a pair of None if it has none. Raises Refused."""
    try:
        found = private.read(SETTINGS, MAX_RECORD_SIZE)
    except NotFound:
        return None, None
    try:
        return parse_settings(found.data), found.version
    except Malformed as error:
        raise Refused(
            f"{private.url}/{SETTINGS}: {error.message}",
            hint="find out who changed it; without it, the store is tried out again, and nothing is gzip-encoded",
        ) from error


def note_anchor(private: Store, place: str, *, in_bucket: bool) -> None:
    """Note in the settings where the log's anchor is used, for whoever looks for it elsewhere; best effort.

    The caller has found it to be the log's. in_bucket: settings are written once the stores were tried out, not here
    """
    with suppress(AccessError, Refused):
        settings, version = read_settings(private)
        if (settings is None and in_bucket) or not is_value(place):
            return
        noted = replace(settings or Settings(__version__), anchor=place)
        if noted != settings and len(noted.data) <= MAX_RECORD_SIZE:
            private.swap(SETTINGS, noted.data, version)


def note_own_anchor(private: Store, memory: AnchorMemory, *, in_bucket: bool) -> None:
    """Note where the anchor is used, if it is the log's and its settings do not say so; best effort."""
    with suppress(TilesError):  # whatever is wrong, loading says it
        place = absolute(memory.store.url)
        settings, _ = read_settings(private)
        if settings is not None and settings.anchor == place:
            return
        anchor, _ = memory.recall()
        if anchor is not None and anchor.state != SEALED and read_head(private)[0].anchor == anchor.identity:
            note_anchor(private, place, in_bucket=in_bucket)


class Preparation:
    """Makes the stores of one log ready to be written to.

    anchor      the store of the signer's anchor
    anonymous   the private part as a reader without credentials sees it; None skips the check that it is denied
    """

    def __init__(self, parts: Parts, anchor: Store, anonymous: Store | None = None) -> None:
        self._parts = parts
        self._anonymous = anonymous
        self._in_buckets = [each for each in (parts.public, parts.private, anchor) if is_object_url(each.url)]
        self._checked = False

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to make ready: directories need nothing."""
        return bool(self._in_buckets)

    def check_places(self) -> None:
        """Raise Refused unless the places are of no other log, keep conditions on writes, and hide the private part."""
        if self._checked:
            return
        # s3://bucket/log.private may be the private part of a log at s3://bucket/log
        for store, path, whose in ((self._parts.public, HEAD, "private"), (self._parts.private, CHECKPOINT, "public")):
            with suppress(NotFound):
                store.read(path, MAX_NOTE_SIZE)
                raise Refused(f"{store.url} is the {whose} part of another log", hint="choose another place")
        self._try_out()
        if self._anonymous is not None:
            check_unreadable(self._parts.private, self._anonymous)
        self._checked = True

    def ready(self) -> Store:
        """Return the public part of a log that exists, ready to be written to.

        Tries the stores out, if no run of this version has. Raises NotFound if there is no log; Refused.
        """
        if not self._in_buckets:
            return self._parts.public
        read_head(self._parts.private)  # nothing is tried out where there is no log
        settings, version = read_settings(self._parts.private)
        if settings is None or settings.probed != __version__:
            self._try_out()
            settings = replace(settings, probed=__version__) if settings else Settings(__version__)
            return self.settle(settings, version)
        return as_public(self._parts.public, settings)

    def settle(self, settings: Settings, version: Version | None) -> Store:
        """Write the settings instead of those of that version, and return the public part that follows them."""
        with suppress(Conflict, OutcomeUnknown):  # the next run writes them if they are not there
            self._parts.private.swap(SETTINGS, settings.data, version)
        return as_public(self._parts.public, settings)

    def _try_out(self) -> None:
        # all at a time: each of their requests waits for the one before
        for error in filter(None, all_done(_trouble, self._in_buckets, len(self._in_buckets))):
            raise error


def _trouble(store: Store) -> TilesError | None:
    """Return why a store cannot be written to, None if nothing is wrong."""
    try:
        probe(store, secrets.token_hex(16))
    except TilesError as error:
        return error
    return None


def check_unreadable(private: Store, anonymous: Store) -> None:
    """Raise Refused if what is written to the private part can be read without credentials.

    Raises AccessError if there is no answer, or one that shows neither.
    """
    path = f"{PROBES}{secrets.token_hex(16)}"
    private.create({path: b"only for those with credentials"})
    try:
        anonymous.read(path, 100)
    except (Denied, NotFound):
        return
    finally:
        with suppress(AccessError):  # whether it can be deleted says nothing about who can read it
            private.delete([path])
    raise Refused(
        f"{private.url} can be read by anyone",
        hint="staged batches and submissions there are not for the public: deny the public to read them, or name "
        "another place; --readable-private begins the log all the same, to try things out",
    )


def anonymous_reader(log: str, private: str | None = None) -> Store | None:
    """Return the private part of a log as a reader without credentials sees it; None if it is in no bucket."""
    url = private_url(log, private)
    return open_object_store(url, anonymous=True) if is_object_url(url) else None
