"""A mirror: a copy of somebody's log, in a directory or a bucket, that anyone can read instead of the log.

    log, visited  →  what the mirror publishes, verified  →  consistent?  →  tree copied, barrier  →  checkpoint swapped

The mirror's own checkpoint is its only state, and is believed no more than any other: the log has to have signed it,
and its tree has to be a beginning of the log's. Where the mirror's tree is the larger one, its own tiles show that, and
no client reads them. A run that dies at any step leaves objects which the signed tree has,
and the checkpoint that was there before:

- while the tree is copied: the next run finds what was written, verifies it, and goes on after it;
- before the barrier, in a power cut: what is lost is written again;
- after the barrier: the next run finds all of it, and swaps the checkpoint;
- at the swap, without an answer: the checkpoint is read again, and decides.

Runs may be at work side by side: they write the same bytes, and the checkpoint never gets smaller. A mirror has the
format that the log has. `mirror_tree` copies the tree, `mirror_issuers` what a log of certificates has beside it,
`mirror_extras` what is kept beside the tree, `mirror_signing` makes the mirror's cosignature.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import (
    AccessError,
    Conflict,
    ForkError,
    LogError,
    NotFound,
    OutcomeUnknown,
    Refused,
    TilesError,
    UsageError,
    placed,
)
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import MAX_POLICY_SIZE, parse_policy
from tiles.notes.witness_messages import seen_path
from tiles.read.client import LogClient
from tiles.read.consistency import prove_consistency
from tiles.read.histories import check_extends, forked
from tiles.read.layouts import STATIC_CT, name_of
from tiles.read.log_formats import TLOG_TILES
from tiles.read.memories import CheckpointMemory
from tiles.read.same_history import check_history
from tiles.read.tiles import TileSource
from tiles.read.verified_tree import VerifiedTree
from tiles.records.paths import POLICY
from tiles.retry import Clock, among_writers
from tiles.store import Store, StoreFetcher, Version
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import TreeHead
from tiles.watch.mirror_issuers import IssuerCopier
from tiles.watch.mirror_signing import MirrorSigner
from tiles.watch.mirror_tree import TreeCopier
from tiles.write.copying import replace_object


def mirror_folder(origin: str) -> str:
    """Return where a mirror that cosigns has a log: "<monitoring prefix>/<origin hash>"."""
    return seen_path(origin).removesuffix(f"/{CHECKPOINT}")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a run came to.

    before      the tree that the mirror published when the run began; None: nothing
    tree        the tree that it publishes now; larger than the log's where the log is served from an old copy
    objects     how many objects of the tree were written, or were there already
    issuers     how many certificates of issuers were written, of a log of certificates
    withheld    bundles that the log withholds: the mirror has their hashes, and not their entries
    published   whether the checkpoint was replaced
    cosigned    when, POSIX seconds, the mirror cosigned what it publishes; None if it does not cosign
    """

    before: TreeHead | None
    tree: TreeHead
    objects: int
    issuers: int
    withheld: tuple[int, ...]
    published: bool
    cosigned: int | None


class Mirror:
    """Keeps a copy of one log.

    client   reads the log, and has visited it
    target   where the copy is, which stores objects as they are to be served
    visits   where the evidence of a fork is kept; None: nowhere
    signer   cosigns what is published; None: nobody does
    begin    with a signer, the mirror may be one that has cosigned nothing yet

    Raises UsageError for a signer where the log has another format than tlog-tiles.
    """

    def __init__(
        self,
        client: LogClient,
        target: Store,
        visits: CheckpointMemory | None = None,
        signer: MirrorSigner | None = None,
        *,
        begin: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._target = target
        self._visits = visits
        self._signer = signer
        self._begin = begin
        self._clock = clock or Clock()
        self._signed = client.accepted.signed
        self._format = client.log_format
        self._where = f"{target.url}/{self._format.checkpoint}"
        if signer is not None and self._format is not TLOG_TILES:
            raise UsageError(
                f"{self._signed.origin} is kept as {name_of(self._format)}, and mirrors that cosign serve tlog-tiles",
                hint="without --cosign it is mirrored as it is",
            )
        # policies change, so it is not known which cosignatures an older checkpoint needed
        self._signers = client.policy.without_quorum()

    def run(self, told: Callable[[int], None] = lambda _count: None) -> Mirrored:
        """Let the mirror have all that the log has, and return what that came to.

        told   is called with how many more of the log's entries it has; first with those it had before

        Raises ForkError, with the evidence, if log and mirror have two histories; Refused if something else is where
        the mirror is to be; what reading raises for a log that is not sound; AccessError.
        """
        found, version = self._read()
        before = found.tree if found else None
        self._check_consistent(found)
        tree = self._signed.tree
        if found is not None and found.tree.size > tree.size:
            return Mirrored(before, found.tree, 0, 0, (), published=False, cosigned=self._time(found))
        # of what is published without the mirror's own signature, nobody knows whether all of its tree is there
        trusted = found.tree.size if found and (self._signer is None or self._signer.own(found)) else 0
        told(trusted)
        issuers = IssuerCopier(self._client.fetcher, self._target)
        beside = [issuers.copy] if self._format is STATIC_CT else []
        copier = TreeCopier(self._client, self._target, told, *beside)
        copier.copy(trusted)
        if self._signer is not None and copier.withheld:
            raise Refused(
                f"the log withholds entries of bundle {copier.withheld[0]}, so the mirror cannot say that it has them",
                hint="without --cosign it is mirrored all the same; nothing was published or signed",
            )
        if self._format is TLOG_TILES:
            self._put_policy()
        self._target.barrier()
        published = self._publish(found, version)
        now = self._read()[0] or self._signed
        return Mirrored(
            before,
            now.tree,
            copier.objects,
            issuers.copied,
            tuple(copier.withheld),
            published=published,
            cosigned=self._time(now),
        )

    # ---- what the mirror publishes

    def _read(self) -> tuple[SignedCheckpoint | None, Version | None]:
        """Return what the mirror publishes, signed by the log, and its version.

        Raises Refused for another log's, and where a mirror that cosigned has nothing, or nothing that it has signed;
        LogError for what the log has not signed.
        """
        where = self._where
        try:
            stored = self._target.read(self._format.checkpoint, MAX_NOTE_SIZE)
        except NotFound:
            if self._signer is not None and not self._begin:
                raise Refused(
                    f"there is no {where}: this mirror has cosigned nothing, or what it cosigned was removed",
                    hint="if it is a new mirror, --begin begins it; otherwise put the checkpoint back first",
                ) from None
            return None, None
        try:
            signed = self._format.parse_checkpoint(stored.data)
            if signed.origin != self._signed.origin:
                raise Refused(
                    f"{where} is of the log {signed.origin}, not of {self._signed.origin}", hint="choose another place"
                )
            self._signers.accept(signed)
            own = self._signer.own(signed) if self._signer else None
        except LogError as error:
            raise placed(error, where, error.message) from None
        if self._signer is not None and own is None and not self._begin:
            raise Refused(
                f"{where} has no cosignature by {self._signer.verifier}: it is not what this mirror published",
                hint="if this copy is to become a mirror that cosigns, --begin verifies all of it first",
            )
        return signed, stored.version

    def _check_consistent(self, found: SignedCheckpoint | None) -> None:
        """Raise ForkError unless the smaller one of the log's tree and the mirror's is a beginning of the other."""
        if found is None:
            return
        here = StoreFetcher(self._target)
        try:
            if found.tree.size > self._signed.tree.size:
                tree = VerifiedTree(TileSource(here, self._format, lenient=False), found.tree, found.origin)
                check_extends(self._signed, found, tree)
            else:
                check_history(self._client, found)
        except ForkError as fork:
            error = forked(fork, self._client.policy, self._visits) if self._visits else fork
            raise placed(error, self._where, error.message) from None

    def _publish(self, found: SignedCheckpoint | None, version: Version | None) -> bool:
        """Replace the checkpoint, whose tree is there and lasts; return whether that was necessary, or too late."""
        for attempt in among_writers(self._clock):
            if attempt:
                found, version = self._read()
                self._check_consistent(found)
            if found is not None and found.tree.size > self._signed.tree.size:
                return False  # another run was further on
            text = self._text(found)
            if found is not None and text == found.data:
                self._target.barrier()  # it may not last yet: the run that wrote it may have died right after
                return attempt > 0
            with suppress(Conflict, OutcomeUnknown):  # then it is read again, and decides
                self._target.swap(self._format.checkpoint, text, version)
                return True
        raise AccessError(f"{self._where} kept changing")

    def _text(self, found: SignedCheckpoint | None) -> bytes:
        """Return what is to be published instead of what is: the log's bytes, or those and the mirror's line."""
        if self._signer is not None:
            size = found.tree.size if found else 0
            proof = prove_consistency(self._client, size, self._signed.tree.size).hashes
            return self._signer.sign(self._signed, found, proof).data
        if found is None or found.tree != self._signed.tree:
            return self._signed.data
        # of one tree, a checkpoint is only replaced by one with a cosignature that it lacks
        known = {each.key for each in self._signers.accept(found).cosignatures}
        more = [each for each in self._client.accepted.cosignatures if each.key not in known]
        return self._signed.data if more else found.data

    def _time(self, signed: SignedCheckpoint) -> int | None:
        own = self._signer.own(signed) if self._signer else None
        return own.timestamp if own else None

    def _put_policy(self) -> None:
        """Copy the log's policy, by which readers who have never seen it learn its key, if it names the right one.

        Nobody has signed it, so it is a convenience; without it, or if it is wrong, readers of the mirror name the key.
        """

        def naming_the_key(data: bytes) -> bytes:
            if self._client.accepted.log not in parse_policy(data).keys_of(self._signed.origin):
                raise LogError("the policy names another key")
            return data

        with suppress(TilesError):
            data = fetch_for(self._client.fetcher, POLICY, MAX_POLICY_SIZE, naming_the_key)
            replace_object(self._target, POLICY, data)
