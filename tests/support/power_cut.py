"""Every state that a power cut may leave a disk in.

What was synced is there. Of the rest each part by itself is there or not: a name that was given, taken away or
replaced is as it is now or as it was; a content is whole, cut short, empty or zeros. A rename is two names.

A cut is looked at where a sync is about to be made, and at the end: until then whatever an earlier cut could have left
is still possible, and what has been promised has only become more.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.disk import TOP, Change, Disk
from tiles.store.paths import TEMPS

Owed = frozenset[Change | int]  # changes of names, and files whose content was changed
NOTHING: Owed = frozenset()


class Cut:
    """A moment at which the power is cut: what lasts, and what may or may not be there."""

    def __init__(self, disk: Disk) -> None:
        self._lasting = {node: dict(names) for node, names in disk.lasting.items()}
        self._contents = dict(disk.contents)
        self._device = disk.device  # never changes for what is there now
        self._unsynced = set(disk.unsynced)
        temps = {names[TEMPS] for names in disk.names.values() if TEMPS in names}
        self._temps = [change for change in disk.changes if change.directory in temps]
        self.changes = [change for change in disk.changes if change.directory not in temps]

    def states(self, most: int, rng: random.Random, owed: Owed = NOTHING) -> Iterator[State]:
        """Yield what the cut may leave: all of it if these are at most `most` ways to choose, else a sample.

        owed   if given, at least one of these changes and contents is not there in every state that is yielded
        """
        seen = set()
        for there in self._choices(most, rng, owed):
            for state in self._with_contents(there, rng, owed):
                if (signature := state.disk.signature()) not in seen:
                    seen.add(signature)
                    yield state

    def _choices(self, most: int, rng: random.Random, owed: Owed) -> Iterator[set[Change]]:
        every = self.changes
        if owed:
            yield {change for change in every if change not in owed}
        if 2 ** len(every) <= most:
            for mask in itertools.product((False, True), repeat=len(every)):
                yield set(itertools.compress(every, mask))
            return
        yield set()
        yield set(every)
        for one in every:
            yield {one}
            yield {change for change in every if change is not one}
        for _ in range(most - 2 * len(every) - 2):
            share = rng.random()
            yield {change for change in every if rng.random() < share}

    def _with_contents(self, there: set[Change], rng: random.Random, owed: Owed) -> Iterator[State]:
        missing = not owed or any(change in owed and change not in there for change in self.changes)
        state = self._state(there, {}, keep_temps=rng.random() < 0.5)
        doubtful = sorted({node for _, node in state.disk.walk()} & self._unsynced)
        if missing:
            yield state
        for bad in (*([node] for node in doubtful), doubtful):
            if bad and (missing or owed.intersection(bad)):
                for how in BAD:
                    yield self._state(there, dict.fromkeys(bad, how), keep_temps=rng.random() < 0.5)

    def _state(self, there: set[Change], bad: dict[int, str], *, keep_temps: bool) -> State:
        disk = Disk()
        disk.names = {node: dict(names) for node, names in self._lasting.items()}
        for change in [*[change for change in self.changes if change in there], *(self._temps if keep_temps else [])]:
            if change.node is None:
                disk.names[change.directory].pop(change.name, None)
            else:
                disk.names[change.directory][change.name] = change.node
        disk.lasting = {node: dict(names) for node, names in disk.names.items()}
        disk.contents = self._contents | {node: BAD[how](self._contents[node]) for node, how in bad.items()}
        disk.device = dict(self._device)
        return State(self, disk, there, bad)

    def paths(self) -> dict[int, str]:
        """Return all paths that are, were or will be."""
        every = [(node, name, below) for node, names in self._lasting.items() for name, below in names.items()]
        every += [(change.directory, change.name, change.node) for change in self.changes if change.node is not None]
        above = {below: (node, name) for node, name, below in every}

        def path(node: int) -> str:
            return f"{path(above[node][0])}/{above[node][1]}" if node in above else ""

        return {node: path(node) for node in above} | {TOP: ""}


BAD: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}


@dataclass(frozen=True)
class State:
    """One of the states that a cut may leave: which changes of names are there, and which contents are bad."""

    cut: Cut
    disk: Disk
    there: set[Change]
    bad: dict[int, str]

    def __str__(self) -> str:
        paths = self.cut.paths()
        lines = ["after the cut:"]
        for change in self.cut.changes:
            name = f"{paths[change.directory]}/{change.name}"
            what = f"{name} is gone" if change.node is None else f"{name} is node {change.node}"
            lines.append(what if change in self.there else f"NOT: {what}")
        return "\n".join([*lines, *(f"{paths.get(node, node)} is {how}" for node, how in self.bad.items())])
