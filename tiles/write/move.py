"""Moving a log to other stores, so that at no instant two places can sign.

    copy what never changes → fence the anchor → close the old head → copy the rest → write the new head

A place can sign only while its head names the identity that the anchor has, and the anchor is one object, which changes
by compare-and-swap. The fence gives it another identity, so nobody who has loaded the log in the old place can sign any
more. Closing swaps the old head for one that names no anchor that there ever was, so nobody can commit there any more,
not even a run that was under way. The new head is created last, and names the fenced anchor. So of the two places one
can sign before the fence, none between fence and new head, and the other one afterwards.

- Dies before the fence: nothing has changed in the old place. The same call copies what is missing.
- Dies after the fence: every run refuses, and the same call goes on. `repair --head` in the old place takes it back.
- Dies after the closing: likewise; `key adopt` in the old place takes it back. The new place then holds a part of a
  copy of an older state, which the marker `moving` shows: no later move goes on with it.
- Dies after the new head: the log is in the new place; the same call finds that.

What is copied after the closing is what the next run finds there (`tiles.write.copying`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256

from tiles.errors import AccessError, Conflict, NotFound, OutcomeUnknown, Refused, explained
from tiles.records.head import Head
from tiles.records.moved import format_moved
from tiles.records.paths import HEAD, MOVED, MOVING, SETTINGS
from tiles.records.settings import Settings
from tiles.retry import Clock, among_writers
from tiles.signing.anchor import SEALED, Anchor
from tiles.signing.signer import Signer
from tiles.store.address import absolute
from tiles.store.probe import PROBES
from tiles.write.copying import Copier, replace_object
from tiles.write.last_used import last_used
from tiles.write.load import read_head
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log is to be.

    name       of its private part: the same whenever the same place is meant
    settings   how its objects are to be stored; `parts.public` stores them so
    """

    parts: Parts
    name: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it.

    head     the head in the new place
    is_new   whether this call has written it
    copied   how many objects this call has copied
    left     objects of the inbox that stay behind, because no submission is called so
    """

    head: Head
    is_new: bool
    copied: int
    left: tuple[str, ...]


class Mover:
    """Moves one log. Any number of readers and writers may be at work meanwhile.

    told   is called with how many more objects were copied
    """

    def __init__(
        self, source: Parts, target: Place, signer: Signer, clock: Clock, told: Callable[[int], None] | None = None
    ) -> None:
        self._source = source
        self._target = target
        self._to = target.parts
        self._signer = signer
        self._clock = clock
        self._copier = Copier(source, target.parts, told)

    def move(self, finish: Callable[[], object]) -> Moved:
        """Move the log, or finish moving it.

        finish   publishes what is committed in the old place, as every run does first; raises for a log that is not
                 sound, or not that of the key

        Raises Refused, having changed nothing, if the new place has something else, or the log is on its way to
        another place.
        """
        if (there := self._head_there()) is not None:
            return self._moved_before(there)
        self._check_target()
        head, anchor = self._look()
        if not self._is_closed(head, anchor):
            list(self._copier.submissions())  # what cannot be listed is found before anything is closed
            if head.anchor == anchor.identity:
                finish()
                self._copier.copy_lasting()
        head, anchor = self._closed(finish)
        self._check_marker(head)
        self._copier.copy_private()
        replace_object(self._to.private, SETTINGS, self._target.settings.data)
        self._copier.copy_public()
        self._to.public.barrier()
        self._to.private.barrier()
        new = head.anchored(anchor.identity, self._clock.random_id())
        with suppress(Conflict):  # another call has written it: it is the same but for its nonce
            self._to.private.swap(HEAD, new.data, None)
        self._arrived()
        return Moved(
            read_head(self._to.private)[0], is_new=True, copied=self._copier.copied, left=tuple(self._copier.left)
        )

    def _arrived(self) -> None:
        """Take the marker away, once the new head lasts: the call that wrote it may have died right after."""
        self._to.private.barrier()
        self._to.private.delete([MOVING])

    # ---- look

    def _look(self) -> tuple[Head, Anchor]:
        """Return the head of the old place, and the anchor. Raises Refused if that is not the head's, or not usable."""
        head = read_head(self._source.private)[0]
        where, anchor = self._signer.memory.store.url, self._signer.memory.recall()[0]
        if anchor is None:
            raise Refused(f"there is no anchor at {where}{self._last()}", hint=explained("the-anchor-is-gone"))
        if anchor.state == SEALED:
            raise Refused(f"the anchor at {where} is sealed{self._last()}", hint=explained("the-anchor-is-gone"))
        if not anchor.is_of(head.anchor) and not self._is_closed(head, anchor):
            raise Refused(
                f"the anchor at {where} is not that of the log at {self._source.private.url}{self._last()}",
                hint="if it is on its way to another place, name that one; "
                + explained("the-anchor-is-gone", "name the log's own anchor with --anchor"),
            )
        return head, anchor

    def _last(self) -> str:
        return last_used(self._source.private)

    def _is_closed(self, head: Head, anchor: Anchor) -> bool:
        """Whether the head was closed by a call that moves the log to this place."""
        return head.anchor == self._closing(anchor)

    def _closing(self, anchor: Anchor) -> str:
        """Return the identity that a closed head names; no anchor has it, and it follows from where the log goes."""
        return sha256(f"tiletree-moved {anchor.identity} {self._target.name}".encode()).hexdigest()[:32]

    def _head_there(self) -> Head | None:
        """Return the head in the new place; None if there is none, perhaps because the log is on its way there.

        It comes before the marker: once it is there, runs may be at work on it, and nothing is copied there any more.
        """
        with suppress(NotFound, Refused):
            return read_head(self._to.private)[0]
        return None

    def _moved_before(self, head: Head) -> Moved:
        """Return what an earlier call has done. Raises Refused if the head in the new place is of another log."""
        anchor = self._signer.memory.recall()[0]
        held = {key.vkey for key in self._signer.keys.held}
        if not held.issuperset(head.vkeys) or anchor is None or anchor.identity != head.anchor:
            raise Refused(
                f"{self._to.private.url} is the private part of the log {head.origin} already, "
                "and its head does not name this anchor",
                hint="choose an empty place",
            )
        self._arrived()
        return Moved(head, is_new=False, copied=0, left=())

    def _check_target(self) -> None:
        """Raise Refused if something else is in the new place."""
        OwnTree(self._to.public, *self._signer.keys.held).read_checkpoint()  # none, or this log's: it may be a mirror
        others = (listed.path for listed in self._to.private.list("") if not listed.path.startswith(PROBES))
        if (found := next(others, None)) is not None and not self._marker():
            raise Refused(f"{self._to.private.url} is not empty: {found} is there", hint="choose an empty place")

    def _marker(self) -> bytes:
        try:
            return self._to.private.read(MOVING, 100).data
        except NotFound:
            return b""

    def _check_marker(self, closed: Head) -> None:
        """Mark what is copied from now on as that of this closed head. Raises Refused if there is that of another."""
        marker = f"{closed.nonce}\n".encode()
        with suppress(Conflict):
            self._to.private.swap(MOVING, marker, None)
        if self._marker() != marker:
            raise Refused(
                f"{self._to.private.url} has a part of an older copy of this log",
                hint="a move to this place was begun and taken back: empty it, and run the same command again",
            )
        self._to.private.barrier()  # a copy without it is taken for something else, and an earlier call may have died

    # ---- fence and close

    def _closed(self, finish: Callable[[], object]) -> tuple[Head, Anchor]:
        """Return the closed head, and the anchor, once nobody can commit or sign in the old place any more."""
        source, memory = self._source.private, self._signer.memory
        for _ in among_writers(self._clock):
            head, anchor = self._look()
            if self._is_closed(head, anchor):
                self._leave_word()
                return head, anchor
            with suppress(Conflict, OutcomeUnknown):  # then all of it is looked at again
                if head.anchor == anchor.identity:
                    finish()
                    open_, anchor_version = memory.recall()
                    if open_ is not None and open_.identity == head.anchor:
                        memory.put(replace(open_, identity=open_.fenced), anchor_version)
                    continue
                memory.store.barrier()  # the fence may not last yet: the call that put it up may have died right after
                found, version, _ = read_head(source)
                if found == head:
                    source.swap(HEAD, head.anchored(self._closing(anchor), self._clock.random_id()).data, version)
        raise AccessError(f"{source.url}: other writers were always first", hint="run the same command again")

    def _leave_word(self) -> None:
        """Say in the old place where the log is; best effort."""
        record = format_moved(absolute(self._to.public.url), absolute(self._to.private.url))
        with suppress(AccessError):
            before = None
            with suppress(NotFound):
                before = self._source.private.read(MOVED, 10_000)
            if record and (before is None or before.data != record):
                self._source.private.swap(MOVED, record, before.version if before else None)
