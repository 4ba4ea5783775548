"""Logs with submissions in their inbox, and what must have become of each."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.support.races import Action
from tests.support.world import World, some_entries
from tiles.inbox.selection import Limits
from tiles.inbox.submission import Name, format_submission
from tiles.records.paths import INBOX
from tiles.records.staged_batch import digest

GOOD = {"ann": [some_entries("ann", 3), some_entries("ann again", 1)], "bob": [some_entries("bob", 2)]}
JUNK = b"this is no submission"


def submit(world: World, submitter: str, number: int, data: bytes) -> str:
    """Put an object into the inbox, and return its name there."""
    name = Name(submitter, f"{number:032x}", digest(data))
    world.stores["private"].create({name.path: data})
    return name.text


def with_inbox(base: int, folder: Path | None = None, *, good: bool = True, junk: int = 1) -> World:
    """Return a log of that size with submissions in its inbox."""
    world = World(folder).grown(*[base] * (base > 0))
    number = itertools.count()
    if good:
        for submitter, submissions in GOOD.items():
            for entries in submissions:
                submit(world, submitter, next(number), format_submission(entries))
    for _ in range(junk):
        submit(world, "eve", next(number), JUNK)
    return world


def inbox(world: World) -> set[str]:
    """Return the names in the inbox."""
    return {listed.path.removeprefix(INBOX) for listed in world.stores["private"].list(INBOX)}


def rejected(world: World) -> set[str]:
    """Return the names of what was refused."""
    return {listed.path.removeprefix("rejected/") for listed in world.stores["private"].list("rejected/")}


def check_submitted(world: World, submitted: dict[str, Sequence[bytes]], *, complete: bool) -> None:
    """Each submission is in the inbox, logged once, or refused, as it should be; of those gone, one or the other.

    submitted   name → its entries, none for what is not admitted
    """
    world.check(complete=complete, orphans=True)
    entries = Counter(world.committed())
    waiting, refused = inbox(world), rejected(world)
    for name, own in submitted.items():
        logged = {entries[entry] for entry in own}
        assert logged <= {0, 1}, f"{name} is logged {logged} times"
        if own:
            assert name not in refused, f"{name} is refused"
            assert logged == {1} or name in waiting, f"{name} is neither logged nor waiting"
        else:
            assert name in refused or name in waiting, f"{name} is gone without a word"
    if complete:
        assert not waiting, f"{waiting} wait although a run came to its end"


def submitted(world: World) -> dict[str, Sequence[bytes]]:
    """Return what is in the inbox, with what should come of it."""
    by_data = {digest(format_submission(each)): each for submissions in GOOD.values() for each in submissions}
    return {name: by_data.get(name.rpartition("-")[2], []) for name in inbox(world)}


class Sequencing(Action):
    """A writer that sequences."""

    def __call__(self, sequencer):  # type: ignore[no-untyped-def]
        """Do it."""
        return sequencer.sequence(Limits(objects=2))


def finish_all(world: World, expected: dict[str, Sequence[bytes]]) -> None:
    """Decide what is left, and check everything."""
    for _ in range(10):
        done = world.sequencer().sequence()
        if not (done.took or done.refused):
            break
    check_submitted(world, expected, complete=True)
