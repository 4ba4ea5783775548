"""The index of a log by whoever writes the log: signed with the log's key, and following the log as it grows.

`build` begins an index of a kind of keys, or lets it catch up, and says what went wrong. `update` is for whoever has
just published: it takes one step for each kind that is kept, and it never raises. The entries are published whatever
becomes of their index, and the next run, or `build`, goes on where this one stopped.

What this run has published itself is not read again. Its records come from the plan from whose root the checkpoint was
made.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import closing

from tiles.entries.key_kinds import OWN_KINDS, known_kinds, may_have
from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, NAME, SHA256
from tiles.errors import Conflict, Refused, TilesError, VerificationError
from tiles.index.build import STEP, Entries, IndexBuilder, Told
from tiles.index.check import Damages, check_index, read_head
from tiles.index.fresh import Fresh
from tiles.index.spread import SpreadLog
from tiles.notes.index_head import RUN_ENTRIES, IndexHead
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.notes.policy import policy_of
from tiles.parallel import BUCKET_READS
from tiles.read.client import SCAN_LIMIT, LogClient
from tiles.read.runs import Hands
from tiles.records.paths import INDEX
from tiles.retry import Clock, Pauses, attempts
from tiles.signing.signer import Signer
from tiles.sigstore.revocation import REVOKED
from tiles.store import Store, StoreFetcher
from tiles.tree.plan import Plan
from tiles.write.own_tree import OwnTree

DEFAULT_KINDS = (LEAF, SHA256, NAME, REVOKED)
SIGNED_KINDS = (KEY, IDENTITY, ISSUER)  # of use in a log that has entries which somebody signed
DIGEST_KINDS = (SHA256,)  # of use in a log that has others than raw entries: whoever has those has their leaf hashes

MOST_WAITING = 1 << 20  # entries: 16 MB of records for each kind
LONGEST_WAIT = 10.0  # seconds

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
        self._tree = OwnTree(public, *signer.keys.held)
        self._fresh = Fresh()
        self._kinds: dict[str, bool] | None = None  # that are kept, and whether to begin them; None: to be found out
        self._was_few = False  # when that was found out, the log was small enough to look through
        self._since = 0.0  # when a batch began to wait
        self._signed = False  # whether this run has published an entry that somebody signed
        self._digests = False  # and one that holds the digest by which it is found
        self._raw = 0  # up to where the log is known to have raw entries only
        self._problem = ""  # of the last step
        self._goal = -1  # up to which all kinds are known to be covered

    def build(self, kind: str, told: Told | None = None, hands: Hands | None = None) -> IndexHead:
        """Begin the index of a kind of keys, or let it catch up, and return its head.

        told    is called with the covered size, first with that of the head that was there
        hands   compute records of entries
        Raises what `IndexBuilder.build` does; Refused if the signer may not sign it.
        """
        with closing(SpreadLog(self._client(), hands or Hands())) as log:
            return self._builder(log).build(self._signer.verifier.name, kind, self._clock, told)

    def repair(self, kind: str, scratch: Store, told: Told | None = None) -> Damages:
        """Put back objects of an index that are missing or damaged, and return which they were.

        scratch   an empty place, where the index is computed again
        Each one is deleted, and then created as the head stands for it. If a run dies in between, one is missing, and
        the next repair creates it. Raises VerificationError if the head itself does not follow from the entries:
        then the index is wrong, and stays what it is.
        """
        log, key = self._client(), self._signer.verifier
        signed = read_head(StoreFetcher(self._public), kind, [key, *_others(self._signer)])
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

    def update(self, stopped: Callable[[], Container[str]] = tuple, *, more: bool = False) -> str:
        """Cover more of what is published, by at most one step of each kind; return why that is not all, or "".

        A kind is kept once it was begun. Where looking through all entries would take too long, those that readers
        look for first are begun, and those of signed entries once this run has published one. That of digests is not
        begun in a log that has raw entries only: it takes nearly as long as all the rest, and whoever has
        such an entry finds it by its leaf hash.

        stopped   returns the kinds that are left as they are; called only if there is something to do
        more      this is called again soon, for the next batch: then this batch may wait, up to MOST_WAITING entries
                  and LONGEST_WAIT seconds in all, because many small steps write many runs that are merged at once
        """
        try:
            return self._update(stopped, more=more)
        except TilesError as error:
            return error.message
        except Exception as error:  # noqa: BLE001  whatever it is, the entries are published
            return f"a fault of tiletree itself, {type(error).__name__}"

    def catch_up(self) -> None:
        """Let the index of leaf hashes cover a step more of the log, and begin it if there is none.

        Raises what `build` does.
        """
        self._step(self._client(), LEAF, begin=True)

    def _update(self, stopped: Callable[[], Container[str]], *, more: bool) -> str:
        plan, now = self._grown(), self._clock.now()
        if plan is not None:
            size = plan.base + plan.count
            self._look_at(plan)
            if not _goal(size):
                return ""
            if self._kinds is None:
                self._since = now
            if self._kinds is None or (self._was_few and size > SCAN_LIMIT):  # it has grown while batches waited
                self._kinds, self._was_few = dict(self._kept(size, stopped())), size <= SCAN_LIMIT
            self._fresh.take(plan, self._kinds)
            if _goal(size) == self._goal:
                return ""  # no more can be covered
            if more and self._fresh.entries < MOST_WAITING and now < self._since + LONGEST_WAIT:
                return self._problem
        self._problem = self._follow(stopped)
        return self._problem

    def _look_at(self, plan: Plan) -> None:
        """Note what kinds of entries this run has published."""
        if not self._signed and _has(plan, KEY):
            self._signed, self._kinds = True, None
        if not self._digests and _has(plan, *DIGEST_KINDS):
            self._digests, self._kinds = True, None
        if not self._digests and plan.base == self._raw:
            self._raw += plan.count

    def _follow(self, stopped: Callable[[], Container[str]]) -> str:
        log = self._client()
        goal, problems, least = _goal(log.tree.size), [], log.tree.size
        kinds, self._kinds = self._kinds, None
        if kinds is None:
            kinds = dict(self._kept(log.tree.size, stopped()) if goal else ())
        for kind, begin in kinds.items():
            try:
                least = min(least, self._step(log, kind, begin=begin) or least)
            except TilesError as error:
                problems.append(error.message)
        self._fresh.drop()
        if not problems and least < goal - STEP:
            problems.append(f"it covers {least} of {log.tree.size} entries")
        self._goal = goal if least >= goal and not problems else -1
        return "; ".join(problems[:1])

    def _kept(self, size: int, stopped: Container[str]) -> Iterator[tuple[str, bool]]:
        """Yield the kinds of keys whose index may be there, or is to be begun, and whether it is."""
        names = set(self._public.folders(INDEX))
        local = any("." in name for name in names)
        wanted = {*DEFAULT_KINDS, *(SIGNED_KINDS if self._signed else ())} if size > SCAN_LIMIT else set()
        # where a run has begun the one and not the others, the log had raw entries only, and those of this run are raw
        if self._raw == size or (_folder(LEAF) in names and not self._digests):
            wanted -= {*DIGEST_KINDS}
        for kind in known_kinds() if local else OWN_KINDS:
            begin = kind in wanted
            if kind not in stopped and (begin or _folder(kind) in names):
                yield kind, begin

    def _step(self, log: LogClient, kind: str, *, begin: bool) -> int | None:
        """Return up to where the index covers the log now; None if there is none."""
        head = self._builder(log).step(self._signer.verifier.name, kind, self._clock, begin=begin)
        return head.tree.size if head is not None else None

    def _client(self) -> LogClient:
        fetcher = StoreFetcher(self._public, min(self._public.parallel, BUCKET_READS))
        return LogClient(fetcher, policy_of(self._signer.keys.held))

    def _builder(self, log: Entries) -> IndexBuilder:
        return IndexBuilder(self._public, log, self._sign, self._signer.verifier, self._fresh, _others(self._signer))

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


def _others(signer: Signer) -> list[VerifierKey]:
    """Return the other keys of the log by which an index head that is there may be signed."""
    return [key for key in signer.keys.held[1:] if key.type in SIGNS_TEXT]


def _folder(kind: str) -> str:
    """Return the folder below which the indexes of all versions of a kind are."""
    return kind.partition("/")[0]


def _has(plan: Plan, *kinds: str) -> bool:
    """Return whether a batch may have an entry that has a key of some kinds, and is not raw."""
    return any(map(plan.holds, {begins for kind in kinds for begins in may_have(kind)} - {b""}))


def _goal(size: int) -> int:
    """Return how many entries of a log of a size an index can cover."""
    return size // RUN_ENTRIES * RUN_ENTRIES
