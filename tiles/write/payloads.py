"""Taking a batch out of the inbox, and publishing the files that go with its entries, before the batch is committed.

    take → publish, create-only → barrier → (plan, stage, commit)

An entry in the log lets readers look for its payload, so that is there, and lasts, before the head can name the batch.
The run holds the bytes that it has read and hashed; nothing is read a second time, and what somebody puts in the place
of a submission meanwhile is another submission. If the run dies

- before it publishes: nothing was written;
- while it publishes, or before the commit: some payloads are public, and no entry says so. Their submissions still wait
  in the inbox. The next run takes them, finds these objects with the content that it wants, and makes them last;
- after the commit: all payloads last, so to finish the batch nobody needs the submissions.

A run that loses the commit to another one has published what that one, too, published before its own commit. If the
other one has changed the admission policy instead, and the submission is refused, its payload stays without an entry.
So does one whose submitter takes the submission back. That does no harm: the policy admitted it, nothing leads to it,
and its name proves its content. `gc` leaves it there, since only all entries of the log together show that none has it.

A path holds the SHA-256 of the one content that may be there. If something else is there all the same, storage has
damaged it, or somebody else can write there. That must not stop a log: whoever knows of such an object could submit
its file again and again. So those submissions go on waiting, the others are decided, and the run says which path it is.

A run that commits and leaves the publishing to another one takes no submission with a payload either. It may work on a
copy of the log (docs/recipes/small-project.md), whose private part others see first: what it had published there, they
would not have, and the head would name the batch.
"""

from __future__ import annotations

from collections.abc import Mapping

from tiles.inbox.reader import Inbox
from tiles.inbox.selection import Taken
from tiles.records.head import Head
from tiles.store import Differs, Store


def take_and_publish(inbox: Inbox, public: Store | None, head: Head, now: float) -> Taken:
    """Return what the next batch on a head takes and refuses, with all its payloads published; they last.

    public   None: nothing is published, and what has a payload goes on waiting
    now      seconds since the epoch
    Raises what `Inbox.take` raises, and AccessError if a payload cannot be stored: then nothing is decided.
    """
    if public is None:
        return inbox.take(head.tree.size, now, None)
    blocked: frozenset[str] = frozenset()
    while True:
        taken = inbox.take(head.tree.size, now, blocked)
        if head.frozen or not taken.payloads:  # with a frozen log nothing is decided any more
            return taken
        found = _publish(public, taken.payloads)
        if not found:
            public.barrier()
            return taken
        blocked |= found  # of these none is taken again, so this ends


def _publish(public: Store, payloads: Mapping[str, bytes]) -> frozenset[str]:
    """Create payloads, and return the paths at which something else is."""
    try:
        public.create(payloads)
    except Differs:  # one was; the others may or may not have been created
        return frozenset(path for path, data in payloads.items() if _is_in_the_way(public, path, data))
    return frozenset()


def _is_in_the_way(public: Store, path: str, data: bytes) -> bool:
    try:
        public.create({path: data})
    except Differs:
        return True
    return False
