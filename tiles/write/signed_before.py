"""What the log's key is known to have signed besides what is published, for whoever decides on which tree it goes on.

The anchor holds the largest tree that was signed. But an anchor may be an older copy, or one that was begun anew where
the old one was lost. What was signed after it may still be known: `pending` has it, a checkpoint that was kept, or a
witness. A witness may have cosigned a tree that was never published, because the run died between the two. A head that
were made without asking it would lead to another tree, and the log's key would sign both.

    pending, checkpoints/ → what witnesses show → what they say that they hold

What they show counts if the log's key has signed it. What they only say cannot be verified; but whoever rebuilds a log
is better stopped by it, and can leave a witness that lies out of the policy. One that does not answer is reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from tiles.errors import AccessError, LogError, NotFound, Refused, TilesError, explained
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosigned import cosignatures
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import Policy
from tiles.notes.witness_messages import AddCheckpoint, parse_signatures, parse_size
from tiles.parallel import Pool
from tiles.records.paths import CHECKPOINTS, PENDING, is_day_path, kept_size, witnessed_path
from tiles.signing.anchor import FROZEN, Anchor
from tiles.store import Store
from tiles.tree.merkle import TreeHead
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts

if TYPE_CHECKING:
    from tiles.write.cosign import Witnessing

COMPARED = 16  # kept checkpoints, of sizes and of days each


@dataclass(frozen=True, slots=True)
class Held:
    """What one witness holds of the log, as far as it can be known. name: of the witness, or of several at one URL

    shown   the newest checkpoint that it shows, if the log's key has signed that
    says    the size that it says it has cosigned, if that is not the published tree; -1 if it does not say any
    why     why nothing is known; "" if something is
    """

    name: str
    shown: SignedCheckpoint | None = None
    says: int = -1
    why: str = ""


def signed_here(public: Store, tree: OwnTree) -> Iterator[SignedCheckpoint]:
    """Yield `pending` and the newest of the kept checkpoints, those that the log's key has signed.

    What it has not signed says nothing: anyone may have put it there.
    """
    kept = [listed.path for listed in public.list(CHECKPOINTS)]
    sizes = sorted((path for path in kept if kept_size(path) is not None), key=lambda path: kept_size(path) or 0)
    days = sorted(filter(is_day_path, kept))
    for path in (PENDING, *sizes[-COMPARED:], *days[-COMPARED:]):
        with suppress(NotFound, LogError, Refused):
            yield tree.own_checkpoint(public.read(path, MAX_NOTE_SIZE).data)


def held_by_witnesses(
    policy: Policy,
    published: SignedCheckpoint,
    tree: OwnTree,
    how: Witnessing,
    now: Callable[[], float] = time.monotonic,
) -> list[Held]:
    """Return what each witness of the policy holds of the log; all are asked at the same time, with one deadline.

    A server is sent the published checkpoint, which it has cosigned, or may: if it holds another tree, it says which
    size that has. `now` gives seconds that only ever grow.
    """
    names: dict[str, str] = {}
    for witness in policy.witnesses:
        name = witness.name.decode("utf-8", "backslashreplace")
        if witness.url:
            names[witness.url] = f"{names[witness.url]}, {name}" if witness.url in names else name
    end = now() + how.timeout
    with Pool(min(how.ways.parallel, 1 + len(names))) as pool:
        jobs = {url: pool.start(partial(_ask, how, url, published, policy)) for url in names}
        held = []
        for url, job in jobs.items():
            try:
                shown, says, why = job.result(timeout=max(0.0, end - now()))
            except TimeoutError:
                shown, says, why = None, -1, "no answer in time"
            held.append(_judged(tree, names[url], shown, says, why))
    without = [each.name.decode("utf-8", "backslashreplace") for each in policy.witnesses if not each.url]
    return [*held, *(Held(name, why="the policy gives no URL of it") for name in without)]


def _ask(how: Witnessing, url: str, published: SignedCheckpoint, policy: Policy) -> tuple[bytes | None, int, str]:
    """Return what a witness shows, the size that it says it holds, and why nothing is known of that."""
    ways, says, why = how.ways, -1, ""
    if ways.answers(url):
        size = published.tree.size
        try:
            posted = ways.ask(url, AddCheckpoint(size, (), published).data, how.timeout)
            if posted.status == 409:
                says = parse_size(posted.data)
            elif posted.status != 200:
                why = f"it answers {posted.status}"
            elif not cosignatures(published.checkpoint, parse_signatures(posted.data), policy):
                why = "its answer has no line by a witness of the policy that verifies"
        except TilesError as error:
            why = error.message
    try:
        return ways.look(url, published.origin, how.timeout), says, ""
    except NotFound:
        return None, says, why
    except TilesError as error:
        return None, says, why if ways.answers(url) else error.message


def _judged(tree: OwnTree, name: str, shown: bytes | None, says: int, why: str) -> Held:
    """Return what it comes to; of what a witness shows only what the log's key has signed."""
    if shown is not None:
        try:
            return Held(name, tree.own_checkpoint(shown), says)
        except (LogError, Refused):
            why = "what it shows is no checkpoint of this log"
    return Held(name, None, says, "" if says >= 0 else why)


def keep_witnessed(private: Store, data: bytes) -> str:
    """Keep what a witness shows as evidence, and return what a message says of that; "" if it cannot be kept."""
    path = witnessed_path(sha256(data).hexdigest())
    try:
        private.create({path: data})  # best effort: the witness shows it on
    except (AccessError, LogError):
        return ""
    return f"; it is kept as {private.url}/{path}"


class LastSigned:
    """The largest tree that the log's key is known to have signed, as far as it was looked for.

    tree   that one; of two of its size, the one that is not the anchor's, so that `check` sees both
    """

    def __init__(self, parts: Parts, own: OwnTree, published: TreeHead, anchored: TreeHead) -> None:
        self._parts = parts
        self._own = own
        self._published = published
        self.tree = anchored
        self._holders: dict[TreeHead, str] = {}
        self._evidence: dict[TreeHead, bytes] = {}  # what witnesses show

    def add(self, signed: Iterable[SignedCheckpoint], holder: str = "") -> None:
        """Take note of what was signed, unless it is smaller than what is published. holder: "" for the public part"""
        for each in signed:
            if each.tree.size >= self._published.size:
                self._take(each.tree, holder or self._own.url)

    def ask(self, policy: Policy, published: SignedCheckpoint, how: Witnessing, unknown: list[str]) -> None:
        """Ask the witnesses of the policy what they hold; of whom nothing can be known is added to `unknown`.

        Raises Refused if one says that it has cosigned more than is known, and shows nothing of that.
        """
        held = held_by_witnesses(policy, published, self._own, how)
        for each in held:
            if each.shown is not None:
                self._evidence[each.shown.tree] = each.shown.data
                self._take(each.shown.tree, f"the witness {each.name}")
        for each in held:
            if each.says > self.tree.size or each.says == self._published.size == self.tree.size:
                raise Refused(
                    f"the witness {each.name} says that it has cosigned another tree, of size {each.says}, and nothing "
                    f"shows which one: what is known to be signed ends with {self.tree}",
                    hint=explained("a-witness-has-cosigned-more", "restore the newest copy of both parts of the log"),
                )
            if each.why:
                unknown.append(f"what the witness {each.name} has cosigned: {each.why}")

    def shown(self) -> list[TreeHead]:
        """Return the trees that witnesses show."""
        return list(self._evidence)

    def check(self, anchor: Anchor, where: str, unknown: list[str]) -> None:
        """Raise Refused unless the largest tree extends all others. where: the place of the anchor"""
        last = self.tree
        holder = self._holders.get(last, f"the anchor at {where}")
        others = [(anchor.tree, f"the tree that the anchor at {where} holds")]
        others += [(tree, f"the tree that {each} shows") for tree, each in self._holders.items()]
        for tree, what in others:
            try:
                self._own.check_extends(tree, last, holder, what)
            except Refused as error:
                shown = [self._evidence[each] for each in (tree, last) if each in self._evidence]
                kept = "".join(keep_witnessed(self._parts.private, data) for data in shown)
                raise Refused(error.message + kept, hint=error.hint) from error
        if last == anchor.tree:
            return
        if anchor.state == FROZEN:
            raise Refused(
                f"the anchor at {where} is frozen at size {anchor.tree.size}, and {holder} shows that {last} was "
                "signed",
                hint=explained("something-was-put-back"),
            )
        unknown.append(
            f"whether more than size {last.size} was signed: {holder} shows that it was, and the anchor holds size "
            f"{anchor.tree.size}, so it is an older copy, or was begun anew"
        )

    def _take(self, tree: TreeHead, holder: str) -> None:
        self._holders.setdefault(tree, holder)
        if tree.size > self.tree.size or (tree.size == self.tree.size and tree != self.tree):
            self.tree = tree
