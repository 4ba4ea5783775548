"""Loading a log for writing: read what is committed and what is published, and refuse a pair that no sound log has.

Step 1 of the commit (docs/data-flow.md). Head and checkpoint are read one after the other while others may be writing,
so they are read once more if they do not fit. If they still do not, one was put back, removed or changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import NotFound, Refused, TilesError, explained
from tiles.inbox.admission import MAX_ADMISSION_SIZE, OPEN, Admission, parse_admission
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.parallel import in_background
from tiles.read.trouble import located
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.head import Head, parse_head
from tiles.records.paths import HEAD, MOVING, policy_path
from tiles.records.staged_batch import digest
from tiles.signing.anchor import FROZEN, SEALED, Anchor, AnchorMemory
from tiles.store import Store, Version
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import EMPTY_TREE
from tiles.write.cosign import check_policy
from tiles.write.last_used import last_used, moved_to
from tiles.write.own_tree import OwnTree
from tiles.write.pending import is_of_later_head
from tiles.write.state import Anchored, Read, Shown, State, Stored, keys_of

LOST_ANCHOR = explained(
    "the-anchor-is-gone",
    "use the log's own anchor, with --anchor or on the machine that has it; if it is lost, `tiletree key adopt` begins "
    "a new one",
)
_PUT_BACK = explained(
    "something-was-put-back",
    "storage holds an older copy, or is out of order: restore the newest copy of both parts of the log",
)
_MOVED = explained("the-log-was-moved", "use it there; if that place is lost, this one can be taken up again")
_MOVING = explained("the-log-was-moved", "run the same `tiletree move` again")
_LOST_HEAD = explained(
    "the-head-is-gone", "if it is lost, `tiletree repair LOG --head` makes it again from what was signed"
)
_NOT_ANEW = explained(  # "choose another place" would lead to a fork
    "the-head-is-gone", "name it with --private; with the same key, a log that is begun elsewhere would be a fork"
)
_LOST_POLICY = explained("a-policy-is-gone", "restore it from a copy of the private part")

Use = Callable[[Iterable[str]], object]


def read_head(private: Store) -> tuple[Head, Version, float]:
    """Return the head in a private part, its version and when it was written.

    Raises NotFound if there is none; Refused if that is because the log is on its way there (`tiles.write.move`).
    """
    try:
        stored = private.read(HEAD, MAX_RECORD_SIZE)
    except NotFound as error:
        with suppress(NotFound):
            private.read(MOVING, MAX_RECORD_SIZE)
            raise Refused(
                f"the log is on its way to {private.url}, and not all of it is there", hint=_MOVING
            ) from error
        raise NotFound(error.message, hint=_LOST_HEAD) from error
    with located(f"{private.url}/{HEAD}"):
        return parse_head(stored.data), stored.version, stored.modified


def read_admission(private: Store, head: Head) -> Admission:
    """Return the admission policy that a head names. Raises Refused if it is gone, or is another one."""
    return parse_admission(_kept(private, head.admission, MAX_ADMISSION_SIZE))


def _kept(private: Store, name: str, limit: int) -> bytes:
    """Return the policy that a head names by its digest. Raises Refused."""
    path = policy_path(name)
    try:
        data = private.read(path, limit).data
    except NotFound:
        raise Refused(f"{path} in {private.url} is gone: a committed policy", hint=_LOST_POLICY) from None
    if digest(data) != name:
        raise Refused(f"{path} in {private.url} is not the policy that was committed", hint=_LOST_POLICY)
    return data


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run expects of a log; a log that differs is refused.

    verifier            its key, named as its origin
    others              further keys that the run holds; the head names some or all
    policy, admission   its policies, for publishing and for submissions; None accepts the log's own
    """

    verifier: VerifierKey
    policy: Policy | None = None
    admission: Admission | None = None
    others: tuple[VerifierKey, ...] = ()


class Loader:
    """Loads one log, and compares what it finds with what the run expects.

    memory   the anchor of the log's signer
    use      gets the keys that the head names
    """

    def __init__(
        self, private: Store, tree: OwnTree, memory: AnchorMemory, expected: Expected, use: Use = tuple
    ) -> None:
        self._private = private
        self._tree = tree
        self.memory = memory
        self._expected = expected
        self._use = use
        self._policy = expected.policy  # the last ones that a head has named
        self._admission = expected.admission or OPEN

    def load(self) -> State:
        """Return a state that the log really had at some moment.

        Raises Refused for a log that is not the signer's, or whose storage was put back or changed from outside;
        NotFound if there is no log.
        """
        read = self._read_together() or self._read_in_order()
        while (state := self._checked(*read)) is None:
            read = self._read_in_order()
        return state

    def _read_in_order(self) -> Read:
        """Read checkpoint, head and anchor, and the checkpoint once more if the head does not go with it."""
        shown = self._tree.read_checkpoint()
        head = self.read_head()
        self._check_identity(head[0])
        if shown[0] is None or shown[0].tree.size not in (head[0].base, head[0].tree.size):
            shown = self._tree.read_checkpoint()
        return shown, head, self.memory.recall()

    def _read_together(self) -> Read | None:
        """Read them side by side, where each waits for an answer; None unless all three are of one tree.

        Then the log was so at one moment: when that tree had been published, and no other was committed yet. What else
        may be found, only the order of reading explains.
        """
        if self._private.parallel <= 1:
            return None
        reading, recalling = in_background(self.read_head), in_background(self.memory.recall)
        try:
            shown, head, anchored = self._tree.read_checkpoint(), reading.result(), recalling.result()
        except TilesError:
            return None  # to read them one after the other says what is wrong
        (signed, _), (anchor, _) = shown, anchored
        if signed is None or anchor is None or {signed.tree, anchor.tree} != {head[0].tree}:
            return None
        if anchor.identity != head[0].anchor or anchor.state == SEALED or (anchor.state == FROZEN) != head[0].frozen:
            return None
        self._check_identity(head[0])
        return shown, head, anchored

    def _checked(self, shown: Shown, stored: Stored, anchored: Anchored) -> State | None:
        """Return the state that was read; None if the log has moved on meanwhile. Raises Refused."""
        (published, _), (head, version, modified), (found, anchor_version) = shown, stored, anchored
        if self._has_moved_on(head, published, found):
            return None
        self._check_published(head, published)
        anchor = self._check_anchor(head, published, found)
        policy, admission = self._publishing_policy(head), self._admission_policy(head)
        if policy.needs_witnesses and is_of_later_head(self._tree.read_pending()[0], head, self.read_head):
            return None
        return State(head, version, modified, policy, admission, anchor, anchor_version, *shown)

    def read_head(self) -> tuple[Head, Version, float]:
        """Return the head, its version and when it was written. Raises NotFound if there is none."""
        return read_head(self._private)

    def _has_moved_on(self, head: Head, published: SignedCheckpoint | None, anchor: Anchor | None) -> bool:
        """Whether the head is another by now, where that would explain what else was found.

        Raises Refused if the head is one that was put back.
        """
        known = max(published.tree.size if published else -1, anchor.tree.size if anchor else 0)
        if known > head.tree.size:
            if self.read_head()[0].tree.size < known:
                raise self._head_put_back(head, published, known)
            return True
        is_of_later = anchor is not None and (anchor.state == SEALED or (anchor.state == FROZEN and not head.frozen))
        if anchor is None or anchor.identity != head.anchor or is_of_later:
            return self.read_head()[0].nonce != head.nonce
        return False

    def _check_anchor(self, head: Head, published: SignedCheckpoint | None, anchor: Anchor | None) -> Anchor:
        """Return the anchor. Raises Refused unless it is the one that the head names, and goes with the log.

        It is the published tree or the committed one: it is moved before a tree is published, and was read after the
        checkpoint. So one that is smaller is a copy, or was put back, and nobody knows what the log's own has signed.
        """
        where, problem = self.memory.store.url, ""
        if anchor is None:
            problem = f"there is no anchor at {where}, and the log {head.origin} has one"
        elif anchor.identity != head.anchor:
            problem = f"the anchor at {where} is not that of the log at {self._private.url}"
        elif anchor.state == SEALED:
            problem = f"the anchor at {where} is sealed: a new one was begun"
        if anchor is None or problem:
            hint = _MOVED if moved_to(self._private) else LOST_ANCHOR
            raise Refused(problem + last_used(self._private), hint=hint)
        if anchor.state == FROZEN and not head.frozen:
            raise Refused(f"the log {head.origin} was frozen, and its head is open", hint=_PUT_BACK)
        if anchor.tree == head.tree or anchor.tree == (published.tree if published else EMPTY_TREE):
            return anchor
        if published is not None and anchor.tree.size < published.tree.size:
            raise Refused(
                f"the anchor at {where} holds size {anchor.tree.size}, and size {published.tree.size} is published",
                hint=f"it is a copy, or was put back; {LOST_ANCHOR}",
            )
        raise Refused(f"the head commits to {head.tree}, and {anchor.tree} was signed before", hint=_PUT_BACK)

    def check_untouched(self) -> None:
        """Raise Refused unless a new log can begin here, with this key."""
        with suppress(NotFound):
            head, _, _ = self.read_head()
            found = f"{self._private.url} is the private part of the log {head.origin} with key {head.vkeys[0]}"
            raise Refused(found, hint="it keeps its name and its key; another log needs another place")
        if not self._tree.is_empty():
            raise Refused(
                f"{self._tree.url} already holds a log, and its private part is not at {self._private.url}",
                hint=_NOT_ANEW,
            )
        anchor = self.memory.recall()[0]
        if anchor is not None and anchor != Anchor(anchor.origin, anchor.identity):
            raise Refused(
                f"the key of {self._expected.verifier.name} has signed before: {anchor.tree}",
                hint="a second log under the same name and key would be a fork; make a new key, or restore the log",
            )
        if self._expected.policy:
            for key in (self._expected.verifier, *self._expected.others):
                check_policy(self._expected.policy, key)

    def _check_identity(self, head: Head) -> None:
        expected = self._expected
        held, keys = {key.vkey for key in (expected.verifier, *expected.others)}, " ".join(head.vkeys)
        own = {
            "origin": (expected.verifier.name, head.origin),
            "key": (keys if held.issuperset(head.vkeys) else " ".join(sorted(held)), keys),
            "policy": (expected.policy.sha256 if expected.policy else head.policy, head.policy),
            "admission policy": (expected.admission.sha256 if expected.admission else head.admission, head.admission),
        }
        for what, (ours, found) in own.items():
            if ours != found:
                hint = explained("a-key-is-missing") if what == "key" and held & {*head.vkeys} else ""
                problem = f"is the private part of a log with {what} {found}, not {ours}"
                raise Refused(f"{self._private.url} {problem}", hint=hint)
        self._use(head.vkeys)

    def _check_published(self, head: Head, published: SignedCheckpoint | None) -> None:
        if published is None:
            if head.tree.size > 0:  # the first checkpoint, of size 0, is published before a batch is committed
                raise Refused(
                    f"{self._tree.url}/{CHECKPOINT} is gone; the log has {head.tree.size} entries",
                    hint=explained("the-checkpoint-is-gone", "put back the newest file of checkpoints/ in its place"),
                )
            return
        tree = published.tree
        if tree.size < head.base:
            raise Refused(
                f"the published checkpoint has size {tree.size}, and one of size {head.base} was published before",
                hint=explained(
                    "the-checkpoint-is-gone", "it was put back: restore the newest one, for instance from checkpoints/"
                ),
            )
        if (tree.size == head.tree.size and tree != head.tree) or head.base < tree.size < head.tree.size:
            raise Refused(
                f"the published tree of {tree} is not one the head commits to ({head.tree}, on size {head.base})",
                hint=_PUT_BACK,
            )

    def _head_put_back(self, head: Head, published: SignedCheckpoint | None, known: int) -> Refused:
        by = "published" if published is not None and published.tree.size == known else "signed"
        return Refused(
            f"the head in {self._private.url} has size {head.tree.size}, and a tree of size {known} was {by}"
            + moved_to(self._private),
            hint=_MOVED if moved_to(self._private) else _PUT_BACK,
        )

    def _publishing_policy(self, head: Head) -> Policy:
        if self._policy is None or self._policy.sha256 != head.policy:
            self._policy = parse_policy(_kept(self._private, head.policy, MAX_POLICY_SIZE))
        for key in keys_of(head.vkeys):
            check_policy(self._policy, key)
        return self._policy

    def _admission_policy(self, head: Head) -> Admission:
        if self._admission.sha256 != head.admission:
            self._admission = read_admission(self._private, head)
        return self._admission
