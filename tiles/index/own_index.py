"""The index of a log by whoever writes the log: signed with the log's key, and following the log as it grows.

`build` begins an index of a kind of keys, or lets it catch up, and says what went wrong. `update` is for whoever has
just published: it takes one step for each kind that is kept, and it never raises. The entries are published whatever
becomes of their index, and the next run, or `build`, goes on where this one stopped.

What this run has published itself is not read again. The leaf hashes and the entries come from the plan from whose root
the checkpoint was made.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from functools import cached_property

from tiles.entries.key_kinds import OWN_KINDS, known_kinds
from tiles.entries.kinds import LEAF, NAME, SHA256, Rekor, Revoked
from tiles.entries.signer_keys import IDENTITY, ISSUER, KEY
from tiles.errors import Conflict, Refused, TilesError, VerificationError
from tiles.index.build import STEP, IndexBuilder, Told
from tiles.index.check import Damages, check_index, read_head
from tiles.notes.index_head import RUN_ENTRIES, IndexHead
from tiles.notes.policy import policy_for
from tiles.parallel import BUCKET_READS
from tiles.read.client import SCAN_LIMIT, LogClient
from tiles.records.paths import INDEX
from tiles.retry import Clock, Pauses, attempts
from tiles.signing.signer import Signer
from tiles.sigstore.revocation import REVOKED
from tiles.store import Store, StoreFetcher
from tiles.tree.bundle import decode_entries
from tiles.tree.merkle import Hash, TreeHead
from tiles.tree.plan import Plan
from tiles.write.own_tree import OwnTree

DEFAULT_KINDS = (LEAF, SHA256, NAME)
SIGNED_KINDS = (KEY, IDENTITY, ISSUER, REVOKED)  # of use in a log that has entries which somebody signed

_WRITERS = Pauses(20, 0.05, 1.0)  # the anchor moves whenever another writer publishes


class OwnIndex:
    """The index of one log.

    public   the log's public part, ready to be written to
    grown    returns the plan of the batch that was published last, once (`OwnTree.grown`)
    """

    def __init__(self, public: Store, signer: Signer, grown: Callable[[], Plan | None], clock: Clock) -> None:
        self._public = public
        self._signer = signer
        self._grown = grown
        self._clock = clock
        self._tree = OwnTree(public, signer.verifier)
        self._recent: list[_Recent] = []
        self._goal = -1  # up to which all kinds are known to be covered

    def build(self, kind: str, told: Told | None = None) -> IndexHead:
        """Begin the index of a kind of keys, or let it catch up, and return its head.

        told   is called with the covered size, first with that of the head that was there
        Raises what `IndexBuilder.build` does; Refused if the signer may not sign it.
        """
        log = _Entries(self._client(), ())
        return self._builder(log).build(self._signer.verifier.name, kind, self._clock, told)

    def repair(self, kind: str, scratch: Store, told: Told | None = None) -> Damages:
        """Put back objects of an index that are missing or damaged, and return which they were.

        scratch   an empty place, where the index is computed again
        Each one is deleted, and then created as the head stands for it. If a run dies in between, one is missing, and
        the next repair creates it. Raises VerificationError if the head itself does not follow from the entries:
        then the index is wrong, and stays what it is.
        """
        log, key = self._client(), self._signer.verifier
        signed = read_head(StoreFetcher(self._public), kind, [key])
        found = check_index(StoreFetcher(self._public), log, key.name, kind, signed.head, scratch, told, self._put_back)
        self._public.barrier()
        if found.lies:
            raise VerificationError(
                f"the index {kind} does not follow from the entries: {found.lies[0]}",
                hint="begin the next version of the kind; an index that was begun wrongly is not repaired",
                evidence={"index head": signed.data},
            )
        return found.damaged

    def _put_back(self, path: str, data: bytes) -> None:
        self._public.delete([path])
        self._public.create({path: data})

    def update(self, stopped: Callable[[], Container[str]] = tuple) -> str:
        """Cover more of what is published, by at most one step of each kind; return why that is not all, or "".

        A kind is kept once it was begun. Where looking through all entries would take too long, those that readers
        look for first are begun, and those of signed entries once this run has published one.

        stopped   returns the kinds that are left as they are; called only if there is something to do
        """
        try:
            return self._update(stopped)
        except TilesError as error:
            return error.message
        except Exception as error:  # noqa: BLE001  whatever it is, the entries are published
            return f"a fault of tiletree itself, {type(error).__name__}"

    def catch_up(self) -> None:
        """Let the index of leaf hashes cover a step more of the log, and begin it if there is none.

        Raises what `build` does.
        """
        self._step(_Entries(self._client(), ()), LEAF, begin=True)

    def _update(self, stopped: Callable[[], Container[str]]) -> str:
        self._take(self._grown())
        if self._recent and _goal(self._recent[-1].stop) in (0, self._goal):
            return ""  # no run more can be full
        log = _Entries(self._client(), self._recent)
        goal, problems, least = _goal(log.tree.size), [], log.tree.size
        for kind, begin in self._kinds(log.tree.size, stopped()) if goal else ():
            try:
                least = min(least, self._step(log, kind, begin=begin) or least)
            except TilesError as error:
                problems.append(error.message)
        self._recent = [recent for recent in self._recent if recent.stop > goal]
        if not problems and least < goal - STEP:
            problems.append(f"it covers {least} of {log.tree.size} entries")
        self._goal = goal if least >= goal and not problems else -1
        return "; ".join(problems[:1])

    def _take(self, plan: Plan | None) -> None:
        if plan is None or (self._recent and self._recent[-1].stop != plan.base):
            self._recent = []
        if plan is not None:
            self._recent.append(_Recent(plan))

    def _kinds(self, size: int, stopped: Container[str]) -> Iterator[tuple[str, bool]]:
        """Yield the kinds of keys whose index may be there, or is to be begun, and whether it is."""
        names = set(self._public.folders(INDEX))
        local = any("." in name for name in names)
        wanted = self._wanted(names) if size > SCAN_LIMIT else ()
        for kind in known_kinds() if local else OWN_KINDS:
            begin = kind in wanted
            if kind not in stopped and (begin or kind.partition("/")[0] in names):
                yield kind, begin

    def _wanted(self, names: Container[str]) -> Sequence[str]:
        """Return the kinds that are begun if they are not there; names: of those that may be, without version."""
        begins = (Rekor.begins, Revoked.begins)
        if all(kind.partition("/")[0] in names for kind in SIGNED_KINDS) or not any(
            entry.startswith(begins) for recent in self._recent for entry in recent.entries
        ):
            return DEFAULT_KINDS
        return (*DEFAULT_KINDS, *SIGNED_KINDS)

    def _step(self, log: _Entries, kind: str, *, begin: bool) -> int | None:
        """Return up to where the index covers the log now; None if there is none."""
        head = self._builder(log).step(self._signer.verifier.name, kind, self._clock, begin=begin)
        return head.tree.size if head is not None else None

    def _client(self) -> LogClient:
        fetcher = StoreFetcher(self._public, min(self._public.parallel, BUCKET_READS))
        return LogClient(fetcher, policy_for(self._signer.verifier))

    def _builder(self, log: _Entries) -> IndexBuilder:
        return IndexBuilder(self._public, log, self._sign, self._signer.verifier)

    def _sign(self, head: IndexHead) -> bytes:
        for _ in attempts(self._clock, _WRITERS):
            anchor, _version = self._signer.memory.recall()
            if anchor is None:
                raise Refused(f"there is no anchor at {self._signer.memory.store.url}, and no index is signed without")
            proof = self._tree.prove(head.tree, anchor.tree, None)
            try:
                return self._signer.sign_index(head, anchor, proof).data
            except Conflict:
                continue  # another writer has published
        raise Conflict(f"{self._signer.memory.store.url}: the anchor kept moving")


class _Recent:
    """Entries that this run has published itself: [start, stop)."""

    def __init__(self, plan: Plan) -> None:
        self.start, self.stop = plan.base, plan.base + plan.count
        self.leaves = plan.leaves
        self._body = plan.body

    @cached_property
    def entries(self) -> list[bytes]:
        """The entries."""
        return decode_entries(self._body)


class _Entries:
    """The published log: what this run has published itself from memory, the rest from storage, verified."""

    def __init__(self, client: LogClient, recent: Sequence[_Recent]) -> None:
        self._client = client
        self._recent = recent
        self._first = recent[0].start if recent else client.tree.size

    @property
    def tree(self) -> TreeHead:
        """The tree of the published checkpoint."""
        return self._client.tree

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree that the log had at a size."""
        return self._client.tree_at(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, entry) for start ≤ index < stop."""
        yield from self._client.entries(min(start, self._first), min(stop, self._first))
        for recent, first, last in self._parts(start, stop):
            yield from enumerate(recent.entries[first - recent.start : last - recent.start], first)

    def leaves(self, start: int, stop: int) -> Iterator[Sequence[Hash]]:
        """Yield the leaf hashes of the entries [start, stop), several at a time."""
        yield from self._client.leaves(min(start, self._first), min(stop, self._first))
        for recent, first, last in self._parts(start, stop):
            yield recent.leaves[first - recent.start : last - recent.start]

    def _parts(self, start: int, stop: int) -> Iterator[tuple[_Recent, int, int]]:
        for recent in self._recent:
            first, last = max(start, recent.start), min(stop, recent.stop)
            if first < last:
                yield recent, first, last


def _goal(size: int) -> int:
    """Return how many entries of a log of a size an index can cover."""
    return size // RUN_ENTRIES * RUN_ENTRIES
