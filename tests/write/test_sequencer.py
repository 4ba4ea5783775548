"""The writer where nothing goes wrong: what it writes, in which order, where it says that entries are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.check_log import tree_paths
from tests.support.faults import Died, Faults
from tests.support.world import ORIGIN, World, recording_key, some_entries
from tests.support.written import NOON, paths, public
from tiles.errors import NotFound, Refused, UsageError
from tiles.notes.policy import parse_policy, policy_for
from tiles.records.head import parse_head
from tiles.signing.anchor import parse_anchor
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.write.ahead import MAX_BATCH

# ---- create


def test_create(world: World) -> None:
    """A new log has a signed checkpoint of size 0, a head that names its key and policies, an anchor, and no tiles."""
    world.now = NOON
    signed = world.sequencer().create()
    assert signed.tree.size == 0
    assert policy_for(world.verifier).accept(signed, ORIGIN).log == world.verifier
    assert paths(world, "public") == ["checkpoint", "checkpoints/000", "checkpoints/days/2023-11-15", "policy.txt"]
    assert {public(world, path) for path in paths(world, "public")[:3]} == {signed.data}
    assert public(world, "policy.txt") == policy_for(world.verifier).data
    head = parse_head(world.stores["private"].read("head").data)
    assert (head.origin, head.vkeys, head.tree, head.base, head.batch) == (
        ORIGIN,
        (world.verifier.vkey,),
        signed.tree,
        0,
        None,
    )
    assert paths(world, "private") == ["head", *sorted(f"policies/{each}" for each in (head.policy, head.admission))]
    assert parse_anchor(world.stores["anchor"].read("anchor").data).tree == signed.tree
    world.check()


def test_create_again_is_no_error(world: World) -> None:
    """Repeating it with the same key and origin changes nothing; on a log with entries it says where that is."""
    first = world.sequencer().create()
    before = world.contents()
    assert world.sequencer().create() == first
    assert world.contents() == before
    world.append([b"one"])
    assert world.sequencer().create().tree.size == 1


def test_create_with_a_policy(world: World) -> None:
    """The policy given is the log's from then on: published, and what a later writer is held to."""
    policy = parse_policy(policy_for(world.verifier).data + b"# ours\n")
    world.sequencer(policy=policy).create()
    assert public(world, "policy.txt") == policy.data
    world.sequencer(policy=policy).append([b"one"])
    world.sequencer().append([b"two"])
    with pytest.raises(Refused, match="with policy"):
        world.sequencer(policy=policy_for(world.verifier)).append([b"three"])
    assert world.committed() == (b"one", b"two")


def test_check_new(world: World) -> None:
    """It can be asked beforehand whether a log can begin here; asking writes nothing."""
    world.sequencer().check_new()
    assert world.contents() == {"public": {}, "private": {}, "anchor": {}}
    world.sequencer().create()
    with pytest.raises(Refused, match="is the private part of the log"):
        world.sequencer().check_new()


@pytest.mark.parametrize(("role", "path"), [("private", "head"), ("public", "checkpoint"), ("anchor", "anchor")])
def test_check_new_where_something_is_broken(role: str, path: str, world: World) -> None:
    """What is no head, checkpoint or anchor is refused like a log: nothing can begin there."""
    world.put(role, path, b"junk")
    for action in (world.sequencer().check_new, world.sequencer().create):
        with pytest.raises(Refused, match="malformed"):
            action()


@pytest.mark.parametrize("action", ["append", "finish"])
def test_no_log_is_no_log(action: str, world: World) -> None:
    """Where nothing was created nothing is added, nor made."""
    with pytest.raises(NotFound, match="head: not found"):
        world.sequencer().append([b"one"]) if action == "append" else world.sequencer().finish()
    assert world.contents() == {"public": {}, "private": {}, "anchor": {}}


# ---- append


def test_append_says_where_entries_are(world: World) -> None:
    """Batches follow one another without a gap, in the order given; the checkpoint returned is the published one."""
    world.sequencer().create()
    at = 0
    for number, count in enumerate([1, 2, 250, 3, 256, 512, 1]):
        entries = some_entries(str(number), count)
        done = world.sequencer().append(entries)
        assert (done.first_index, done.count, done.checkpoint.tree.size) == (at, count, at + count)
        assert done.checkpoint.data == public(world, "checkpoint")
        world.acknowledged.append((at, entries))
        at += count
        world.check()
    assert world.size() == at


def test_one_writer_appends_many_times(world: World) -> None:
    """A writer that goes on by itself, from the edge it knows, writes what new ones would write."""
    world.sequencer().create()
    other = World()
    other.sequencer().create()
    writer = world.sequencer()
    for number in range(30):
        entries = some_entries(str(number), 1 + 37 * number % 100)
        writer.append(entries)
        other.append(entries)
    world.check()
    assert world.contents()["public"] == other.contents()["public"]


def test_one_writer_goes_on_after_another(world: World) -> None:
    """Two writers that take turns, each with the edge it last knew, write one log."""
    world.sequencer().create()
    writers = [world.sequencer(), world.sequencer()]
    for turn in range(12):
        entries = some_entries(str(turn), 50)
        done = writers[turn % 3 % 2].append(entries)
        world.acknowledged.append((done.first_index, entries))
    world.check()
    assert world.size() == 600


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_any_batches_make_the_same_tree(counts: list[int]) -> None:
    """Whatever the batches, the last checkpoint and every tile of its tree are the same."""
    total = sum(counts)
    entries = some_entries("entry", total)
    in_batches, at_once = World().grown(), World().grown()
    for start, stop in pairwise([0, *(sum(counts[: i + 1]) for i in range(len(counts)))]):
        in_batches.append(entries[start:stop])
    at_once.append(entries)
    for world in (in_batches, at_once):
        world.check()
        assert world.committed() == tuple(entries)
    for path in ["checkpoint", *tree_paths(total)]:
        assert public(in_batches, path) == public(at_once, path)


def test_the_same_run_writes_the_same_bytes() -> None:
    """Entries, clock and random numbers are all that a log is made of."""
    assert World().grown(3, 300).contents() == World().grown(3, 300).contents()


@pytest.mark.parametrize("size", [0, 1, 255, 256, MAX_ENTRY_SIZE])
def test_entries_of_any_size(size: int, world: World) -> None:
    """From no byte to 65,535."""
    world.sequencer().create()
    world.append([b"x" * size, b"", b"\x00" * size])
    world.check(repeated=[b""])


def test_equal_entries_are_logged_twice(world: World) -> None:
    """Nothing is compared with what was logged before: neither in a batch, nor with the last one."""
    world.sequencer().create()
    for _ in range(2):
        world.append([b"same", b"same"])
    assert world.committed() == (b"same",) * 4


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "a batch has 1 to 1048576 entries, not 0"),
        ([b""] * (MAX_BATCH + 1), "a batch has 1 to 1048576 entries, not 1048577"),
        ([b"x", b"x" * 65_536], "entry 1 of the batch has 65536 bytes, 65535 is the most"),
    ],
)
def test_what_cannot_be_appended(entries: Sequence[bytes], message: str, world: World) -> None:
    """Batches and entries out of range are the caller's mistake, found before anything is written or finished."""
    world.sequencer().create()
    counting = Faults()
    world.copy().sequencer(counting.wrap).append([b"one"])
    with pytest.raises(Died):
        world.sequencer(Faults([name for name, _ in counting.done].index("private swap head")).wrap).append([b"one"])
    assert world.size() == 1
    before = world.contents()
    with pytest.raises(UsageError, match=message):
        world.sequencer().append(entries)
    assert world.contents() == before


def test_the_largest_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one that a batch may have."""
    monkeypatch.setattr("tiles.write.ahead.MAX_BATCH", 10)
    world = World().grown(10)
    with pytest.raises(UsageError, match="a batch has 1 to 10 entries, not 11"):
        world.append(some_entries("new", 11))
    assert world.size() == 10


@pytest.mark.parametrize("frozen", [False, True])
def test_finish_where_there_is_nothing_to_do(frozen: bool, world: World) -> None:
    """It says what is published, of a frozen log too, and changes nothing."""
    world.grown(10)
    if frozen:
        world.sequencer().freeze()
    before = world.contents()
    assert world.sequencer().finish().data == public(world, "checkpoint")
    assert world.contents() == before


# ---- other keys and names


@pytest.mark.parametrize("origin", ["log.example.com", "log.example.com/%2F~!$&'()*,;=:@", "a", "x" * 200])
def test_any_origin(origin: str, tmp_path: Path) -> None:
    """An origin is any name that a log can begin with."""
    world = World(tmp_path, recording_key(origin)).grown(3, 300)
    world.check()
    assert public(world, "checkpoint").decode().startswith(f"{origin}\n303\n")
