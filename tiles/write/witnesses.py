"""Asking the witnesses of a policy: all at the same time, with one deadline, and believing none of them.

    POST <url>/add-checkpoint → its lines, or the size that it holds → the same with another proof → what it shows

No size is remembered. A witness that cosigned the published checkpoint holds that tree, and most do; one that holds
another says so (409), which is a hint: the proof is made again from the size it says. A size above ours may mean that
another writer is further on, so the head is read again. If that is not so, the witness's own published checkpoint
decides: if the log's key signed it, for more than the head holds, storage was put back, and nothing is published.
A witness that lies has not cosigned; whatever it says or sends, it cannot change what is published, nor delay it by
more than the deadline. Requests are made in other threads; this one alone reads the log and judges the answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from tiles.errors import LogError, NotFound, Refused, TilesError, explained
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.cosigned import NO_LINE, cosignatures, shortfall, union, usable
from tiles.notes.note import Signature
from tiles.notes.policy import Policy, Witness
from tiles.notes.witness_messages import AddCheckpoint, parse_signatures, parse_size
from tiles.parallel import Pool
from tiles.store import Store
from tiles.tree.plan import Plan
from tiles.write.cosign import Cosigned, Overtaken, Witnessing
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.signed_before import keep_witnessed

if TYPE_CHECKING:
    from tiles.read.http_post import Posted

_ASKED = 3  # times in one run: with the size that is expected, with the one that it says, and once more if that changes


@dataclass
class _Place:
    """One URL, with the witnesses of the policy that answer there. why: what it has not cosigned for"""

    url: str
    asked: int = 0
    why: str = "no answer in time"


Now = Callable[[], float]
_Answer = tuple[_Place, "Callable[[], None] | BaseException"]


class Witnesses:
    """Asks the witnesses of one log. now: seconds that only ever grow; today: POSIX seconds"""

    def __init__(
        self, private: Store, tree: OwnTree, how: Witnessing, today: Now = time.time, now: Now = time.monotonic
    ) -> None:
        self.private = private
        self.tree = tree
        self.how = how
        self.now = now
        self.today = today
        self.busy: set[str] = set()  # URLs of requests that have not come to an end, perhaps of an earlier call

    def collect(
        self,
        signed: SignedCheckpoint,
        policy: Policy,
        published: int,
        planned: Plan | None = None,
        *,
        everyone: bool = False,
    ) -> Cosigned:
        """Return the checkpoint with the lines of as many witnesses as the policy needs.

        published   the size of the last published tree: what a witness holds, as far as anybody knows
        planned     the plan whose tiles were just written; None reads all tiles
        everyone    ask those as well that have cosigned, and wait for all until the deadline
        Raises Overtaken if another writer is further on; Refused, with the evidence saved, if storage was put back.
        """
        asking = _Asking(self, signed, policy, published, planned)
        there = {} if everyone else cosignatures(signed.checkpoint, signed.note.signatures, policy)
        urls = dict.fromkeys(each.url for each in policy.witnesses if each.url and each.key not in there)
        if everyone or self.how.extra or shortfall(signed, policy):
            asking.ask([_Place(url) for url in urls], everyone=everyone)
        return asking.result()


class _Asking:
    """One checkpoint, on its way to the witnesses."""

    def __init__(
        self, of: Witnesses, signed: SignedCheckpoint, policy: Policy, published: int, planned: Plan | None
    ) -> None:
        self._of = of
        self._how = of.how
        self._signed = signed
        self._policy = policy
        self._published = published
        self._planned = planned
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._under_way = 0
        self._places: dict[str, _Place] = {}
        self._deadline = of.now() + self._how.timeout

    def ask(self, places: list[_Place], *, everyone: bool) -> None:
        """Ask all of them, until the policy is met, or the time is over."""
        self._places = {place.url: place for place in places}
        ways = self._how.ways
        # with 1 the caller's thread would wait for each, and know no deadline
        with Pool(min(ways.parallel, 1 + len(places))) as self._pool:
            for place in places:
                if place.url in self._of.busy:
                    place.why = "an earlier request has not come to its end"
                elif ways.answers(place.url):
                    self._post(place, min(self._published, self._signed.tree.size))
                else:
                    self._look(place)
            met: float | None = None
            while self._under_way:
                if met is None and not everyone and not shortfall(self._signed, self._policy):
                    met = self._of.now()
                end = self._deadline if met is None else met + self._how.extra
                try:
                    place, then = self._answers.get(timeout=max(0.0, end - self._of.now()))
                except Empty:
                    return
                self._under_way -= 1
                if isinstance(then, BaseException):
                    raise then
                then()

    def result(self) -> Cosigned:
        """Return what came of it."""
        there = cosignatures(self._signed.checkpoint, self._signed.note.signatures, self._policy)
        names = [(_shown(each), each) for each in self._policy.witnesses]
        missing = []
        for name, witness in names:
            if witness.key not in there:
                place = self._places.get(witness.url)
                why = place.why if place else "not asked" if witness.url else "the policy gives no URL of it"
                missing.append((name, why))
        cosigned = tuple(name for name, witness in names if witness.key in there)
        return Cosigned(self._signed, cosigned, tuple(missing), shortfall(self._signed, self._policy))

    # ---- requests

    def _start(self, place: _Place, request: Callable[[], Callable[[], None]]) -> None:
        """Let another thread make a request; what it returns, this one does."""
        busy = self._of.busy
        busy.add(place.url)
        self._under_way += 1

        def run() -> None:
            try:
                then: Callable[[], None] | BaseException = request()
            except BaseException as error:  # noqa: BLE001  raised by the thread that waits
                then = error
            busy.discard(place.url)
            self._answers.put((place, then))

        self._pool.start(run)

    def _left(self) -> float:
        return max(0.1, self._deadline + self._how.extra - self._of.now())

    def _post(self, place: _Place, old: int) -> None:
        """Send the checkpoint with the proof that it extends the tree of that size."""
        proof = self._of.tree.prove_since(old, self._signed.tree, self._planned)
        body = AddCheckpoint(old, proof, self._signed).data
        place.asked += 1
        seconds = self._left()

        def request() -> Callable[[], None]:
            try:
                posted = self._how.ways.ask(place.url, body, seconds)
            except TilesError as error:
                why = error.message
                return lambda: self._instead(place, why)
            return lambda: self._posted(place, posted)

        self._start(place, request)

    def _look(self, place: _Place) -> None:
        """Look at what it has published."""
        seconds = self._left()

        def request() -> Callable[[], None]:
            try:
                seen = self._how.ways.look(place.url, self._signed.origin, seconds)
            except TilesError as error:
                if self._how.ways.answers(place.url):
                    return lambda: None  # what it answered before says more
                why = "it shows no checkpoint of this log yet" if isinstance(error, NotFound) else error.message
                return lambda: self._failed(place, why)
            return lambda: self._seen(place, seen)

        self._start(place, request)

    # ---- answers

    def _failed(self, place: _Place, why: str) -> None:
        place.why = why

    def _instead(self, place: _Place, why: str) -> None:
        """It has not cosigned, so look at what it shows: it may be one that comes by itself."""
        self._failed(place, why)
        self._look(place)

    def _posted(self, place: _Place, posted: Posted) -> None:
        try:
            if posted.status == 200:
                if why := self._keep(parse_signatures(posted.data)):
                    self._instead(place, f"its answer has {why}")
                else:
                    self._failed(place, "its answer has no line by this key")
            elif posted.status == 409:
                self._holds(place, parse_size(posted.data))
            else:
                self._instead(place, f"it answers {posted.status}")
        except LogError as error:
            self._instead(place, f"its answer is {error.message}")

    def _keep(self, lines: tuple[Signature, ...]) -> str:
        """Add the lines that count; return "", or what there is instead of one."""
        fit, why = usable(self._signed.checkpoint, lines, self._policy, self._of.today())
        if fit:
            self._signed = union(self._signed.checkpoint, [*self._signed.note.signatures, *fit], self._policy)
        return why

    def _holds(self, place: _Place, size: int) -> None:
        """It says that it holds a tree of another size, which is a hint and no more."""
        if size > self._signed.tree.size:
            if read_head(self._of.private)[0].tree.size >= size:
                raise Overtaken
            self._instead(place, f"it says that it has cosigned size {size}, and shows no such checkpoint of this log")
        elif place.asked < _ASKED:
            self._post(place, size)
        else:
            self._instead(place, "it says each time that it holds another size")

    def _seen(self, place: _Place, data: bytes) -> None:
        """Take the lines in what it shows, if it is of this tree; and look whether the log's key has signed more."""
        try:
            seen = parse_signed_checkpoint(data)
        except LogError as error:
            if not self._how.ways.answers(place.url):
                self._failed(place, f"what it shows is {error.message}")
            return
        if (why := self._keep(seen.note.signatures)) != NO_LINE:
            self._failed(place, f"what it shows has {why or 'no line by this key'}")
            return
        try:
            seen = self._of.tree.own_checkpoint(data)
        except (LogError, Refused):  # not signed by the log's key, or another log's: it says nothing
            if not self._how.ways.answers(place.url):
                self._failed(place, "what it shows is no checkpoint of this log")
            return
        self._check_seen(place, seen)
        if not self._how.ways.answers(place.url):
            self._failed(place, f"it shows size {seen.tree.size}, and has not come by since")

    def _check_seen(self, place: _Place, seen: SignedCheckpoint) -> None:
        """Raise Refused if the log's key has signed a tree that the log does not contain."""
        tree = self._signed.tree
        if seen.tree.size < tree.size:
            try:
                ours = self._of.tree.tree_at(seen.tree.size, tree) if seen.tree.size else seen.tree
            except TilesError:
                return  # tiles that cannot be read say nothing of what was signed
        else:
            ours = tree
        if seen.tree == ours:
            return
        if seen.tree.size > tree.size and read_head(self._of.private)[0].tree.size >= seen.tree.size:
            raise Overtaken
        self._refuse(place, seen)

    def _refuse(self, place: _Place, seen: SignedCheckpoint) -> None:
        """Keep what a witness shows as evidence, and refuse."""
        kept = keep_witnessed(self._of.private, seen.data)
        names = ", ".join(_shown(each) for each in self._policy.witnesses if each.url == place.url)
        raise Refused(
            f"the witness {names} shows that {seen.tree} was signed, and the log has {self._signed.tree}{kept}",
            hint=explained(
                "something-was-put-back",
                "storage holds an older copy, or is out of order: restore the newest copy of both parts of the log",
            ),
        )


def _shown(witness: Witness) -> str:
    return witness.name.decode("utf-8", "backslashreplace")
