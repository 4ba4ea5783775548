"""What a log's next run will find and do; nothing is written, and no key is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import AccessError, LogError, NotFound, Refused, explained
from tiles.inbox.admission import OPEN
from tiles.inbox.reader import Inbox
from tiles.inbox.selection import Backlog
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import parse_vkey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.records.head import Head
from tiles.records.paths import STAGING
from tiles.signing.anchor import Anchor, AnchorMemory
from tiles.store import Store
from tiles.tree.layout import CHECKPOINT
from tiles.upkeep.superseded import kept_indexes, own_index_head
from tiles.write.load import Expected, Loader, read_head
from tiles.write.own_tree import OwnTree


@dataclass(frozen=True, slots=True)
class Status:
    """A log as its next writer will find it.

    modified  when the head was written, in POSIX seconds of the store's clock
    since     when the checkpoint was, likewise; None if there is none
    staged    paths of the staged batches; all but the head's own are left-overs, for gc
    anchor    the signer's anchor; None if there is none
    backlog   what waits in the inbox
    refusal   why the next run will refuse; empty if it will not
    hint      what to do about that
    inbox     why the inbox cannot be listed, and nothing of it be taken; empty if it can
    indexes   the kinds of keys of which there is an index: how many entries it covers, and what is wrong with its head
    """

    head: Head
    modified: float
    published: SignedCheckpoint | None
    staged: tuple[str, ...]
    anchor: Anchor | None
    backlog: Backlog
    refusal: str
    hint: str
    inbox: str = ""
    since: float | None = None
    indexes: tuple[tuple[str, int, str], ...] = ()

    @property
    def is_published(self) -> bool:
        """Whether readers can see all that is committed."""
        return self.published is not None and self.published.tree == self.head.tree

    @property
    def published_size(self) -> int:
        """How many entries readers see."""
        return self.published.tree.size if self.published else 0

    def age(self, now: float) -> float:
        """Return how many seconds ago the head was written; clocks may differ, and no age is negative."""
        return max(0.0, now - self.modified)

    def published_age(self, now: float) -> float | None:
        """Return how many seconds ago the checkpoint was written; None if there is none."""
        return None if self.since is None else max(0.0, now - self.since)

    @property
    def next(self) -> str:
        """What the next run will do first."""
        if self.refusal:
            return f"refuse: {self.refusal}"
        if not self.is_published:
            return f"publish the committed tree of size {self.head.tree.size}, then add to it"
        if self.head.staged_path in self.staged:
            return "tidy up after the last run, then add to the log"
        if self.head.frozen:
            return "add nothing: the log is frozen"
        return f"add to the log, from index {self.head.tree.size}"


def look(public: Store, private: Store, anchors: Store, now: float) -> Status:
    """Return the status of a log. now: POSIX seconds. Raises NotFound if there is none."""
    # `Loader` compares origin and key with what is expected. Here the head's own are expected, so they always agree.
    head, _, modified = read_head(private)
    memory = AnchorMemory(head.origin, anchors)
    verifier, *others = map(parse_vkey, head.vkeys)
    tree = OwnTree(public, verifier, *others)
    loader = Loader(private, tree, memory, Expected(verifier, others=tuple(others)))
    refusal, hint, inbox, published, anchor, admission = "", "", "", None, None, OPEN
    try:
        state = loader.load()
        head, modified, published, admission = state.head, state.modified, state.published, state.admission
        if not state.is_published and head.staged_path is not None:
            private.read(head.staged_path)
    except (Refused, LogError) as error:
        refusal, hint = error.message, error.hint
    except NotFound:
        refusal = f"the committed batch is lost: {head.staged_path} is gone"
        hint = explained("a-committed-batch-is-gone", "restore it from a copy of the private part")
    try:
        published = published or tree.read_checkpoint()[0]
        anchor = memory.recall()[0]
    except (Refused, LogError) as error:
        refusal, hint = refusal or error.message, hint or error.hint
    staged = tuple(listed.path for listed in private.list(STAGING))
    backlog = Backlog()
    try:
        # of the policy, only the names of submitters are used, if the inbox cannot be listed otherwise
        backlog = Inbox(private, admission).backlog(head.tree.size, now)
    except AccessError as error:
        inbox, hint = error.message, hint or error.hint
    since = None
    with suppress(NotFound):
        since = public.read(CHECKPOINT, MAX_NOTE_SIZE).modified
    indexes = tuple(_indexes(public, head))
    return Status(head, modified, published, staged, anchor, backlog, refusal, hint, inbox, since, indexes)


def _indexes(public: Store, head: Head) -> Iterator[tuple[str, int, str]]:
    for kind in kept_indexes(public):
        try:
            yield kind, own_index_head(public, head, kind).tree.size, ""
        except NotFound:
            yield kind, 0, "it has no head"
        except (AccessError, LogError) as error:
            yield kind, 0, error.message
