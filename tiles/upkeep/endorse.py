"""Keeping endorsements: the proof that another log holds a checkpoint of this one, beside this one's tiles.

    make the entry → the public log holds it → take its proof → create `endorsed/…/<size>` → swap `newest` → barrier

The entry of a size is logged once, and its proof is kept once. A run that dies after the entry was logged has kept
nothing, and the next one finds the entry in the public log. A run that dies before `newest` was swapped has kept the
proof, and the next one finds it and swaps. A power cut may leave either of the two without the other, and each is
whole: the next run makes the other again. Nothing of the private log depends on any of it.
"""

from __future__ import annotations

from contextlib import suppress

from tiles.errors import AccessError, Conflict, LogError, NotFound, OutcomeUnknown, Refused
from tiles.notes.endorsement import Endorsed, parse_endorsement, verify_endorsement
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.records.paths import endorsed_path, newest_endorsed_path
from tiles.retry import Clock, among_writers
from tiles.store import Differs, Store, Version


class KeptEndorsements:
    """The endorsements by one public log that a log keeps.

    store             the public part of the log that is endorsed
    public, private   what the two logs are known by
    origin            of the public log
    """

    def __init__(self, store: Store, public: Policy, private: Policy, origin: str, clock: Clock | None = None) -> None:
        self._store = store
        self._public = public
        self._private = private
        self._origin = origin
        self._clock = clock or Clock()

    def find(self, size: int) -> tuple[TlogProof, Endorsed] | None:
        """Return the endorsement of the tree of a size, and what it shows; None if none is kept.

        Raises Refused for an object in its place that is none.
        """
        path = endorsed_path(self._origin, size)
        try:
            data = self._store.read(path, MAX_PROOF_SIZE).data
        except NotFound:
            return None
        try:
            proof = parse_tlog_proof(data)
            endorsed = verify_endorsement(proof, self._public, self._private)
        except LogError as error:
            raise Refused(
                f"{self._store.url}/{path} is no endorsement: {error.message}",
                hint="it is written once: find out who wrote it, and delete it",
            ) from error
        if (endorsed.public.signed.origin, endorsed.tree.signed.tree.size) != (self._origin, size):
            raise Refused(f"{self._store.url}/{path} is of another tree or log", hint="find out who put it there")
        return proof, endorsed

    def newest(self) -> Endorsed | None:
        """Return what the endorsement shows that readers find as the newest; None if there is none that verifies."""
        try:
            data = self._store.read(newest_endorsed_path(self._origin), MAX_PROOF_SIZE).data
            return verify_endorsement(parse_tlog_proof(data), self._public, self._private)
        except (NotFound, LogError):
            return None

    def keep(self, proof: TlogProof) -> tuple[TlogProof, Endorsed]:
        """Keep an endorsement, and return it, or the one of the same size that was kept before.

        Raises what `verify_endorsement` raises, before anything is written.
        """
        endorsed = verify_endorsement(proof, self._public, self._private)
        size = endorsed.tree.signed.tree.size
        kept = self.find(size)
        if kept is None:
            with suppress(Differs):  # another run was first, with the same entry
                self._store.create({endorsed_path(self._origin, size): proof.data})
            kept = self.find(size) or (proof, endorsed)
        self.show(kept[0])
        return kept

    def show(self, proof: TlogProof) -> None:
        """Let readers find a kept endorsement as the newest, unless one of a larger tree, or the same, is it."""
        path = newest_endorsed_path(self._origin)
        for _ in among_writers(self._clock):
            size, version = self._newest(path)
            if size >= parse_endorsement(proof.extra).tree.size:
                break
            with suppress(Conflict, OutcomeUnknown):  # somebody else endorses at the same time
                self._store.swap(path, proof.data, version)
                break
        else:
            raise AccessError(f"{self._store.url}/{path}: other writers were always first", hint="run the same again")
        self._store.barrier()  # of both objects, whoever wrote them

    def _newest(self, path: str) -> tuple[int, Version | None]:
        """Return the size that readers find, and the version of where they do; -1 where nothing there can be used."""
        try:
            found = self._store.read(path, MAX_PROOF_SIZE)
        except NotFound:
            return -1, None
        try:
            proof = parse_tlog_proof(found.data)
            return verify_endorsement(proof, self._public, self._private).tree.signed.tree.size, found.version
        except LogError:  # it is a copy: what was kept is elsewhere
            return -1, found.version
