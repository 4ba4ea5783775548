from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, entry, make_log
from tests.support.signed_text import LOG, ORIGIN, W1, W2, W3
from tiles.errors import (
    AccessError,
    ForkError,
    LogError,
    Malformed,
    NotFound,
    PolicyError,
    SignatureError,
    TileError,
    UsageError,
)
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.fork_evidence import check_fork
from tiles.notes.policy import Policy, parse_policy, policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import SCAN_LIMIT, LogClient
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT, Tile, edge_tiles, tile_at
from tiles.tree.merkle import leaf_hash
from tiles.tree.reader import TreeReader
from tiles.user.seen_checkpoints import Visits, read_evidence
from tiles.user.tile_cache import TileCache

BIG = 66_000  # three levels of tiles


def sample(size: int) -> list[int]:
    """Return indexes of a tree: its ends, and those around the ends of tiles."""
    near = {0, 1, 2, 3, 254, 255, 256, 257, 511, 512, 600, 65_535, 65_536, size // 2, size - 2, size - 1}
    return sorted(index for index in near if 0 <= index < size)


def client(objects: dict[str, bytes] | Objects, visits: Visits | None = None, policy: Policy = POLICY) -> LogClient:
    """Return a client of a log."""
    return LogClient(objects if isinstance(objects, Objects) else Objects(objects), policy, visits=visits)


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "state")


# ---- proofs and entries


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, BIG])
def test_prove_and_entry(size: int) -> None:
    """A proof of every kind of index verifies offline, by its bytes alone, and the entry is the one logged."""
    reader = client(make_log(size))
    for index in sample(size):
        proof = parse_tlog_proof(reader.prove(index, extra=b"hello").data)
        assert verify_tlog_proof(proof, leaf_hash(entry(index)), POLICY).signed.tree.size == size
        assert (proof.index, proof.extra) == (index, b"hello")
        assert reader.entry(index) == entry(index)


def test_empty_log() -> None:
    """A log without entries can be visited; it has no entry, no proof, and nothing is found in it."""
    reader = client(make_log(0))
    assert reader.visit().signed.tree.size == 0
    assert list(reader.entries(0, 0)) == []
    assert reader.find(leaf_hash(b"")) == []
    for call in (reader.prove, reader.entry):
        with pytest.raises(UsageError):
            call(0)


@pytest.mark.parametrize("index", [-1, 600, 601])
def test_index_out_of_range(index: int) -> None:
    """An index that the tree does not have is a wrong call."""
    reader = client(make_log(600))
    with pytest.raises(UsageError):
        reader.prove(index)
    with pytest.raises(UsageError):
        reader.entry(index)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 0), (0, 1), (0, 600), (255, 257), (256, 512), (3, 599), (599, 600), (600, 600), (512, 512)]
)
@pytest.mark.parametrize("parallel", [1, 3])
def test_entries(start: int, stop: int, parallel: int) -> None:
    """`entries` yields exactly the entries asked for, in order, whether fetched one by one or in parallel."""
    reader = client(Objects(make_log(600), parallel))
    assert list(reader.entries(start, stop)) == [(index, entry(index)) for index in range(start, stop)]


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (1, 0), (0, 601), (601, 601)])
def test_entries_out_of_range(start: int, stop: int) -> None:
    """A range that the tree does not have is a wrong call, told before the first entry is asked for."""
    reader = client(make_log(600))
    with pytest.raises(UsageError):
        reader.entries(start, stop)


def test_all_entries_of_a_big_log() -> None:
    """`entries` goes on over many groups of bundles, and does not ask for any object twice."""
    objects = Objects(make_log(BIG))
    assert list(client(objects).entries(0, BIG)) == [(index, entry(index)) for index in range(BIG)]
    assert len(set(objects.asked)) == len(objects.asked)


def test_entries_are_read_as_they_are_taken() -> None:
    """Before the first entry of a long range is there, a few objects have been asked for, not all."""
    objects = Objects(make_log(BIG))
    next(client(objects).entries(0, BIG))
    assert len(objects.tiles_asked) < 70
    assert sum("entries" in path for path in objects.asked) == 1


def test_entries_while_other_tiles_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries go on to be right if so much else is read meanwhile that their tiles are forgotten."""
    monkeypatch.setattr("tiles.read.verified_tree.TreeReader", partial(TreeReader, max_full_tiles=1))
    reader = client(make_log(BIG))
    begun = reader.entries(0, 1000)
    first = [next(begun) for _ in range(300)]
    for index in range(30_000, BIG, 300):
        reader.prove(index)
    assert [*first, *begun] == [(index, entry(index)) for index in range(1000)]


def test_entries_stay_in_their_tree() -> None:
    """What `entries` has begun goes on in the tree it began in, whatever is visited meanwhile."""
    objects = Objects(make_log(300, 600))
    reader = client(objects)
    objects.objects[CHECKPOINT] = make_log(300)[CHECKPOINT]
    begun = reader.entries(0, 300)
    next(begun)
    objects.objects = make_log(300, 600, 900)
    assert reader.visit().signed.tree.size == 900
    assert list(begun) == [(index, entry(index)) for index in range(1, 300)]


def test_find() -> None:
    """`find` returns every index of a leaf, lowest first, and [] for what is not there."""
    objects = make_log(600)
    assert client(objects).find(leaf_hash(entry(599))) == [599]
    assert client(objects).find(leaf_hash(entry(600))) == []
    assert client(objects).find(leaf_hash(b"")) == [3]
    assert client(make_log(300, tag="same", same_up_to=250)).find(leaf_hash(b"same")) == list(range(250, 300))


def test_find_in_a_big_log_has_to_be_asked_for() -> None:
    """Above SCAN_LIMIT `find` says among how many entries it would look; it looks when told to."""
    reader = client(make_log(BIG))
    assert SCAN_LIMIT < BIG
    with pytest.raises(UsageError, match=f"among {BIG} entries"):
        reader.find(leaf_hash(entry(5)))
    assert reader.find(leaf_hash(entry(65_999)), any_size=True) == [65_999]
    assert client(make_log(SCAN_LIMIT)).find(leaf_hash(entry(0))) == [0]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, 65_536, BIG])
def test_tiles_read_for_one_proof(size: int) -> None:
    """One proof reads at most the edge and ⌈log256 N⌉ full tiles, each once, and no bundle."""
    objects = make_log(size)
    for index in sample(size):
        counted = Objects(objects)
        client(counted).prove(index)
        most = len(edge_tiles(size)) + math.ceil(math.log(size, 256))
        assert len(counted.tiles_asked) <= most
        assert len(counted.asked) == len(set(counted.asked)) == len(counted.tiles_asked) + 1


def test_tiles_are_read_once() -> None:
    """What was believed once is not fetched again for the next proof."""
    objects = Objects(make_log(600))
    reader = client(objects)
    for index in range(600):
        reader.prove(index)
    assert len(objects.asked) == len(set(objects.asked))


# ---- what a checkpoint must be


def test_wrong_key(visits: Visits) -> None:
    """A checkpoint signed by another key of the same name is not accepted, nor remembered."""
    with pytest.raises(SignatureError):
        client(make_log(600, key=OTHER_KEY), visits).visit()
    assert visits.last(LOG.verifier) is None
    assert visits.last(OTHER_KEY.verifier) is None


def test_wrong_origin() -> None:
    """Where the caller names the origin, no other one will do."""
    objects = Objects(make_log(5))
    assert LogClient(objects, POLICY, origin=ORIGIN).visit().signed.origin == ORIGIN
    with pytest.raises(PolicyError):
        LogClient(objects, POLICY, origin="other.example.com").visit()


def test_quorum() -> None:
    """A policy's quorum holds for every read, and a proof carries all cosignatures as they were, unknown ones too."""
    lines = f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"
    policy = parse_policy(f"{lines}group g all w1 w2\nquorum g\n".encode())
    objects = make_log(600)
    with pytest.raises(PolicyError):
        client(cosigned(objects, W1), policy=policy).prove(5)
    both = cosigned(objects, W3, W1, W2)
    proof = client(both, policy=policy).prove(5)
    assert proof.data.endswith(both[CHECKPOINT])
    assert len(verify_tlog_proof(proof, leaf_hash(entry(5)), policy).cosignatures) == 2


def test_no_checkpoint() -> None:
    """A log that is not there is a broken way, not a wrong log."""
    with pytest.raises(NotFound):
        client({}).visit()


@pytest.mark.parametrize("data", [b"", b"<html>no</html>\n", b"\xff\n\n", b"a\n1\n\n"])
def test_what_is_no_checkpoint(data: bytes) -> None:
    """Anything else in place of the checkpoint is a wrong log."""
    with pytest.raises(Malformed):
        client({CHECKPOINT: data}).visit()


# ---- what was changed


def flipped(data: bytes, at: int, bit: int) -> bytes:
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


CHANGES = {
    "first byte": lambda data: flipped(data, 0, 1),
    "byte in the middle": lambda data: flipped(data, len(data) // 2, 0x80),
    "last byte": lambda data: flipped(data, -1, 4),
    "cut short": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "longer": lambda data: data + b"\0",
    "much longer": lambda data: data + bytes(17_000_000),
}


def needed(size: int) -> list[str]:
    """Return the objects that reading all of a tree takes."""
    full = [tile_at(size, level, index) for level in (-1, 0) for index in range(-(-size // 256))]
    return sorted({CHECKPOINT, *(tile.path for tile in [*full, *edge_tiles(size)])})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("path", needed(600))
def test_any_change_is_found(path: str, change: object) -> None:
    """No object of a log can be changed unnoticed: what touches it raises, and what does not is right."""
    objects = make_log(600)
    assert callable(change)
    objects[path] = change(objects[path])
    refused = 0
    for index in (0, 3, 255, 256, 511, 512, 599):
        for method, right in (("entry", entry(index)), ("prove", None)):
            fetcher = Objects(objects)
            reader = client(fetcher)
            expected = AccessError if change is CHANGES["much longer"] else LogError
            try:
                result = getattr(reader, method)(index)
            except expected:
                assert path in fetcher.asked
                refused += 1
                continue
            assert path not in fetcher.asked
            if right is None:
                verify_tlog_proof(result, leaf_hash(entry(index)), POLICY)
            else:
                assert result == right
    assert refused
    with pytest.raises((LogError, AccessError)):
        list(client(objects).entries(0, 600))
    if not path.startswith("tile/entries/"):
        with pytest.raises((LogError, AccessError)):
            client(objects).find(leaf_hash(entry(1)))


def test_a_bundle_of_other_entries() -> None:
    """A well-formed bundle of other entries is found, and the error names bundle and entry, with both hashes."""
    objects = make_log(600)
    bundle = Tile(-1, 1)
    objects[bundle.path] = encode_entries([entry(i) if i != 300 else b"other" for i in range(256, 512)])
    with pytest.raises(TileError, match="tile/entries/001: entry 300 ") as caught:
        client(objects).entry(300)
    assert caught.value.path == bundle.path
    assert caught.value.evidence == {
        bundle.path: objects[bundle.path],
        "expected": leaf_hash(entry(300)),
        "computed": leaf_hash(b"other"),
    }


def test_tiles_of_another_log() -> None:
    """A whole other log under the signed checkpoint of this one is found."""
    objects = make_log(600, tag="other") | {CHECKPOINT: make_log(600)[CHECKPOINT]}
    reader = client(objects)
    with pytest.raises(TileError):
        reader.prove(1)


def test_a_failed_visit_changes_nothing() -> None:
    """After a visit that failed, reading goes on from the checkpoint accepted before."""
    objects = Objects(make_log(300, 600))
    reader = client(objects)
    objects.objects[CHECKPOINT] = make_log(300)[CHECKPOINT]
    reader.visit()
    objects.objects[CHECKPOINT] = b"broken"
    with pytest.raises(Malformed):
        reader.visit()
    assert reader.tree.size == 300
    assert reader.entry(7) == entry(7)


# ---- partial tiles that are gone


def test_partial_tiles_that_are_gone() -> None:
    """Where partial tiles are removed once the full ones are there, an older checkpoint is still read."""
    grown = make_log(300, 600)
    objects = {path: data for path, data in grown.items() if ".p/44" not in path}
    assert len(objects) == len(grown) - 2
    fetcher = Objects(objects | {CHECKPOINT: make_log(300)[CHECKPOINT]})
    reader = client(fetcher)
    for index in (0, 255, 256, 299):
        assert reader.entry(index) == entry(index)
        verify_tlog_proof(reader.prove(index), leaf_hash(entry(index)), POLICY)
    assert {"tile/0/001.p/44", "tile/0/001", "tile/entries/001"} <= set(fetcher.asked)


# ---- what was seen before


def test_remembers(visits: Visits) -> None:
    """A visit remembers the checkpoint; the next one is shown to extend it, from tiles, before it is remembered."""
    objects = Objects(make_log(300))
    assert client(objects, visits).visit().signed.data == objects.objects[CHECKPOINT]
    assert objects.asked == [CHECKPOINT]
    objects.objects = make_log(300, 600)
    reader = client(objects, visits)
    reader.visit()
    assert len(objects.tiles_asked) > 0
    assert reader.newer is None
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.data == objects.objects[CHECKPOINT]
    reader.visit()
    assert reader.newer is None


GROWTHS = [(0, 5), (0, 0), (1, 2), (255, 256), (256, 257), (256, 600), (511, 512), (600, BIG)]


@pytest.mark.parametrize(("old", "new"), GROWTHS)
def test_every_growth_is_accepted(visits: Visits, old: int, new: int) -> None:
    """A sound log is accepted however it grew."""
    client(make_log(old), visits).visit()
    assert client(make_log(old, new), visits).visit().signed.tree.size == new


@pytest.mark.parametrize(("old", "new"), [(5, 5), (600, 600), (4, 5), (255, 256), (256, 257), (256, 512), (300, 600)])
@pytest.mark.parametrize("way", ["grows", "shrinks"])
def test_fork(visits: Visits, tmp_path: Path, old: int, new: int, way: str) -> None:
    """Two histories are a fork in whatever order they are seen: it is proven, saved, and nothing is forgotten."""
    seen, served = make_log(old), make_log(new, tag="other", same_up_to=old - 1)
    if way == "shrinks":
        # the larger tree's tiles have to be there for the smaller one to be compared with it
        seen, served = served, served | {CHECKPOINT: seen[CHECKPOINT]}
    client(seen, visits).visit()
    with pytest.raises(ForkError) as caught:
        client(served, visits).visit()
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.data == seen[CHECKPOINT]
    (saved,) = (tmp_path / "state" / "forks").iterdir()
    assert str(saved) in caught.value.hint
    assert read_evidence(saved) == caught.value.evidence
    older, newer = check_fork(read_evidence(saved), POLICY)
    assert {older.data, newer.data} == {seen[CHECKPOINT], served[CHECKPOINT]}
    assert older.tree.size <= newer.tree.size
    readme = (saved / "README").read_text()
    assert ORIGIN in readme
    assert LOG.verifier.vkey in readme


def test_fork_again(visits: Visits, tmp_path: Path) -> None:
    """The same fork seen twice is saved once; another one beside it."""
    client(make_log(600), visits).visit()
    for tag in ("other", "other", "third"):
        with pytest.raises(ForkError):
            client(make_log(600, tag=tag), visits).visit()
    assert len(list((tmp_path / "state" / "forks").iterdir())) == 2


def test_fork_without_room_for_its_evidence(visits: Visits, tmp_path: Path) -> None:
    """A fork is reported as one, evidence included, even if it cannot be saved."""
    client(make_log(600), visits).visit()
    (tmp_path / "state" / "forks").write_bytes(b"in the way")
    with pytest.raises(ForkError, match="two histories") as caught:
        client(make_log(600, tag="other"), visits).visit()
    assert "could not be saved" in caught.value.hint
    check_fork(caught.value.evidence, POLICY)


def test_fork_between_two_keys_of_one_log(visits: Visits) -> None:
    """A log with two keys cannot show one history with each."""
    lines = f"log {LOG.verifier.vkey}\nlog {OTHER_KEY.verifier.vkey}\nquorum none\n"
    policy = parse_policy(lines.encode())
    client(make_log(600), visits, policy).visit()
    with pytest.raises(ForkError) as caught:
        client(make_log(700, tag="other", key=OTHER_KEY), visits, policy).visit()
    check_fork(caught.value.evidence, policy)


def test_damaged_tiles_are_no_fork(visits: Visits, tmp_path: Path) -> None:
    """A tile that is wrong shows nothing about the log's history: no fork is claimed, nothing new is remembered."""
    client(make_log(300), visits).visit()
    objects = make_log(300, 600)
    objects["tile/1/000.p/2"] = bytes(64)
    with pytest.raises(TileError):
        client(objects, visits).visit()
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.tree.size == 300
    assert not (tmp_path / "state" / "forks").exists()


def test_an_old_copy(visits: Visits) -> None:
    """An old checkpoint that the last one extends is read, `newer` tells, and what is remembered stays."""
    objects = make_log(300, 600)
    client(objects, visits).visit()
    reader = client(objects | {CHECKPOINT: make_log(300)[CHECKPOINT]}, visits)
    assert reader.visit().signed.tree.size == 300
    assert reader.newer is not None
    assert reader.newer.data == objects[CHECKPOINT]
    assert reader.entry(299) == entry(299)
    last = visits.last(LOG.verifier)
    assert last is not None
    assert last.tree.size == 600


def test_the_newest_of_all_keys(visits: Visits) -> None:
    """Of what was seen by the keys of one log, `newer` is the largest, and only what is larger than what is served."""
    keys = [LOG, OTHER_KEY]
    for first, second in (keys, keys[::-1]):
        policy = parse_policy(f"log {first.verifier.vkey}\nlog {second.verifier.vkey}\nquorum none\n".encode())
        for size, key in ((600, LOG), (900, OTHER_KEY)):
            visits.remember(key.verifier, parse_signed_checkpoint(make_log(size, key=key)[CHECKPOINT]), None)
        reader = client(make_log(300, 600, 900) | {CHECKPOINT: make_log(300)[CHECKPOINT]}, visits, policy)
        reader.visit()
        assert reader.newer is not None
        assert reader.newer.tree.size == 900


def test_an_old_copy_that_shows_nothing(visits: Visits) -> None:
    """An old copy without the newer tiles could be anything: it is not read, and no fork is claimed."""
    client(make_log(300, 600), visits).visit()
    with pytest.raises(AccessError, match="serves 300 entries, 600 were seen before"):
        client(make_log(300), visits).visit()


def test_another_visit_at_the_same_time(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process remembers a checkpoint meanwhile, this one is compared with that one too."""
    objects = Objects(make_log(300, 600))
    client(make_log(300), visits).visit()
    meanwhile = iter([make_log(450, tag="other", same_up_to=300)])
    remember = visits.remember

    def slow(*arguments: object) -> bool:
        for other in meanwhile:
            assert remember(LOG.verifier, parse_signed_checkpoint(other[CHECKPOINT]), visits.last(LOG.verifier))
        return remember(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(visits, "remember", slow)
    with pytest.raises(ForkError):
        client(objects, visits).visit()


# ---- the cache


def test_cache(tmp_path: Path) -> None:
    """Full tiles are fetched once, whatever client reads them; partial ones each time, and none is kept."""
    objects = Objects(make_log(600))
    cache = TileCache(tmp_path)
    for _ in range(2):
        LogClient(objects, POLICY, cache=cache).prove(5)
    assert objects.asked.count("tile/0/000") == 1
    assert objects.asked.count("tile/0/002.p/88") == 2
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["000"]


@pytest.mark.parametrize("damage", [b"", b"x", bytes(8192), bytes(8193)])
def test_damaged_cache(tmp_path: Path, damage: bytes) -> None:
    """A damaged tile in the cache costs a fetch, never a result; it is replaced."""
    objects = make_log(BIG)
    for index in (5, 40_000):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(index)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 3  # two of level 0 and their parent
    before = {path: path.read_bytes() for path in kept}
    for path in kept:
        path.write_bytes(damage)
    for index in (5, 40_000):
        proof = LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(index)
        verify_tlog_proof(proof, leaf_hash(entry(index)), POLICY)
    assert {path: path.read_bytes() for path in kept} == before


def test_damaged_log_beside_a_damaged_cache(tmp_path: Path) -> None:
    """Where cache and log are both wrong, the log is what is reported."""
    objects = make_log(600)
    LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_bytes(bytes(8192))
    objects["tile/0/000"] = bytes(8192)
    with pytest.raises(TileError, match="tile/0/000"):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    assert not kept.exists()


def test_only_believed_tiles_are_kept(tmp_path: Path) -> None:
    """A tile that does not hash up to the checkpoint never reaches the cache."""
    objects = make_log(600)
    objects["tile/0/000"] = bytes(8192)
    with pytest.raises(TileError):
        LogClient(Objects(objects), POLICY, cache=TileCache(tmp_path)).prove(5)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_policy_of_another_log_with_the_same_tiles() -> None:
    """The key decides, not the tiles: the same tree signed by a key that the policy does not name is refused."""
    objects = make_log(600, key=OTHER_KEY)
    assert client(objects, policy=policy_for(OTHER_KEY.verifier)).entry(5) == entry(5)
    with pytest.raises(SignatureError):
        client(objects).entry(5)
