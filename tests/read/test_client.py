from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, entry, make_log
from tests.support.signed_text import LOG, ORIGIN, W1, W2, W3
from tiles.errors import (
    Malformed,
    NotFound,
    PolicyError,
    SignatureError,
    UsageError,
)
from tiles.notes.policy import Policy, parse_policy, policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import SCAN_LIMIT, LogClient
from tiles.tree.layout import CHECKPOINT, edge_tiles
from tiles.tree.merkle import leaf_hash
from tiles.tree.reader import TreeReader
from tiles.user.seen_checkpoints import Visits

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


@pytest.mark.parametrize("data", [b"no\n", b"\xff\n\n", b"a\n1\n\n"])
def test_what_is_no_checkpoint(data: bytes) -> None:
    """Anything else in place of the checkpoint is a wrong log."""
    with pytest.raises(Malformed):
        client({CHECKPOINT: data}).visit()


def test_policy_of_another_log_with_the_same_tiles() -> None:
    """The key decides, not the tiles: the same tree signed by a key that the policy does not name is refused."""
    objects = make_log(600, key=OTHER_KEY)
    assert client(objects, policy=policy_for(OTHER_KEY.verifier)).entry(5) == entry(5)
    with pytest.raises(SignatureError):
        client(objects).entry(5)
