"""The inbox: what lies there is read and sorted out; what others put there stops nobody."""

from __future__ import annotations

import itertools
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.faults import Died, Passing
from tests.support.world import NoSync
from tiles.errors import AccessError, NotFound, Refused
from tiles.inbox import clearing, reader
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.naming import name_digest, name_in_batch
from tiles.inbox.reader import Inbox, Limits, Taken
from tiles.inbox.submission import Name, format_submission
from tiles.parallel import INBOX_READS
from tiles.records.decided import format_decided
from tiles.records.paths import decided_path
from tiles.records.staged_batch import Batch, parse_batch
from tiles.store import Listed, Object, Store, Unlistable
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore

NOW = 1000.0


def submission(submitter: str, number: int, entries: Sequence[bytes] = (b"entry",)) -> tuple[str, bytes]:
    """Return path and content of a submission."""
    data = format_submission(entries)
    return Name(submitter, f"{number:032x}", sha256(data).hexdigest()).path, data


@pytest.fixture(params=["memory", "directory"])
def private(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return the private part of a log."""
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "private", NoSync())


def put(private: Store, *objects: tuple[str, bytes]) -> list[str]:
    """Put objects there, one after the other, and return their names below the inbox."""
    for path, data in objects:
        private.create({path: data})
    return [path.removeprefix("inbox/") for path, _ in objects]


def test_an_empty_inbox(private: Store) -> None:
    """Where nothing waits nothing is taken, whether or not anything was ever there."""
    empty = Inbox(private, OPEN).take(0, NOW)
    assert (empty.entries, empty.took, empty.refused) == ([], (), ())
    assert (empty.backlog.objects, empty.backlog.oldest) == (0, None)


@pytest.mark.parametrize("parallel", [1, 2, 32])
def test_what_is_there_is_taken(private: Store, parallel: int) -> None:
    """Submissions are taken in the order they were written, and the batch can be staged."""
    names = put(private, *(submission("ann", 99 - n, [b"%d" % n, b"more"]) for n in range(40)))
    bad = put(private, ("inbox/ann/no name", b"x"), ("inbox/x", b"x"), ("inbox/eve/a/b", b"x"))
    taken = Inbox(private, OPEN, parallel=parallel).take(0, NOW)
    if isinstance(private, MemoryStore):  # a file's time is not fine enough to tell
        assert taken.took == tuple(names)
        assert taken.entries == [entry for n in range(40) for entry in (b"%d" % n, b"more")]
    assert sorted(taken.took) == sorted(names)
    assert sorted(name for name, _ in taken.refused) == sorted(map(name_in_batch, bad))
    assert taken.backlog.objects == 0
    batch = Batch(0, 0, b"", taken.took, taken.refused)
    assert parse_batch(batch.data) == batch


@pytest.mark.parametrize("name", ["a b", "ä", "a\tb", "a\x1b[2J", "x" * 250 + "/" + "y" * 250 + "/" + "z" * 250])
def test_names_that_no_batch_can_hold_are_refused(name: str) -> None:
    """What cannot be named in a batch is refused under the digest of its name."""
    private = MemoryStore()
    put(private, (f"inbox/{name}", b"x"))
    names = put(private, submission("ann", 1))
    taken = Inbox(private, OPEN).take(0, NOW)
    assert (taken.took, [refused for refused, _ in taken.refused]) == (tuple(names), [name_in_batch(name)])
    assert taken.backlog.objects == 0
    assert parse_batch(Batch(0, 0, b"", (), taken.refused).data).refused == taken.refused


class Odd(Passing):
    """A store whose reading can be odd in any way; it takes down what was read, with which limit."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, "private")
        self.reads: list[tuple[str, int | None]] = []
        self.gone: set[str] = set()
        self.broken: set[str] = set()
        self.unlistable: set[str] = set()
        self.listings: list[str] = []
        self.sizes: dict[str, int] = {}

    def read(self, path: str, limit: int | None = None) -> Object:
        self.reads.append((path, limit))
        if path in self.gone:
            raise NotFound(path)
        if path in self.broken:
            raise AccessError(path)
        return super().read(path, limit)

    def list(self, prefix: str) -> Iterator[Listed]:
        self.listings.append(prefix)
        for listed in super().list(prefix):
            if listed.path in self.unlistable:
                raise Unlistable(listed.path)
            yield Listed(listed.path, self.sizes.get(listed.path, listed.size), listed.modified)


def test_nothing_longer_than_allowed_is_read(private: Store) -> None:
    """What is too long by the listing is refused without a byte of it being read; the listing is read once."""
    odd = Odd(private)
    put(odd, submission("ann", 1, [bytes(3000)]), submission("ann", 2))
    taken = Inbox(odd, Admission(max_submission_bytes=1000)).take(0, NOW)
    assert [reason for _, reason in taken.refused] == ["3036 bytes, 1000 is the most"]
    assert len(taken.took) == 1
    assert sorted(limit or 0 for _, limit in odd.reads) == [0, len(submission("ann", 2)[1])]
    assert odd.listings == ["decided/", "inbox/"]


def test_what_grew_since_it_was_listed_is_not_read(private: Store) -> None:
    """No more is read than was listed, so that memory is bounded by the listing; it waits for the next one."""
    odd = Odd(private)
    grown, shrunk = submission("ann", 1), submission("bob", 2)
    names = put(odd, grown, shrunk)
    odd.sizes = {grown[0]: len(grown[1]) - 1, shrunk[0]: len(shrunk[1]) + 1}
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert taken.took == (names[1],)
    assert taken.backlog.unreadable == (names[0],)


def test_what_vanished_is_skipped(private: Store) -> None:
    """An object that another run has taken meanwhile is no trouble; nor is one to be refused that is not there."""
    odd = Odd(private)
    names = put(odd, submission("ann", 1), submission("ann", 2), ("inbox/ann/x", b"x"))
    odd.gone = {f"inbox/{names[0]}", f"inbox/{names[2]}"}
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert (taken.took, taken.refused, taken.backlog.objects) == ((names[1],), (), 0)


def test_what_cannot_be_read_waits(private: Store) -> None:
    """An object that cannot be read, whyever, stops nothing: it waits, and is named."""
    odd = Odd(private)
    names = put(odd, submission("ann", 1), submission("bob", 2))
    odd.broken = {f"inbox/{names[0]}"}
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert (taken.took, taken.backlog.unreadable, taken.backlog.objects) == ((names[1],), (names[0],), 1)


def test_a_name_that_stops_the_listing_stops_its_submitter_only(private: Store) -> None:
    """Where one submitter's names make the inbox unlistable, the others' are listed each by themselves."""
    odd = Odd(private)
    names = put(odd, submission("ann", 1), submission("eve", 2), ("inbox/eve/zz", b"x"), submission("zoe", 3))
    odd.unlistable = {"inbox/eve/zz"}
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert set(taken.took) == {names[0], names[1], names[3]}
    assert taken.backlog.unlistable == ("eve",)
    assert taken.backlog.objects == 0


def test_a_submitter_whose_name_is_no_path_stops_nobody(private: Store) -> None:
    """Where each is listed by itself, one that cannot be listed under its name is passed over."""

    class Folders(Odd):
        def folders(self, prefix: str) -> Sequence[str]:
            return ["", "..", *super().folders(prefix)]

    odd = Folders(private)
    names = put(odd, submission("ann", 1), ("inbox/eve/zz", b"x"))
    odd.unlistable = {"inbox/eve/zz"}
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert (taken.took, taken.backlog.unlistable) == ((names[0],), ("", "..", "eve"))


def put_decided(private: Store, name: str) -> None:
    """Record that an object below the inbox is decided."""
    named = name_in_batch(name)
    private.create({decided_path(name_digest(named)): format_decided(named)})


def test_what_is_decided_is_left_out(private: Store) -> None:
    """An object that is recorded as decided is not even read, whatever it is called; it is counted."""
    odd = Odd(private)
    names = put(odd, submission("ann", 1), submission("ann", 2), ("inbox/ann/no name", b"x"), submission("bob", 3))
    for name in names[:3]:
        put_decided(odd, name)
    taken = Inbox(odd, OPEN).take(0, NOW)
    assert (taken.took, taken.refused) == ((names[3],), ())
    assert (taken.backlog.undeletable, taken.backlog.objects) == (3, 0)
    assert [path for path, _ in odd.reads] == [f"inbox/{names[3]}"]


@pytest.mark.parametrize("bound", ["seconds", "folders"])
def test_not_all_folders_are_listed(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each is listed by itself, that ends after a time, or so many; the others are named or wait for a batch."""
    monkeypatch.setattr(reader, "LONGEST_OF_ALL", 20.0 if bound == "seconds" else 1e9)
    monkeypatch.setattr(reader, "MOST_FOLDERS", 1000 if bound == "seconds" else 10)
    odd = Odd(MemoryStore())
    names = put(odd, *(submission(f"e{n}", n) for n in range(50)), ("inbox/e9/~", b"x"))
    odd.unlistable = {"inbox/e9/~"}
    ticks = itertools.count()
    first, second = (Inbox(odd, OPEN, clock=lambda: float(next(ticks))).take(size, NOW) for size in (0, 1))
    assert 0 < len(first.took) < 30
    assert {*first.took} != {*second.took} <= {*names}
    assert bool(len(first.backlog.unlistable) > 20) == (bound == "seconds")


def test_records_that_cannot_be_listed_are_an_error() -> None:
    """Without them nobody knows what is decided: the run stops, and takes nothing twice."""

    class Broken(MemoryStore):
        def list(self, prefix: str) -> Iterator[Listed]:
            if prefix == "decided/":
                raise AccessError("broken on purpose")
            return super().list(prefix)

    with pytest.raises(AccessError, match="broken on purpose"):
        Inbox(Broken(), OPEN).take(0, NOW)


@pytest.mark.parametrize("error", [AccessError("no"), Unlistable("no"), Refused("a link"), RecursionError()])
def test_a_folder_that_cannot_be_listed_is_its_submitters_trouble(error: Exception) -> None:
    """Whatever keeps one folder from being listed, the others' submissions are taken, and it is named."""

    class Stubborn(MemoryStore):
        def list(self, prefix: str) -> Iterator[Listed]:
            if prefix in ("inbox/", "inbox/eve/"):
                raise error
            return super().list(prefix)

        def folders(self, prefix: str) -> Sequence[str]:
            return ["ann", "eve", "zoe"] if prefix == "inbox/" else []

    private = Stubborn()
    names = put(private, submission("ann", 1), submission("eve", 2), submission("zoe", 3))
    taken = Inbox(private, OPEN).take(0, NOW)
    assert (set(taken.took), taken.backlog.unlistable) == ({names[0], names[2]}, ("eve",))


@pytest.mark.parametrize("bound", ["objects", "seconds"])
def test_a_folder_with_too_much_in_it_is_listed_in_part(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No listing goes on for ever: after so many objects, or so long, the rest of this submitter waits."""
    monkeypatch.setattr(clearing, "MOST_LISTED", 40 if bound == "objects" else 1000)
    monkeypatch.setattr(clearing, "LONGEST", 1e9 if bound == "objects" else 40.0)
    private = MemoryStore()
    put(private, *(submission("eve", n) for n in range(100)), submission("zoe", 1))
    ticks = itertools.count()
    taken = Inbox(private, OPEN, clock=lambda: float(next(ticks))).take(0, NOW)
    assert [name for name in taken.took if name.startswith("zoe")]
    assert 0 < len(taken.took) < 60
    assert taken.backlog.unlistable == ("eve",)


def test_as_long_as_too_much_cannot_be_deleted_nothing_more_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of one submitter are bounded; another's submissions are taken."""
    monkeypatch.setattr(reader, "MOST_UNDELETABLE", 3)
    private = MemoryStore()
    names = put(private, *(submission("eve", n) for n in range(5)), submission("zoe", 1))
    for name in names[:3]:
        put_decided(private, name)
    assert Inbox(private, OPEN).take(0, NOW).took == (names[5],)


def test_an_inbox_that_cannot_be_listed_is_an_error() -> None:
    """A listing that breaks off is no empty inbox."""

    class Broken(MemoryStore):
        def list(self, prefix: str) -> Iterator[Listed]:
            raise AccessError(f"{prefix}: broken on purpose")

    with pytest.raises(AccessError, match="broken on purpose"):
        Inbox(Broken(), OPEN).take(0, NOW)


@pytest.mark.parametrize("parallel", [1, 4, INBOX_READS])
def test_reads_run_side_by_side(parallel: int) -> None:
    """As many objects are under way at a time as is allowed, and no more; their order stays."""

    class Counting(MemoryStore):
        now = most = 0
        lock = threading.Lock()
        together = threading.Event()

        def read(self, path: str, limit: int | None = None) -> Object:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
                if self.now == parallel:
                    self.together.set()
            assert self.together.wait(60)
            try:
                return super().read(path, limit)
            finally:
                with self.lock:
                    self.now -= 1

    private = Counting()
    names = put(private, *(submission("ann", 1000 - n) for n in range(200)))
    assert Inbox(private, OPEN, parallel=parallel).take(0, NOW).took == tuple(names)
    assert private.most == parallel


def test_what_kills_a_read_kills_the_run() -> None:
    """What is no error of ours leaves the call, and leaves no thread behind."""

    class Dying(MemoryStore):
        def read(self, path: str, limit: int | None = None) -> Object:
            raise Died(path, limit)

    private = Dying()
    put(private, *(submission("ann", n) for n in range(100)))
    before = threading.active_count()
    for parallel in (1, 8):
        with pytest.raises(Died):
            Inbox(private, OPEN, parallel=parallel).take(0, NOW)
    deadline = time.monotonic() + 30
    while threading.active_count() > before:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(("parallel", "side_by_side"), [(64, True), (1, False)])
def test_threads_are_for_object_stores(parallel: int, side_by_side: bool) -> None:
    """Where reading takes its time, several objects are read at once; elsewhere there are no threads."""
    threads = set()

    class Elsewhere(MemoryStore):
        def read(self, path: str, limit: int | None = None) -> Object:
            threads.add(threading.get_ident())
            return super().read(path, limit)

    private = Elsewhere()
    private.parallel = parallel
    put(private, *(submission("ann", n) for n in range(50)))
    assert len(Inbox(private, OPEN).take(0, NOW).took) == 50
    assert (threading.get_ident() not in threads) == side_by_side


class Crowd:
    """An inbox of very many objects that exist as they are listed."""

    url = "s3://bucket/log"
    parallel = 64
    patience = 3.0

    def __init__(self, count: int, data: bytes, name: str) -> None:
        self.count = count
        self.data = data
        self.name = name
        self.honest, self.entry = submission("honest", 0, [b"honest"])

    def list(self, prefix: str) -> Iterator[Listed]:
        """List the crowd first, and all of it older."""
        if prefix != "inbox/":
            return
        for number in range(self.count):
            yield Listed(f"inbox/0/{number:032x}-{self.name}", len(self.data), float(number))
        yield Listed(self.honest, len(self.entry), NOW * NOW)

    def read(self, path: str, limit: int | None = None) -> Object:
        """Return the same for each of the crowd."""
        data = self.entry if path == self.honest else self.data
        assert limit in (0, len(data))
        return Object(data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["badly named", "changed", "good"])
def test_100_000_of_one_delay_no_other(kind: str) -> None:
    """One submission is in the first batch behind 100,000 of somebody else's, in bounded time and memory."""
    path, data = submission("0", 0)
    name = {"badly named": "x", "changed": "0" * 64, "good": path[-64:]}[kind]
    began = time.process_time()
    taken: Taken = Inbox(Crowd(100_000, data, name), OPEN).take(0, NOW)
    assert time.process_time() - began < 20  # seconds; about one, unless another order of growth comes in
    assert b"honest" in taken.entries
    assert len(taken.took) + len(taken.refused) == 65_536
    assert taken.backlog.objects == 100_001 - 65_536


def test_many_of_one_delay_no_other() -> None:
    """The same for a batch of 1,000."""
    path, data = submission("0", 0)
    taken: Taken = Inbox(Crowd(2000, data, path[-64:]), OPEN, Limits(objects=1000)).take(0, NOW)
    assert b"honest" in taken.entries
    assert len(taken.took) + len(taken.refused) == 1000
    assert taken.backlog.objects == 2001 - 1000


@pytest.mark.slow
def test_memory_follows_the_batch() -> None:
    """Ten times as many objects take no more memory, and contents beyond one batch are not held."""
    path, data = submission("0", 0, [bytes(20_000)])

    def peak(count: int) -> int:
        tracemalloc.start()
        Inbox(Crowd(count, data, path[-64:]), OPEN, Limits(bytes=1 << 20, objects=2000)).take(0, NOW)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(40_000) < 1.5 * peak(8_000) < 9_000_000
