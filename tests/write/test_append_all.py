"""Batch after batch, the next one prepared while one is published: the same log as one at a time, whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults, Passing
from tests.support.reference import printed_random
from tests.support.world import World, explained, not_wrapped, some_entries
from tiles.errors import AccessError, Conflict, Refused, Unfinished, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.store import Store, Version
from tiles.tree.layout import CHECKPOINT


@pytest.fixture(autouse=True)
def _always_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches are prepared ahead, too, so that they show what comes of it."""
    monkeypatch.setattr("tiles.write.ahead.AHEAD", 1)


BATCHES = [some_entries("one", 10), some_entries("two", 300), some_entries("three", 1), some_entries("four", 256)]


# a shell starts what runs in the background with SIGINT ignored, and so would all that it starts
_INTERRUPTIBLE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def taking(
    batches: Sequence[list[bytes]], sizes: list[int | None] | None = None
) -> Callable[[int | None], list[bytes]]:
    """Return what hands out batches, and takes down for which size of the log."""
    left = list(batches)

    def take(size: int | None) -> list[bytes]:
        if sizes is not None:
            sizes.append(size)
        return left.pop(0) if left else []

    return take


def append_all(world: World, batches: Sequence[list[bytes]], wrap: Callable[[Store, str], Store]) -> int:
    """Append batches, and take down where each was said to be; return how many were."""
    done = 0
    try:
        for appended in world.sequencer(wrap).append_all(taking(batches)):
            assert appended.count == len(batches[done])
            world.acknowledged.append((appended.first_index, batches[done]))
            done += 1
    except Unfinished as error:
        world.acknowledged.append((error.first_index, batches[done]))
        done += 1
    return done


def test_the_same_log_as_one_at_a_time() -> None:
    """Every object is the same, and each batch is taken for the size that the log has then."""
    world, other = World().grown(3), World().grown(3)
    sizes: list[int | None] = []
    for batch, appended in zip(BATCHES, world.sequencer().append_all(taking(BATCHES, sizes)), strict=True):
        assert appended.count == len(batch)
        other.append(batch)
    assert sizes == [None, 13, 313, 314, 570]
    world.check()
    assert world.contents()["public"] == other.contents()["public"]


def test_small_batches_are_not_prepared_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no store answers over a network, a batch is taken once the one before it is published."""
    monkeypatch.undo()
    world = World().grown(3)
    published: list[int] = []

    def take(size: int | None) -> list[bytes]:
        published.append(parse_signed_checkpoint(world.stores["public"].read(CHECKPOINT).data).tree.size)
        return [] if size == 13 else BATCHES[0]

    assert [done.first_index for done in world.sequencer().append_all(take)] == [3]
    assert published == [3, 13]


def test_a_batch_goes_on_from_what_the_last_one_left() -> None:
    """The log is loaded for the first batch only; for the others the swap of the head says that nobody else wrote."""
    world = World().grown(3)
    faults = Faults()
    assert append_all(world, BATCHES, faults.wrap) == 4
    reads = Counter(what for what, _ in faults.done)
    assert [reads[what] for what in ("public read checkpoint", "private read head", "anchor read anchor")] == [1] * 3
    world.check()


def test_nothing_to_append() -> None:
    """No batch at all is no error, and nothing is written."""
    world = World().grown(3)
    before = world.contents()
    assert list(world.sequencer().append_all(taking([]))) == []
    assert world.contents() == before


@pytest.mark.parametrize("bad", [[b"x" * 65_536], [b""] * (2**20 + 1)], ids=["long", "many"])
def test_what_comes_before_a_bad_batch_is_logged(bad: list[bytes]) -> None:
    """A batch that can be none is refused when its turn has come."""
    world = World().grown(3)
    running = world.sequencer().append_all(taking([BATCHES[0], bad]))
    assert next(running).first_index == 3
    with pytest.raises(UsageError):
        next(running)
    assert world.size() == 13
    world.check()


def test_what_taking_raises_comes_in_its_turn() -> None:
    """The error of whoever hands out batches is raised after what came before it was said to be logged."""
    world = World().grown(3)

    def take(size: int | None) -> list[bytes]:
        if size is not None:
            raise UsageError("line 11 is too long")
        return BATCHES[0]

    running = world.sequencer().append_all(take)
    assert next(running).first_index == 3
    with pytest.raises(UsageError, match="line 11"):
        next(running)
    world.check()


def test_prepared_while_published() -> None:
    """The next batch is taken and staged before the one before it is published."""
    world = World().grown(3)
    staged = threading.Event()

    class Waiting(Passing):
        def create(self, objects):  # type: ignore[no-untyped-def]
            super().create(objects)
            if any(path.startswith("staging/313-") for path in objects):
                staged.set()

        def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
            if path == "checkpoint" and b"\n13\n" in data:
                assert staged.wait(30), "the next batch was not staged meanwhile"
            return super().swap(path, data, expected)

    assert append_all(world, BATCHES, Waiting) == 4
    world.check()


def test_another_writer_in_between() -> None:
    """What was prepared for a tree that another writer has grown is planned anew."""
    world = World().grown(3)
    others = iter([some_entries("other", 5), some_entries("another", 2)])

    class Busy(Passing):
        def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
            version = super().swap(path, data, expected)
            if path == "checkpoint" and (entries := next(others, None)):
                world.append(entries)
            return version

    assert append_all(world, BATCHES, Busy) == 4
    world.check(orphans=True)
    assert world.size() == 3 + sum(map(len, BATCHES)) + 7


def test_staging_ahead_that_fails_is_done_again() -> None:
    """A batch that could not be staged ahead is staged when its turn has come."""
    world = World().grown(3)
    failed: list[str] = []

    class Failing(Passing):
        def create(self, objects):  # type: ignore[no-untyped-def]
            for path in objects:
                if path.startswith("staging/") and path not in failed and not path.startswith("staging/13-"):
                    failed.append(path)
                    raise AccessError("not now")
            super().create(objects)

    assert append_all(world, BATCHES, Failing) == 4
    assert len(failed) == 3
    world.check()


def test_a_frozen_log() -> None:
    """The first batch is refused."""
    world = World().grown(3)
    world.sequencer().freeze()
    with pytest.raises(Refused, match="frozen"):
        next(world.sequencer().append_all(taking(BATCHES)))


def test_trouble_anywhere() -> None:
    """Whatever goes wrong with one operation, what was said is there, and doing the rest again completes the log."""
    rng = printed_random()
    for _ in range(60):
        world = World().grown(3)
        faults = Faults(rng.randrange(90), pick=rng)
        with explained(lambda faults=faults: str(faults)):
            done = 0
            try:
                done = append_all(world, BATCHES, faults.wrap)
            except (Died, AccessError, Conflict):
                done = len(world.acknowledged) - 1
            except AssertionError as error:
                if "process that died before" not in str(error):  # the other thread of it
                    raise
                done = len(world.acknowledged) - 1
            committed = world.size()
            logged = next(n for n in range(5) if 3 + sum(map(len, BATCHES[:n])) == committed)
            assert logged >= done
            assert append_all(world, BATCHES[logged:], not_wrapped) == len(BATCHES) - logged
            world.sequencer().finish()
            world.check(orphans=True)


def test_interrupted_batches_are_not_added_twice() -> None:
    """What was committed and not published by a run that died is taken as one's own, and the rest is added."""
    world = World().grown(3)
    counting = Faults()
    append_all(world.copy(), BATCHES[:1], counting.wrap)
    swap = [what for what, _ in counting.done].index("private swap head")
    with pytest.raises(Died):
        append_all(world, BATCHES[:1], Faults(swap, Fault.DIES).wrap)
    assert world.size() == 13
    assert append_all(world, BATCHES, not_wrapped) == 4
    world.check(orphans=True)
    assert world.size() == 3 + sum(map(len, BATCHES))


def test_input_that_does_not_end(tmp_path: Path) -> None:
    """A command that is refused while it waits for more input ends, with its own error."""
    environment = {f"XDG_{kind}_HOME": str(tmp_path / "home") for kind in ("CONFIG", "STATE", "CACHE")}
    base = [sys.executable, "-m", "tiletree"]
    subprocess.run([*base, "init", "log", "--origin", "example.com"], cwd=tmp_path, env=environment, check=True)
    waiting = [sys.executable, "-c", _INTERRUPTIBLE, *base[1:], "add", "log", "--stdin-lines", "--batch-size", "1"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(waiting, cwd=tmp_path, env=environment, **pipes) as adding:
        assert adding.stdin is not None
        assert adding.stdout is not None
        assert adding.stderr is not None
        try:
            adding.stdin.write(b"one\ntwo\n")
            adding.stdin.flush()
            assert adding.stdout.readline().startswith(b"0  ")
            adding.send_signal(signal.SIGINT)
            code = adding.wait(30)
        finally:
            adding.kill()
        err = adding.stderr.read()
    assert code == 130, err
    assert b"interrupted" in err
    assert b"Fatal" not in err
    assert b"Traceback" not in err
