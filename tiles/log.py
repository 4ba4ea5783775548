"""One log, opened for writing with its key.

    log = Log.open("s3://bucket/log")
    log.append([b"one entry"])

Its stores are made ready before the first write (`tiles.write.prepare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tiles.entries.kind import LEAF
from tiles.errors import TilesError, Unfinished, UsageError
from tiles.inbox.admission import Admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.selection import Limits
from tiles.index.build import Told
from tiles.index.check import Damages
from tiles.index.known import KnownEntries
from tiles.index.own_index import OwnIndex
from tiles.index.stopped import change_stopped, stopped_kinds
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.index_head import IndexHead
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy
from tiles.read.runs import Hands
from tiles.records.settings import Settings
from tiles.retry import Clock
from tiles.signing.key_place import parse_key_place
from tiles.signing.log_keys import LogKeys
from tiles.signing.open_key import open_key
from tiles.signing.signer import Signer
from tiles.sigstore.revocation import Revocation, Statement
from tiles.store import Store
from tiles.user.exposed import readable
from tiles.user.places import anchor_store, default_key_path, public_store, remembered
from tiles.user.places import private_store as open_private_store
from tiles.version import __version__
from tiles.write.cosign import Cosigned, Witnessing
from tiles.write.load import read_head
from tiles.write.lost_head import HeadRebuilder, Rebuilt
from tiles.write.parts import Parts
from tiles.write.prepare import Preparation, Wishes, as_public, note_own_anchor, read_settings
from tiles.write.rekey import Rekeying
from tiles.write.results import Appended, Made, Sequenced
from tiles.write.sequencer import Sequencer


class Log:
    """A log to write to; `open` one that exists.

    anonymous   the private part as a reader without credentials sees it; None skips the check that it is denied
    policy, admission   refuse unless these are the log's policies; None accepts the log's own
    how         how the witnesses of its policy are asked
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
        how: Witnessing | None = None,
    ) -> None:
        self.public = as_public(public)
        self.private = private
        parts = Parts(self.public, private)
        self._preparation = Preparation(parts, signer.memory.store, anonymous)
        self._sequencer_for = partial(
            Sequencer, private=private, signer=signer, policy=policy, admission=admission, how=how
        )
        self._known_for = partial(KnownEntries, verifier=signer.verifier, catch_up=self._catch_up)
        self._sequencer = self._sequencer_for(self.public, known=self._known_for(self.public))
        self._is_ready = not self._preparation.is_needed
        self._signer = signer
        self._index: OwnIndex | None = None
        self._is_noted = False
        self._rebuild = partial(HeadRebuilder(parts, signer, Clock(), how).rebuild, policy, admission)

    @classmethod
    def open(
        cls,
        log: str,
        *,
        key: Path | str | None = None,
        private: str | None = None,
        anchor: str | None = None,
        policy: Policy | None = None,
        admission: Admission | None = None,
        how: Witnessing | None = None,
    ) -> Log:
        """Open a log that exists.

        log      a directory, s3://…, gs:// or az://…
        key, private, anchor   as `tiletree init` was told; by default what it remembered, or its own defaults
        Raises NotFound if there is no log, or no key; UsageError if the key is in no file and no anchor is known.
        """
        known = remembered(log)
        own = open_private_store(log, private)
        place = parse_key_place(str(key or known.key or default_key_path(read_head(own)[0].origin)))
        name = read_head(own)[0].origin if place.is_service else ""
        memory = anchor or known.anchor
        if memory is None and place.path is None:
            raise UsageError(f"with {place}, the anchor has to be named")
        signer = Signer(open_key(place, name), anchor_store(place.path or Path(), memory))
        return cls(public_store(log), own, signer, policy=policy, admission=admission, how=how)

    def append(
        self, entries: Sequence[bytes], *, once: bool = False, attached: Mapping[int, Attachments] | None = None
    ) -> Appended:
        """Append entries, in order, as one batch, publish it, and say where they are; see `Sequencer.append`.

        once       leave out what is in the log already
        attached   by what entries are judged, by their positions, where the admission policy is for the writer, too
        """
        self._get_ready()
        return self._sequencer.append(entries, once=once, attached=attached)

    def append_all(self, take: Callable[[int | None], Sequence[bytes]], *, once: bool = False) -> Iterator[Appended]:
        """Append batch after batch, preparing one while the one before it is published; see `Sequencer.append_all`.

        once   as for `append`
        """
        self._get_ready()
        return self._sequencer.append_all(take, once=once)

    def sequence(self, limits: Limits | None = None, *, publish: bool = True) -> Sequenced:
        """Log or refuse what waits in the inbox, as one batch; see `Sequencer.sequence`."""
        self._get_ready()
        return self._sequencer.sequence(limits, publish=publish)

    def build_index(
        self, kind: str, told: Callable[[int], None] | None = None, hands: Hands | None = None
    ) -> IndexHead:
        """Begin the index of a kind of keys, let it catch up, or take it up again; see `OwnIndex.build`."""
        self._get_ready()
        change_stopped(self.private, Clock(), resume=[kind])
        return self._own_index().build(kind, told, hands)

    def sign_revocation(self, said: Statement) -> Revocation:
        """Return a revocation by this log, signed and not yet appended; see `Signer.sign_revocation`."""
        self._get_ready()
        return self._signer.sign_revocation(said)

    def repair_index(self, kind: str, scratch: Store, told: Told | None = None) -> Damages:
        """Put back objects of an index that are missing or damaged, and return which; see `OwnIndex.repair`."""
        self._get_ready()
        return self._own_index().repair(kind, scratch, told)

    def update_index(self, *, more: bool = False) -> str:
        """Let the index follow what was published, by a step of each kind; return why it is behind, or "".

        Call it after `append`, `append_all`, `sequence` or `finish` have returned, which answer without waiting for
        it. It never raises an error of this library: what was published stays published, and the next call goes on.

        more   it is called again soon, after the next batch: see `OwnIndex.update`
        """
        try:
            self._get_ready()
        except TilesError as error:
            return error.message
        return self._own_index().update(lambda: stopped_kinds(self.private), more=more)

    @property
    def verifier(self) -> VerifierKey:
        """The log's key; its name is the log's origin."""
        return self._signer.verifier

    @property
    def keys(self) -> LogKeys:
        """All keys of the log that are held; those that it names sign."""
        return self._signer.keys

    def undeleted(self) -> tuple[str, ...]:
        """Return the names of decided submissions that no run could delete since this was asked; see `Tidier`."""
        return self._sequencer.undeleted()

    def made(self) -> Made:
        """Return what this object has published since this was asked last, and not only found published."""
        return self._sequencer.made()

    def readable(self) -> list[str]:
        """Return what others on this machine may read of private part and anchor, as messages name it."""
        return readable(self.private, self._signer.memory.store)

    def finish(self) -> SignedCheckpoint:
        """Publish what is committed, if anything is left to do, and return the published checkpoint."""
        self._get_ready()
        return self._sequencer.finish()

    def refresh(self) -> Cosigned:
        """Ask the witnesses for lines over the published checkpoint, and publish it with those that it lacks.

        What is committed is published first. Returns what came of it.
        """
        self._get_ready()
        return self._sequencer.refresh()

    def freeze(self) -> SignedCheckpoint:
        """Close the log for ever, and return its last checkpoint."""
        self._get_ready()
        return self._sequencer.freeze()

    def admit(self, admission: Admission, instead_of: str) -> SignedCheckpoint:
        """Let the log admit by another policy from now on, and return its published checkpoint.

        instead_of   SHA-256 (hex) of the policy that it replaces; Refused if the log has another one by now
        """
        self._get_ready()
        return self._sequencer.admit(admission, instead_of)

    @property
    def rekeying(self) -> Rekeying:
        """What changes the keys of the log, and says how they were changed."""
        self._get_ready()
        return self._sequencer.rekeying

    def check_new(self, *, gzip: bool = False, lock_days: int = 0) -> None:
        """Raise Refused unless `create` would begin a new log here; nothing stays written."""
        Wishes(gzip, lock_days).check(self.public)
        self._sequencer.check_new()
        self._preparation.check_places()

    def create(self, *, gzip: bool = False, lock_days: int = 0) -> SignedCheckpoint:
        """Begin the log, or finish beginning it, and return its published checkpoint.

        gzip        store entry bundles gzip-encoded, in a bucket; a log that was begun before keeps its setting
        lock_days   keep full tiles from being deleted for so long, by S3 Object Lock; likewise
        """
        Wishes(gzip, lock_days).check(self.public)
        settings, version = read_settings(self.private)
        is_new = settings is None and self._preparation.is_needed
        if is_new:
            self._preparation.check_places()
        try:
            signed = self._sequencer.create()
        except Unfinished:  # it is begun, and another command may finish it
            if is_new:
                self._preparation.settle(Settings(__version__, gzip, lock_days), version)
            raise
        if is_new:
            self._use(self._preparation.settle(Settings(__version__, gzip, lock_days), version))
        self._note_anchor()
        return signed

    def rebuild_head(self, *, gzip: bool = False, lock_days: int = 0) -> Rebuilt:
        """Make a head again that is gone or was put back (`tiles.write.lost_head`), unless the one there is sound.

        gzip, lock_days   as `create` was told, for a log in a bucket whose settings are lost with the head
        """
        Wishes(gzip, lock_days).check(self.public)
        settings, version = read_settings(self.private)
        is_lost = settings is None and self._preparation.is_needed
        if is_lost:
            self._preparation.check_places()
        done = self._rebuild()
        if is_lost:
            self._use(self._preparation.settle(Settings(__version__, gzip, lock_days), version))
            assumed = f"gzip {'yes' if gzip else 'no'}, {lock_days} days of lock"
            done = replace(done, unknown=(*done.unknown, f"the settings of the log are lost: {assumed} is assumed"))
        self._note_anchor()
        return done

    def _get_ready(self) -> None:
        """Make the stores ready, before the first write."""
        if not self._is_ready:
            self._use(self._preparation.ready())
        self._note_anchor()

    def _note_anchor(self) -> None:
        """Note where the anchor is used, if it is the log's, in the log's settings."""
        if self._is_noted:
            return
        self._is_noted = True
        note_own_anchor(self.private, self._signer.memory, in_bucket=self._preparation.is_needed)

    def _own_index(self) -> OwnIndex:
        if self._index is None:
            self._index = OwnIndex(self.public, self._signer, self._sequencer.grown, Clock())
        return self._index

    def _catch_up(self) -> None:
        if LEAF not in stopped_kinds(self.private):
            # another thread may be building at the same time, so nothing is shared with it
            OwnIndex(self.public, self._signer, lambda: None, Clock()).catch_up()

    def _use(self, public: Store) -> None:
        self.public = public
        self._index = None
        self._sequencer = self._sequencer_for(public, known=self._known_for(public))
        self._is_ready = True
