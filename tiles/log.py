"""One log, open for writing by whoever holds its key.

    log = Log.open("s3://bucket/log")
    log.append([b"one entry"])

A bucket is tried out (`tiles.store.probe`) before a log is begun in it, and once by each version that writes to it; its
private part must not be readable by just anyone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tiles import __version__
from tiles.errors import Conflict, Denied, Malformed, NotFound, OutcomeUnknown, Refused, UsageError
from tiles.inbox.admission import Admission
from tiles.inbox.selection import Limits
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.head import HEAD
from tiles.records.settings import MAX_LOCK_DAYS, SETTINGS, Settings, parse_settings
from tiles.signing.key_file import read_key
from tiles.signing.signer import Signer
from tiles.store import Store, Version
from tiles.store.address import is_object_url
from tiles.store.object_lock import open_retention
from tiles.store.open_bucket import open_object_store
from tiles.store.probe import PROBES, probe
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import anchor_store, default_key_path, private_url, public_store, remembered
from tiles.user.places import private_store as open_private_store
from tiles.write.load import read_head
from tiles.write.sequencer import Appended, Sequenced, Sequencer


@runtime_checkable
class Encodes(Protocol):
    """A store that may keep entry bundles gzip-encoded, and full tiles from being deleted.

    address   its URL, with options
    """

    gzip: bool
    address: str
    retention: Any


class Log:
    """A log to write to; `open` one that exists.

    anonymous   the private part as a reader without credentials sees it; None: do not look whether one can
    policy, admission   refuse unless these are the log's policies; None accepts the log's own
    """

    def __init__(
        self,
        public: Store,
        private: Store,
        signer: Signer,
        *,
        anonymous: Store | None = None,
        policy: Policy | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.public = public
        self.private = private
        self._anonymous = anonymous
        self._in_buckets = [each for each in (public, private, signer.memory.store) if is_object_url(each.url)]
        self._sequencer = Sequencer(public, private, signer, policy=policy, admission=admission)
        self._ready = not self._in_buckets
        self._places_checked = False

    @classmethod
    def open(
        cls,
        log: str,
        *,
        key: Path | None = None,
        private: str | None = None,
        anchor: str | None = None,
        policy: Policy | None = None,
        admission: Admission | None = None,
    ) -> Log:
        """Open a log that exists.

        log      a directory, s3://…, gs:// or az://…
        key, private, anchor   as `tiletree init` was told; left out, what it remembered, or its defaults
        Raises NotFound if there is no log, or no key.
        """
        known = remembered(log)
        own = open_private_store(log, private)
        path = key or (Path(known.key) if known.key else default_key_path(read_head(own)[0].origin))
        signer = Signer(read_key(path), anchor_store(path, anchor or known.anchor))
        return cls(public_store(log), own, signer, policy=policy, admission=admission)

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Append entries, in order, as one batch, publish it, and say where they are; see `Sequencer.append`."""
        self._get_ready()
        return self._sequencer.append(entries)

    def append_all(self, take: Callable[[int | None], Sequence[bytes]]) -> Iterator[Appended]:
        """Append batch after batch, preparing one while the one before it is published; see `Sequencer.append_all`."""
        self._get_ready()
        return self._sequencer.append_all(take)

    def sequence(self, limits: Limits | None = None) -> Sequenced:
        """Log or refuse what waits in the inbox, as one batch; see `Sequencer.sequence`."""
        self._get_ready()
        return self._sequencer.sequence(limits)

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, if anything is left to do, and return the published checkpoint."""
        self._get_ready()
        return self._sequencer.finish()

    def freeze(self) -> SignedCheckpoint:
        """Close the log for ever, and return its last checkpoint."""
        self._get_ready()
        return self._sequencer.freeze()

    def check_new(self, *, gzip: bool = False, lock_days: int = 0) -> None:
        """Raise Refused unless `create` would begin a new log here; nothing stays written."""
        self._check_wishes(gzip=gzip, lock_days=lock_days)
        self._sequencer.check_new()
        self._check_places()

    def create(self, *, gzip: bool = False, lock_days: int = 0) -> SignedCheckpoint:
        """Begin the log, or finish beginning it, and return its published checkpoint.

        gzip        store entry bundles gzip-encoded, in a bucket; a log that has begun keeps what it has
        lock_days   keep full tiles from being deleted for so long, by S3 Object Lock; likewise
        """
        self._check_wishes(gzip=gzip, lock_days=lock_days)
        settings, version = self._settings()
        if settings is None and self._in_buckets:
            self._check_places()
        signed = self._sequencer.create()
        if settings is None and self._in_buckets:
            self._settle(Settings(__version__, gzip, lock_days), version)
        return signed

    def _check_wishes(self, *, gzip: bool, lock_days: int) -> None:
        if gzip and not is_object_url(self.public.url):
            raise UsageError("only a bucket keeps what is gzip-encoded apart; a web server encodes files by itself")
        if not 0 <= lock_days <= MAX_LOCK_DAYS:
            raise UsageError(f"tiles are locked for 0 to {MAX_LOCK_DAYS} days, not {lock_days}")
        if lock_days and not self.public.url.startswith("s3://"):
            raise UsageError("only S3 has Object Lock")

    def _check_places(self) -> None:
        if self._places_checked:
            return
        # beside s3://bucket/log in the same bucket, s3://bucket/log.private is taken
        for store, path, whose in ((self.public, HEAD, "private"), (self.private, CHECKPOINT, "public")):
            with suppress(NotFound):
                store.read(path, MAX_NOTE_SIZE)
                raise Refused(f"{store.url} is the {whose} part of another log", hint="choose another place")
        self._try_out()
        if self._anonymous is not None:
            check_unreadable(self.private, self._anonymous)
        self._places_checked = True

    def _get_ready(self) -> None:
        """Before the first write: try the stores out, if no run of this version has."""
        if self._ready:
            return
        read_head(self.private)  # nothing is tried out where there is no log
        settings, version = self._settings()
        if settings is None or settings.probed != __version__:
            self._try_out()
            settings = replace(settings, probed=__version__) if settings else Settings(__version__)
            self._settle(settings, version)
        else:
            self._use(settings)

    def _settings(self) -> tuple[Settings | None, Version | None]:
        try:
            found = self.private.read(SETTINGS, MAX_RECORD_SIZE)
        except NotFound:
            return None, None
        try:
            return parse_settings(found.data), found.version
        except Malformed as error:
            raise Refused(
                f"{self.private.url}/{SETTINGS}: {error.message}",
                hint="find out who changed it; without it, the store is tried out again, and nothing is gzip-encoded",
            ) from error

    def _settle(self, settings: Settings, version: Version | None) -> None:
        with suppress(Conflict, OutcomeUnknown):  # the next run sees to it
            self.private.swap(SETTINGS, settings.data, version)
        self._use(settings)

    def _use(self, settings: Settings) -> None:
        if isinstance(self.public, Encodes):
            self.public.gzip = settings.gzip
            if settings.lock_days:
                self.public.retention = open_retention(self.public.address, settings.lock_days, time.time)
        self._ready = True

    def _try_out(self) -> None:
        for store in self._in_buckets:
            probe(store, secrets.token_hex(16))


def check_unreadable(private: Store, anonymous: Store) -> None:
    """Raise Refused if what is written to the private part can be read without credentials.

    Raises AccessError if there is no answer, or none that says so.
    """
    path = f"{PROBES}{secrets.token_hex(16)}"
    private.create({path: b"only for those with credentials"})
    try:
        anonymous.read(path, 100)
    except (Denied, NotFound):
        return
    finally:
        private.delete([path])
    raise Refused(
        f"{private.url} can be read by anyone",
        hint="what is staged and submitted there is nobody else's business: deny the public to read it, or name "
        "another place; --readable-private begins the log all the same, to try things out",
    )


def anonymous_reader(log: str, private: str | None = None) -> Store | None:
    """Return the private part of a log as a reader without credentials sees it; None if it is in no bucket."""
    url = private_url(log, private)
    return open_object_store(url, public=False, anonymous=True) if is_object_url(url) else None
