"""From a committed tree to its published checkpoint: write, sign, cosign, publish, tidy.

Steps 6 to 10 of the commit (docs/data-flow.md). Whoever has a committed tree takes them, its writer or a later run;
each step finds what was done already and does the rest, with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from tiles.errors import AccessError, Conflict, Malformed, NotFound, OutcomeUnknown, ProofError, Refused
from tiles.inbox.submission import INBOX, parse_name
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import MAX_POLICY_SIZE, Policy
from tiles.read.tiles import fetch_tile
from tiles.records.head import Head
from tiles.records.staged_batch import Batch, digest
from tiles.retry import Backoff
from tiles.signing.signer import Signer
from tiles.store import Differs, Store, StoreFetcher
from tiles.tree.layout import CHECKPOINT, POLICY, Tile, checkpoint_path
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.tree.plan import Plan
from tiles.tree.proof import Node, build_proof, consistency_nodes, verify_consistency
from tiles.tree.reader import TreeReader
from tiles.write.load import Guard, State

REJECTED = "rejected/"  # of the private part: what was refused, and why


def rejection_path(name: str) -> str:
    """Return where it is kept why a submission was refused.

    name   below `inbox/`. One that no submission has may be the folder of another, which no two files can be.
    """
    try:
        return REJECTED + parse_name(name).text
    except Malformed:
        return f"{REJECTED}.odd/{digest(name.encode())}"


class Overtaken(Exception):
    """Another writer is further on than the tree at hand, which therefore is published."""


class Releaser:
    """Takes committed trees of one log to publication."""

    def __init__(
        self, public: Store, private: Store, signer: Signer, guard: Guard, backoff: Backoff, now: Callable[[], float]
    ) -> None:
        self._public = public
        self._private = private
        self._signer = signer
        self._guard = guard
        self._backoff = backoff
        self._now = now
        self._day = ""  # the last day whose first checkpoint is known to be kept

    def release(self, state: State, planned: Plan | None, tree: TreeHead) -> SignedCheckpoint:
        """Take a committed tree from its plan (None: it has no new entries) to its published checkpoint."""
        if planned is not None:
            self._write(planned)
        signed = self._cosign(self._sign(tree, planned, state.anchor), state.policy)
        self._publish(signed, state)
        return signed

    def _write(self, planned: Plan) -> None:
        self._public.create(planned.objects)
        self._public.barrier()

    def check_anchor(self, state: State) -> None:
        """Raise Refused, before anything is written, if what is published does not extend what was signed.

        Usually the anchor is the published tree, or the committed one. It lags behind where a signer comes back.
        """
        anchor = state.anchor
        published = state.published.tree if state.published else None
        if (
            anchor is None
            or published is None
            or anchor in (published, state.head.tree)
            or anchor.size > published.size
        ):
            return
        proof = self._prove(anchor, published, None)
        try:
            verify_consistency(anchor, published, proof)
        except ProofError as error:
            raise Refused(
                f"the published tree of {published} does not extend the one of {anchor} that was signed before",
                hint="storage was changed or put back, or the anchor is of another history; nothing was signed",
            ) from error

    def _sign(self, tree: TreeHead, planned: Plan | None, anchor: TreeHead | None) -> SignedCheckpoint:
        """Sign a committed tree. anchor: what the signer remembered when the log was loaded."""
        for attempt in self._backoff.attempts():
            if attempt:
                anchor = self._signer.memory.recall()[0]
            since = anchor or EMPTY_TREE
            if since.size > tree.size:
                raise Overtaken
            proof = self._prove(since, tree, planned)
            with suppress(Conflict, OutcomeUnknown):  # then the anchor is read again, and decides
                return self._signer.sign(tree, since, proof)
        raise AccessError(f"{self._signer.memory.store.url}: the anchor kept moving")

    def _prove(self, since: TreeHead, tree: TreeHead, planned: Plan | None) -> tuple[Hash, ...]:
        """Return the consistency proof, out of the tiles."""
        parts = consistency_nodes(since.size, tree.size)
        return build_proof(parts, self.reader(tree, [node for part in parts for node in part], planned).hash)

    def reader(self, tree: TreeHead, nodes: Sequence[Node], planned: Plan | None) -> TreeReader:
        """Return a reader that believes the hashes of `nodes`, from the tiles just written or from storage."""
        fresh = planned.objects if planned else {}
        reader = TreeReader(tree)
        reader.accept({tile: fresh.get(tile.path) or self.read_tile(tile) for tile in reader.wanted(nodes)})
        return reader

    def _cosign(self, signed: SignedCheckpoint, policy: Policy) -> SignedCheckpoint:
        """Return the checkpoint with the cosignatures that the policy asks for, which today are none."""
        policy.accept(signed, signed.origin)
        return signed

    def _publish(self, signed: SignedCheckpoint, state: State) -> None:
        version = state.published_version
        for _ in self._backoff.attempts():
            try:
                self._public.swap(CHECKPOINT, signed.data, version)
            except (Conflict, OutcomeUnknown):
                found, version = self._guard.read_checkpoint()
                if found is None or found.tree.size < signed.tree.size:
                    continue
                if found.tree.size == signed.tree.size and found.tree != signed.tree:
                    raise Refused(f"the published tree is {found.tree}, the committed one {signed.tree}") from None
                return
            else:
                return
        raise AccessError(f"{self._public.url}/{CHECKPOINT} kept changing")

    def tidy(self, state: State, head: Head, batch: Batch | None, signed: SignedCheckpoint) -> None:
        """Keep the checkpoint for history; the staged batch goes last, as it is what a next run would finish from."""
        day = f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%d}"
        if signed.tree == head.tree:
            self._keep(checkpoint_path(signed.tree.size), signed)
            if day != self._day:
                self._keep(f"checkpoints/days/{day}", signed)
                self._day = day
        if batch is None:
            self._show_policy(state.policy)
        self._public.barrier()  # the next commit is on top of this one: no run will come here again for it
        if batch is not None and head.staged_path is not None:
            self._settle_inbox(batch)
            self._private.delete([head.staged_path])

    def _settle_inbox(self, batch: Batch) -> None:
        """Take the submissions that the batch decided out of the inbox, and leave word of those it refused."""
        if not (batch.took or batch.refused):
            return
        self._record({rejection_path(name): f"{name} {reason}\n".encode() for name, reason in batch.refused})
        self._private.barrier()  # one that is in neither place counts as logged
        self._private.delete([f"{INBOX}{name}" for name in (*batch.took, *(name for name, _ in batch.refused))])
        self._private.barrier()  # they must not come back once no staged batch says that they are decided

    def _record(self, refusals: dict[str, bytes]) -> None:
        """Write what was refused; of one that was refused before, with other content, the first record stays."""
        try:
            self._private.create(refusals)
        except Differs:  # and some of the others may not be there
            for path, data in refusals.items():
                with suppress(Differs):
                    self._private.create({path: data})

    def _show_policy(self, policy: Policy) -> None:
        """Publish a copy of the policy; it changes by a commit without a batch only."""
        try:
            shown = self._public.read(POLICY, MAX_POLICY_SIZE)
        except NotFound:
            shown = None
        if shown is None or shown.data != policy.data:
            with suppress(Conflict):  # another run shows it at this moment
                self._public.swap(POLICY, policy.data, shown.version if shown else None)

    def _keep(self, path: str, signed: SignedCheckpoint) -> None:
        try:
            self._public.create({path: signed.data})
        except Differs:
            return  # the first one stays

    def read_tile(self, tile: Tile) -> bytes:
        """Return what is stored, not believed yet; a partial tile that gc has removed is cut from the full one.

        Raises Refused if it is gone: a log cannot grow without its edge.
        """
        try:
            return fetch_tile(StoreFetcher(self._public), tile)
        except NotFound:
            raise Refused(f"{self._public.url}/{tile.path} is gone; the log cannot grow without it") from None
