"""Whose turn it is: objects that wait, by submitter, served so that no submitter waits for another's backlog. Pure.

The submitter that was served least so far is always next, with its oldest object. The order of submitters that were
served alike is drawn anew for every batch, so no name and no date always comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

_LEAST = 1024  # so many objects are kept even if a batch may have fewer


class Row(NamedTuple):
    """An object that waits, as a listing has it; sorted as one submitter's objects are served.

    modified   when it was written, by the store's clock
    name       below `inbox/`
    size       in bytes
    """

    modified: float
    name: str
    size: int

    @property
    def submitter(self) -> str:
        """The submitter in whose folder the object is; "" if it is in no folder."""
        return self.name.partition("/")[0] if "/" in self.name else ""


class Waiting:
    """Takes in a listing of any length, in any order, and keeps what the next batch can be made of.

    seed   decides the order of submitters that were served alike
    most   objects of one batch. At most four times as many are kept: the first few of each submitter, equally many, or
           if there are more than twice as many submitters, the first object of each of those drawn first
    """

    def __init__(self, seed: str, most: int) -> None:
        self._seed = seed
        self._most = max(most, _LEAST)
        self._of_each = self._most
        self._queues: dict[str, list[Row]] = {}
        self._kept = 0
        self.count = 0
        self.bytes = 0
        self.oldest_left_out = float("inf")  # modified

    def add(self, row: Row) -> None:
        """Take in an object."""
        self.count += 1
        self.bytes += row.size
        self._queues.setdefault(row.submitter, []).append(row)
        self._kept += 1
        if self._kept >= 4 * self._most:
            self._prune()

    def queues(self) -> dict[str, list[Row]]:
        """Return what is kept: each submitter's first objects, oldest first. Nothing may be added after that."""
        self._prune()
        return self._queues

    def draw(self, submitter: str) -> bytes:
        """Return what decides between submitters that were served alike: the smaller is first."""
        return sha256(f"{self._seed}\n{submitter}".encode()).digest()

    def _prune(self) -> None:
        while True:
            for queue in self._queues.values():
                queue.sort()
                self._leave_out(queue[self._of_each :])
                del queue[self._of_each :]
            self._kept = sum(map(len, self._queues.values()))
            if self._kept <= 2 * self._most:
                return
            if self._of_each == 1:
                break
            self._of_each //= 2
        for submitter in sorted(self._queues, key=self.draw)[2 * self._most :]:
            self._leave_out(self._queues.pop(submitter))
        self._kept = len(self._queues)

    def _leave_out(self, rows: Iterable[Row]) -> None:
        self.oldest_left_out = min([self.oldest_left_out, *(row.modified for row in rows)])


class Turns:
    """Serves what waits, object by object."""

    def __init__(self, waiting: Waiting) -> None:
        self._queues = waiting.queues()
        self._at = dict.fromkeys(self._queues, 0)
        self._charged = dict.fromkeys(self._queues, 0)
        self._heap = [(0, waiting.draw(submitter), submitter) for submitter in self._queues]
        heapify(self._heap)

    def peek(self) -> Row | None:
        """Return the object whose turn it is; None if there is none left."""
        while self._heap:
            charged, drawn, submitter = self._heap[0]
            queue, at = self._queues[submitter], self._at[submitter]
            if at >= len(queue):
                heappop(self._heap)
            elif charged != self._charged[submitter]:
                heapreplace(self._heap, (self._charged[submitter], drawn, submitter))
            else:
                return queue[at]
        return None

    def serve(self, row: Row, cost: int) -> None:
        """Count the object whose turn it is as served."""
        self._at[row.submitter] += 1
        self.charge(row.submitter, cost)

    def charge(self, submitter: str, cost: int) -> None:
        """Count a submitter as served that much more: cost ≥ 0."""
        self._charged[submitter] += cost

    def close(self, submitter: str) -> None:
        """Serve nothing more of a submitter."""
        self._at[submitter] = len(self._queues[submitter])
