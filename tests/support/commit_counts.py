"""What one commit asks of its stores: system calls in a directory, requests to a bucket and how many are waited for.

`python -m tests.support.commit_counts` prints the tables of docs/data-flow.md ("What a commit costs").
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.support.traced_posix import Recorder
from tests.support.world import NOW, recording_key, some_entries
from tiles.signing.signer import Signer
from tiles.store import Object, Store, Version
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.write.sequencer import Sequencer

SIZES = (1, 10, 256, 4096)  # entries of a commit
BEFORE = 3  # commits of as many entries before the one that is counted
ROLES = ("log", "log.private", "anchor")

KINDS = {  # rows of the table of a directory: the calls of `tiles.store.posix` that each of them counts
    "open a folder": ("open_root", "open_directory"),
    "make a folder": ("mkdir",),
    "open a file": ("open_read", "open_new"),
    "look at its status": ("fstat",),
    "read": ("read",),
    "write": ("write",),
    "give a name, or replace": ("rename_new", "rename"),
    "delete": ("unlink",),
    "lock": ("flock",),
    "sync a file or a folder": ("fsync",),
    "sync the file system": ("syncfs",),
    "close": ("close",),
}
OTHERS = {"realpath", "fdinfo", "mountinfo"}  # made once, by a run that begins
STEPS = ("read", "list", "create", "swap", "delete")


def calls_in_a_directory(entries: int) -> tuple[Counter[str], Counter[str]]:
    """Return the system calls of a commit: by a run that has committed before, and as the first of its run."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        traced = [Recorder(root) for _ in ROLES]
        writer = _directory_writer(root, traced)
        writer.create()
        for number in range(BEFORE):
            writer.append(some_entries(f"{number}", entries))
        later = _calls(traced, lambda: writer.append(some_entries("later", entries)))
        fresh = [Recorder(root) for _ in ROLES]
        return later, _calls(fresh, lambda: _directory_writer(root, fresh).append(some_entries("first", entries)))


def _directory_writer(root: Path, traced: list[Recorder]) -> Sequencer:
    stores = [DirectoryStore(root / role, posix) for role, posix in zip(ROLES, traced, strict=True)]
    return Sequencer(stores[0], stores[1], Signer(recording_key(), stores[2]), now=lambda: NOW)


def _calls(traced: list[Recorder], do: Callable[[], object]) -> Counter[str]:
    for each in traced:
        each.calls.clear()
    do()
    return Counter(call[0] for each in traced for call in each.calls)


class Ticking:
    """Requests of several threads, each of which takes one tick. It ticks once nobody does anything but wait.

    ticks     how often it has ticked: as many round trips come one after the other
    requests  how many there were of each kind
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.requests = Counter[str]()
        self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def request(self, what: str, count: int = 1) -> Iterator[None]:
        """Take part as one thread that waits for an answer; `count` requests are sent at once."""
        with self._changed:
            self.requests[what] += count
            self._waiting += 1
            until = self.ticks + 1
            while self.ticks < until:
                if self._waiting == _at_work():
                    self.ticks += 1
                    self._waiting = 0
                    self._changed.notify_all()
                else:
                    self._changed.wait(0.002)  # a thread that comes to its end tells nobody
        yield


def _at_work() -> int:
    """Return how many threads there are that do not wait for another one."""
    frames = sys._current_frames()
    threads = [each for each in threading.enumerate() if each.name == "tiletree" or each is threading.main_thread()]
    return sum(not _waits(frames[each.ident]) for each in threads if each.ident in frames)


def _waits(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is Future.result.__code__:
            return True
        frame = frame.f_back
    return False


class AsBucket(MemoryStore):
    """Objects in memory, asked for as those of a bucket are."""

    parallel = 64  # type: ignore[assignment]

    def __init__(self, clock: Ticking) -> None:
        super().__init__()
        self._ticking = clock

    def read(self, path: str, limit: int | None = None) -> Object:
        with self._ticking.request("read"):
            return super().read(path, limit)

    def create(self, objects: Mapping[str, bytes]) -> None:
        with self._ticking.request("create", len(objects)):
            super().create(objects)

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        with self._ticking.request("swap"):
            return super().swap(path, data, expected)

    def delete(self, paths: Iterable[str]) -> None:
        with self._ticking.request("delete"):
            super().delete(paths)


def requests_to_a_bucket(entries: int) -> dict[str, tuple[Counter[str], int]]:
    """Return the requests of a commit, and how many round trips come one after the other, for each way to commit."""
    clock = Ticking()
    stores: list[Store] = [AsBucket(clock) for _ in ROLES]

    def writer() -> Sequencer:
        return Sequencer(stores[0], stores[1], Signer(recording_key(), stores[2]), now=lambda: NOW)

    running = writer()
    running.create()
    for number in range(BEFORE):
        running.append(some_entries(f"{number}", entries))
    counted = {"later": _requests(clock, lambda: running.append(some_entries("later", entries)))}
    counted["first"] = _requests(clock, lambda: writer().append(some_entries("first", entries)))
    batches = [some_entries(f"batch {number}", entries) for number in range(8)]
    taken = iter(batches)
    every = writer().append_all(lambda _size: next(taken, []))
    for _ in range(4):
        next(every)
    counted["in a row"] = _requests(clock, lambda: next(every))
    list(every)
    return counted


def _requests(clock: Ticking, do: Callable[[], object]) -> tuple[Counter[str], int]:
    before, ticks = clock.requests.copy(), clock.ticks
    do()
    return clock.requests - before, clock.ticks - ticks


def tables() -> str:
    """Return the tables, as Markdown."""
    return f"{directory_table()}\n{bucket_table()}"


def directory_table() -> str:
    """Return the table of system calls: of a later commit of a run, and of its first one behind a stroke."""
    counted = {entries: calls_in_a_directory(entries) for entries in SIZES}
    lines = [_row("in a directory: system calls", *(f"{entries:,}" for entries in SIZES)), _row(*["---"] * 5)]
    for kind, names in KINDS.items():
        pairs = ([sum(each[name] for name in names) for each in counted[entries]] for entries in SIZES)
        lines.append(_row(kind, *(f"{later} / {first}" for later, first in pairs)))
    known = {name for names in KINDS.values() for name in names} | OTHERS
    assert all(set(each) <= known for pair in counted.values() for each in pair), "a call that no row counts"
    return "\n".join(lines) + "\n"


def bucket_table() -> str:
    """Return the table of requests and round trips."""
    counted = {entries: requests_to_a_bucket(entries) for entries in SIZES}
    lines = [_row("in a bucket: requests", *(f"{entries:,}" for entries in SIZES)), _row(*["---"] * 5)]
    for step in STEPS:
        rows = ([counted[entries][way][0][step] for way in ("in a row", "later", "first")] for entries in SIZES)
        lines.append(_row(step, *(" / ".join(map(str, row)) for row in rows)))
    trips = ([counted[entries][way][1] for way in ("in a row", "later", "first")] for entries in SIZES)
    lines.append(_row("one after the other", *(" / ".join(map(str, row)) for row in trips)))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(tables())
