"""Mirroring: all of a log, exactly, and nothing that the signed tree has not; whatever was there, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.mirrors import contents, holding, mirror, tree_of
from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, make_log, renamed
from tests.support.reference import flipped
from tests.support.signed_text import LOG, W1, W2, key
from tiles.errors import AccessError, ForkError, LogError, Refused, TileError
from tiles.notes.fork_evidence import check_fork
from tiles.notes.policy import parse_policy
from tiles.read.client import LogClient
from tiles.records.paths import POLICY as POLICY_FILE
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT, TILES
from tiles.upkeep.audit import audit
from tiles.watch.mirror import Mirror

SIZE = 1300
SIZES = (1, 255, 256, 257, 700, SIZE)


@pytest.mark.parametrize("size", [0, *SIZES])
def test_all_of_it(size: int) -> None:
    """A mirror has the log's tiles, bundles, checkpoint and policy, byte for byte, and nothing else."""
    store, told = MemoryStore(), list[int]()
    done = mirror(make_log(size), store, told.append)
    assert contents(store) == tree_of(make_log(size))
    assert (done.tree.size, done.published, sum(told)) == (size, True, size)
    client = LogClient(StoreFetcher(store), POLICY)
    client.visit()
    assert audit(StoreFetcher(store), client.tree, store=store).findings == ()


@pytest.mark.parametrize("before", [0, *SIZES])
def test_a_log_that_has_grown(before: int) -> None:
    """The next run adds what the log has gained; what was there stays, also partial tiles of earlier trees."""
    store = MemoryStore()
    mirror(make_log(before), store)
    done = mirror(make_log(before, SIZE), store)
    assert contents(store) == tree_of(make_log(before)) | tree_of(make_log(SIZE))
    assert (done.before and done.before.size, done.tree.size) == (before, SIZE)
    again = mirror(make_log(before, SIZE), store)
    assert (again.objects, again.published) == (0, False)


def test_what_is_read() -> None:
    """Tiles of level 0 are computed; only what the mirror lacks is read."""
    store = MemoryStore()
    log = Objects(make_log(700))
    mirror(log, store)
    assert not [path for path in log.asked if path.startswith("tile/0/") and ".p/" not in path]
    log = Objects(make_log(700, SIZE))
    mirror(log, store)
    assert [path for path in log.asked if "entries" in path] == [
        *(f"tile/entries/00{number}" for number in (2, 3, 4)),
        "tile/entries/005.p/20",
    ]


# ---- the log is wrong


@pytest.mark.parametrize("change", [lambda data: flipped(data, 77), lambda data: data[:-1], lambda _data: b""])
@pytest.mark.parametrize("path", ["tile/entries/001", "tile/entries/005.p/20", "tile/1/000.p/5", "tile/0/005.p/20"])
def test_a_log_that_is_damaged(path: str, change: Callable[[bytes], bytes]) -> None:
    """Nothing that does not verify is written, and no checkpoint."""
    store, log = MemoryStore(), make_log(SIZE)
    with pytest.raises((LogError, AccessError), match=path):
        mirror({**log, path: change(log[path])}, store)
    assert contents(store).items() <= tree_of(log).items()
    assert CHECKPOINT not in contents(store)
    mirror(log, store)
    assert contents(store) == tree_of(log)


def test_a_damaged_tile_of_level_0_does_not_matter() -> None:
    """A full tile is a function of the entries, so it is not read."""
    store, log = MemoryStore(), make_log(SIZE)
    mirror({**log, "tile/0/001": b"wrong"}, store)
    assert contents(store) == tree_of(log)


def test_a_policy_that_names_another_key() -> None:
    """A policy that nobody could use is left out; it stops nothing."""
    store, log = MemoryStore(), make_log(300)
    mirror({**log, POLICY_FILE: renamed(log, OTHER_KEY)[POLICY_FILE]}, store)
    assert POLICY_FILE not in contents(store)


# ---- what is where the mirror is to be


def test_another_log_is_there() -> None:
    """A place of another log is refused, and nothing is changed."""
    there = holding(renamed(make_log(300), key("other.example.com", 9)))
    before = contents(there)
    with pytest.raises(Refused, match=r"is of the log other\.example\.com"):
        mirror(make_log(SIZE), there)
    assert contents(there) == before


@pytest.mark.parametrize(
    "data", [b"", b"garbage", flipped(make_log(300)[CHECKPOINT], 100), make_log(300, key=OTHER_KEY)[CHECKPOINT]]
)
def test_what_the_log_has_not_signed(data: bytes) -> None:
    """Nothing is believed of a mirror whose checkpoint the log has not signed."""
    there = holding({CHECKPOINT: data})
    with pytest.raises((LogError, Refused), match="memory://mirror/checkpoint"):
        mirror(make_log(SIZE), there)
    assert contents(there) == {CHECKPOINT: data}


@pytest.mark.parametrize("size", [299, 300, 301, 1400])
def test_another_history(size: int) -> None:
    """A mirror with another history than the log is evidence against the log; it is not touched."""
    there = holding(make_log(size, tag="other", same_up_to=200))
    before = contents(there)
    with pytest.raises(ForkError, match=r"memory://mirror/checkpoint.*two histories") as raised:
        mirror(make_log(300), there)
    check_fork(raised.value.evidence, POLICY)
    assert contents(there) == before


def test_a_log_that_is_behind() -> None:
    """A mirror never gets smaller: where the log is served from an old copy, there is nothing to do."""
    there = holding(make_log(300, SIZE))
    before = contents(there)
    done = mirror(make_log(300), there)
    assert (done.tree.size, done.objects, done.published) == (SIZE, 0, False)
    assert contents(there) == before


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/003", "tile/1/000.p/5", "tile/entries/005.p/20"])
def test_another_content_is_there(path: str) -> None:
    """An object with another content than the tree has is an error with both contents, and is not overwritten."""
    there = holding({path: b"something else"})
    with pytest.raises(TileError, match=rf"memory://mirror/{path}.*another content") as raised:
        mirror(make_log(SIZE), there)
    assert raised.value.evidence == {path: b"something else", "expected": make_log(SIZE)[path]}
    assert contents(there)[path] == b"something else"
    assert CHECKPOINT not in contents(there)


def test_what_a_dead_run_has_left() -> None:
    """What is there already is verified, and not read from the log again."""
    log = make_log(SIZE)
    there = holding({path: data for path, data in log.items() if path.startswith(TILES) and path < "tile/entries/003"})
    reading = Objects(log)
    mirror(reading, there)
    assert contents(there) == tree_of(log)
    assert "tile/entries/003" in reading.asked
    assert "tile/entries/001" not in reading.asked


def test_more_cosignatures() -> None:
    """Of one tree, the checkpoint is replaced by one with more verified cosignatures, and by no other."""
    names = "".join(f"witness {at} {witness.verifier.vkey}\n" for at, witness in enumerate((W1, W2)))
    policy = parse_policy(f"log {LOG.verifier.vkey}\n{names}quorum none\n".encode())
    store, log = MemoryStore(), make_log(300)

    def seen(*by: object) -> bytes:
        client = LogClient(Objects(cosigned(log, *by)), policy)  # type: ignore[arg-type]
        client.visit()
        Mirror(client, store).run()
        return store.read(CHECKPOINT).data

    assert seen() == log[CHECKPOINT]
    assert seen(W1) == (one := cosigned(log, W1)[CHECKPOINT])
    assert seen() == one
    assert seen(W1, W2) != one


# ---- faults and races


class _Growing(MemoryStore):
    """A store in which another run is faster, whenever a checkpoint is to be swapped."""

    def __init__(self, *others: Mapping[str, bytes]) -> None:
        super().__init__("mirror")
        self.others = list(others)

    def swap(self, path: str, *rest: object) -> object:  # type: ignore[override]
        """Let the other run be first."""
        if path == CHECKPOINT and self.others:
            other = self.others.pop(0)
            mirror(other, self)
        return super().swap(path, *rest)  # type: ignore[arg-type]


def test_another_run_is_faster() -> None:
    """A smaller tree is replaced, a larger one stays, and the same one is as good; all tiles are there."""
    smaller = _Growing(make_log(100), make_log(100, 200))
    assert mirror(make_log(100, 200, 300), smaller).published
    assert smaller.read(CHECKPOINT).data == make_log(100, 200, 300)[CHECKPOINT]
    larger = _Growing(make_log(100, 200, 300))
    assert mirror(make_log(100, 200), larger).tree.size == 300
    assert larger.read(CHECKPOINT).data == make_log(300)[CHECKPOINT]
    same = _Growing(make_log(300))
    assert mirror(make_log(300), same).tree.size == 300
    with pytest.raises(ForkError):
        mirror(make_log(300), _Growing(make_log(200, tag="other", same_up_to=100)))


def grown(before: int) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return what a mirror has, and what the log has by now."""
    return (tree_of(make_log(before)), make_log(before, 600)) if before else ({}, make_log(600))


def operations(before: int) -> list[tuple[int, Fault]]:
    """Return what can go wrong at which operation of a run."""
    old, log = grown(before)
    faults = Faults()
    mirror(log, faults.wrap(holding(old), "mirror"))
    return [(at, fault) for at, (_, kinds) in enumerate(faults.done) for fault in kinds]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("before", [0, 300])
def test_faults_at_every_operation(before: int, again: bool) -> None:
    """A run that fails or dies anywhere leaves a good mirror, or none; the next one finishes it."""
    old, log = grown(before)
    whole = old | tree_of(log)
    died = 0
    for at, fault in operations(before):
        store = holding(old)
        faults = Faults(at, fault, backward=again, again=again)
        try:
            mirror(log, faults.wrap(store, "mirror"))
        except (Died, AccessError):
            died += 1
        left = contents(store)
        assert left.items() <= whole.items() | old.items(), str(faults)
        if left.get(CHECKPOINT) != old.get(CHECKPOINT):
            assert left.keys() >= whole.keys() - {POLICY_FILE}, str(faults)
        mirror(log, store)
        assert contents(store) == whole, str(faults)
    assert died > 10


def test_order() -> None:
    """All objects last before the checkpoint is swapped."""
    faults = Faults()
    mirror(make_log(600), faults.wrap(MemoryStore(), "mirror"))
    done = [what for what, _ in faults.done]
    swapped = next(at for at, what in enumerate(done) if what == f"mirror swap {CHECKPOINT}")
    barrier = max(at for at, what in enumerate(done[:swapped]) if what == "mirror barrier")
    assert not [what for what in done[barrier:swapped] if " create " in what]
    assert [what for what in done if " create " in what]
