"""Building an index: whatever dies, is damaged, or is built at the same time, the index is that of the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import count

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Passing
from tests.support.index_texts import slow_live_runs, slow_record, slow_root
from tests.support.reference import Tree, flipped, full_tree
from tests.support.sampling import one_in, quickly
from tests.support.signed_text import LOG, key
from tiles.errors import AccessError, Conflict, SignatureError, TilesError, UsageError, VerificationError
from tiles.index import build as module
from tiles.index.build import IndexBuilder
from tiles.index.record import leaf_records
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import IndexHead, open_index_head, sign_index_head
from tiles.notes.note import Note, Signature
from tiles.retry import Clock
from tiles.store import Differs, Store, StoreFetcher, Version
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import HASH_SIZE, Hash, TreeHead

ORIGIN = LOG.name
KIND = "leaf/1"
MOST = 70_000
HEAD = f"index/{KIND}/head"


@cache
def tree(size: int) -> Tree:
    """Return a log, made once."""
    return full_tree(size)


class Numbers:
    """A log whose entries are their own indexes, in decimal."""

    def __init__(self, size: int, made: Tree | None = None) -> None:
        self._made = made or tree(MOST)
        self.tree = self.tree_at(size)

    def tree_at(self, size: int) -> TreeHead:
        """Return the tree at a size."""
        return self._made.head(size)

    def entries(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield entries with their indexes."""
        assert stop <= self.tree.size
        return ((index, b"%d" % index) for index in range(start, stop))

    def leaves(self, start: int, stop: int) -> Iterator[list[Hash]]:
        """Yield leaf hashes."""
        assert stop <= self.tree.size
        yield [Hash(self._made.leaf(index)) for index in range(start, stop)]


@cache
def remembered(first: int, stop: int) -> bytes:
    """Return the records of some numbers."""
    return leaf_records(b"".join(tree(MOST).leaf(index) for index in range(first, stop)), first)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a step be one run of level 0, and compute the records of each once."""
    monkeypatch.setattr(module, "STEP", 4096)
    monkeypatch.setattr(
        module, "leaf_records", lambda leaves, first: remembered(first, first + len(leaves) // HASH_SIZE)
    )


def signed(head: IndexHead) -> bytes:
    """Sign as the log does."""
    return sign_index_head(head, LOG).data


def build(store: Store, size: int, sign: Callable[[IndexHead], bytes] = signed) -> IndexHead:
    """Build the index of the first entries."""
    return IndexBuilder(store, Numbers(size), sign, LOG.verifier).build(ORIGIN, KIND, Clock(sleep=lambda _: None))


def check(store: MemoryStore, size: int) -> None:
    """Hold that the index in a store is that of so many entries: head, roots, and every record."""
    covered = size // 4096 * 4096
    head = open_index_head(store.read(HEAD).data, [LOG.verifier])
    assert (head.origin, head.kind, head.tree) == (ORIGIN, KIND, tree(MOST).head(covered))
    assert [(run.level, run.number) for run in head.runs] == slow_live_runs(covered)
    for run in head.runs:
        every = run.covers
        records = sorted(slow_record(KIND, tree(MOST).leaf(index), index) for index in every)
        assert (run.records, run.root) == (len(every), slow_root(records))
        assert b"".join(RunReader(StoreFetcher(store), KIND, run).files()) == b"".join(records)


@pytest.mark.parametrize("size", quickly([0, 4095, 4096, 8192, 16_384, 20_480, 65_536, MOST], [0, 4095, 4096, 20_480]))
def test_an_index(size: int) -> None:
    """It has the live runs of what it covers; the head of a small log says that the index was begun."""
    store = MemoryStore()
    head = build(store, size)
    check(store, size)
    before = list(store.list(""))
    assert build(store, size) == head == build(store, size // 2)
    assert list(store.list("")) == before


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("most", quickly([24_576, MOST], [24_576]))
def test_growing(most: int) -> None:
    """An index that caught up many times is the one that is built at once."""
    store = MemoryStore()
    for size in (5000, 8192, 20_000, 24_576, 41_000, MOST):
        if size > most:
            break
        build(store, size)
        check(store, size)


def ways() -> Iterator[tuple[Faults, MemoryStore]]:
    """Yield each operation of building 20,480 entries, in steps, with each fault there may be."""
    counting = Faults()
    build(counting.wrap(MemoryStore(), "public"), 20_480)
    for at, (_, kinds) in enumerate(counting.done):
        for fault in kinds:
            yield Faults(at, fault), MemoryStore()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("share", quickly([16, 1], [16]))
def test_it_dies_anywhere(share: int) -> None:
    """Whatever one operation does, the next builder comes to the same index; no head is ahead of its runs."""
    for faults, store in one_in(share, ways()):
        try:
            build(faults.wrap(store, "public"), 20_480)
        except (Died, TilesError):
            covered = open_index_head(store.read(HEAD).data, [LOG.verifier]).tree.size if holds(store, HEAD) else 0
            if covered:
                check(store, covered)
        build(store, 20_480)
        check(store, 20_480)


def holds(store: MemoryStore, path: str) -> bool:
    """Whether an object is there."""
    return path in {listed.path for listed in store.list("")}


class Lasting(Passing):
    """A store that knows which objects would be gone after a power cut."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, "public")
        self.lost: set[str] = set()
        self.heads = 0

    def create(self, objects: Mapping[str, bytes]) -> None:
        self.lost |= {*objects}
        super().create(objects)

    def barrier(self) -> None:
        self.lost = set()

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        assert self.lost == set()
        self.heads += 1
        return super().swap(path, data, expected)


@pytest.mark.usefixtures("small")
def test_runs_last_before_their_head() -> None:
    """A power cut never leaves a head without its runs."""
    store = Lasting(MemoryStore())
    build(store, 20_480)
    assert store.heads == 5


@pytest.mark.usefixtures("small")
def test_two_builders() -> None:
    """A second one that is faster, at any moment of the first: both end, with one index."""
    moments = Faults()
    build(moments.wrap(MemoryStore(), "public"), 20_480)
    for at in one_in(8, range(len(moments.done))):
        for other in (8192, 20_480):
            store = MemoryStore()
            build(GatedStore(store, "public", meeting(store, at, other)), 20_480)
            check(store, 20_480)


def meeting(store: MemoryStore, at: int, size: int) -> Callable[[str], None]:
    """Return a gate at whose operation `at` somebody else builds an index of so many entries."""
    count = iter(range(1 << 30))

    def gate(_what: str) -> None:
        if next(count) == at:
            build(store, size)

    return gate


@pytest.mark.usefixtures("small")
def test_a_head_that_changes_all_the_time() -> None:
    """It ends, and nothing was overwritten."""
    store, tries = MemoryStore(), count(1)
    begun = sign_index_head(IndexHead(ORIGIN, KIND, tree(MOST).head(0), ()), LOG)

    def busy(head: IndexHead) -> bytes:
        other = Signature("other", bytes(4), b"%d" % next(tries))
        version = store.read(HEAD).version if holds(store, HEAD) else None
        store.swap(HEAD, Note(begun.text, (*begun.signatures, other)).data, version)
        return signed(head)

    with pytest.raises(Conflict, match="changes all the time"):
        build(store, 4096, busy)


def damages(data: bytes) -> Iterable[bytes | None]:
    """Yield what may be instead of an object; None: nothing."""
    yield None
    yield from (data[:-1], data + b"\0", b"", flipped(data, 8 * len(data) - 1), flipped(data, 0))


@pytest.mark.usefixtures("small")
def test_what_is_damaged_is_not_merged() -> None:
    """A run that does not lead to its root, or is gone, is computed from the entries again."""
    sound = MemoryStore()
    build(sound, 12_288)
    paths = [listed.path for listed in sound.list("") if listed.path != HEAD]
    for path in one_in(2, paths):
        for damage in damages(sound.read(path).data):
            store = MemoryStore()
            build(store, 12_288)
            store.delete([path])
            if damage is not None:
                store.create({path: damage})
            build(store, 16_384)
            check(store, 16_384)


@pytest.mark.usefixtures("small")
def test_another_content() -> None:
    """Where a run is to be, something else stays what it is, and the head does not name it."""
    store = MemoryStore()
    build(store, 4096)
    store.create({f"index/{KIND}/0/001/000": b"something else"})
    with pytest.raises(Differs):
        build(store, 8192)
    check(store, 4096)


@pytest.mark.usefixtures("small")
def test_whose_index_it_is() -> None:
    """Of another key, another log, another kind or another history: it is said, and nothing is changed."""
    store = MemoryStore()
    build(store, 8192)
    before = [store.read(listed.path) for listed in store.list("")]
    other, history = key(ORIGIN, 77), Numbers(20_480, Tree({0: tree(1).leaf(0)}))

    def builder(verifier: object = LOG.verifier, log: Numbers | None = None) -> IndexBuilder:
        return IndexBuilder(store, log or Numbers(20_480), signed, verifier)  # type: ignore[arg-type]

    with pytest.raises(SignatureError):
        builder(other.verifier).build(ORIGIN, KIND)
    for wrong in (lambda: builder().build("other.example.com", KIND), lambda: builder(log=history).build(ORIGIN, KIND)):
        with pytest.raises(VerificationError, match="does not begin with that") as caught:
            wrong()
        assert caught.value.evidence == {"index head": store.read(HEAD).data}
    store.swap(HEAD, signed(IndexHead(ORIGIN, "name/1", tree(MOST).head(0), ())), store.read(HEAD).version)
    with pytest.raises(VerificationError):
        builder().build(ORIGIN, KIND)
    store.swap(HEAD, before[-1].data, store.read(HEAD).version)
    with pytest.raises(UsageError):
        builder().build(ORIGIN, "no kind")
    assert [store.read(listed.path).data for listed in store.list("")] == [found.data for found in before]


@pytest.mark.usefixtures("small")
def test_the_log_cannot_be_read() -> None:
    """The error is that of the log, and the next builder goes on."""
    store = MemoryStore()
    build(store, 4096)

    class Broken(Numbers):
        def leaves(self, start: int, stop: int) -> Iterator[list[Hash]]:
            raise AccessError(f"no entries {start} to {stop}")

    with pytest.raises(AccessError, match="no entries 4096"):
        IndexBuilder(store, Broken(20_480), signed, LOG.verifier).build(ORIGIN, KIND)
    check(store, 4096)


def test_faults_are_real() -> None:
    """The matrix has deaths, lost replies and what did not happen, of each kind of operation."""
    assert {fault for faults, _ in ways() for fault in [faults.fault]} == set(Fault)
