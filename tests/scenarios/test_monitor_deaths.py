"""A real monitor, killed by SIGKILL at random moments: what it keeps has no gap and no repeat."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import dying_monitor
from tests.support.endorsing import OTHER, entry_of, private_log, public_log, stated
from tests.support.endorsing import POLICY as ENDORSED
from tests.support.monitors import Told
from tests.support.readers import entry, make_log
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tiles.notes.fork_evidence import check_fork
from tiles.records.layout_names import TLOG_TILES
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.user.seen_checkpoints import read_evidence
from tiles.watch.monitor_reading import Match

SIZES = (2_000, 4_000, 6_000)  # which the log grows to


@pytest.mark.parametrize("deaths", quickly([5, 50], [5]))
def test_killed_at_random(tmp_path: Path, deaths: int) -> None:
    """Killed again and again, while the log grows: all entries are kept once, in order, and none was never told."""
    rng, line = printed_random(), Told().line
    expected = [line("", Match(index, entry(index), (), TLOG_TILES)) for index in range(SIZES[-1])]
    logs = [make_log(*SIZES[: count + 1]) for count in range(len(SIZES))]
    whole, died, halfway = 0.2, 0, 0  # seconds of a round; how many died, and how many of them with something kept
    with killing() as run:
        for number in range(1000):  # logs, one after the other, until enough have died
            folder = tmp_path / f"{number}"
            for size, log in zip(SIZES, logs, strict=True):
                write(log, folder / "log")
                while (code := run(folder, rng.uniform(0.001, whole) if died < deaths else 0)) != 0:
                    assert code == -signal.SIGKILL
                    died += 1
                    kept = b"".join(path.read_bytes() for path in folder.glob("state/*/matches.jsonl"))
                    assert b"".join(expected[:size]).startswith(kept), "a gap, or a repeat"
                    halfway += bool(kept)
                (path,) = folder.glob("state/*/matches.jsonl")
                assert path.read_bytes() == b"".join(expected[:size])
            assert set((folder / "told").read_bytes().splitlines(keepends=True)) == set(expected)
            if died >= deaths:
                break
    assert died >= deaths
    assert halfway or deaths < 50


@pytest.mark.slow  # deaths at each write, which find more, are in tests/watch/test_monitor_collecting.py
@pytest.mark.parametrize("deaths", [5, 50])
def test_killed_while_it_collects_endorsements(tmp_path: Path, deaths: int) -> None:
    """Each endorsed tree is kept once, the evidence of two that contradict is kept once, and was told."""
    rng, whole, died, halfway = printed_random(), 0.3, 0, 0
    private = private_log(*range(1, 21))
    trees = {size: entry_of(private_log(size)) for size in range(1, 21)}
    twin = entry_of(private_log(10, tag="other"))
    false = stated(TreeHead(7, leaf_hash(b"false")), OTHER)
    entries = [each for tree in trees.values() for each in (b"raw", tree, false, tree)] + [twin, b"raw"]
    logs = [public_log(entries[:30]), public_log(entries)]
    with killing("endorsed") as run:
        for number in range(1000):
            folder = tmp_path / f"{number}"
            write(private, folder / "private")
            for log in logs:
                write(log, folder / "public")
                while (code := run(folder, rng.uniform(0.001, whole) if died < deaths else 0)) != 0:
                    assert code == -signal.SIGKILL
                    died += 1
                    kept = kept_of(folder)
                    assert all(trees[size] in found for size, found in kept.items())
                    halfway += 0 < len(kept) < len(trees)
            assert kept_of(folder) == {size: [tree] for size, tree in trees.items()}
            assert not list(folder.glob("state/endorsed/**/.*.tmp"))
            (evidence,) = folder.glob("state/forks/[!.]*")
            check_fork(read_evidence(evidence), ENDORSED)
            assert set((folder / "told").read_text().split()) == {"ForkError"}
            if died >= deaths:
                break
    assert died >= deaths
    assert halfway or deaths < 50


def kept_of(folder: Path) -> dict[int, list[bytes]]:
    """Return the endorsed trees that are kept, by size."""
    found: dict[int, list[bytes]] = {}
    for path in folder.glob("state/endorsed/*/*/[0-9]*"):
        found.setdefault(int(path.name), []).append(path.read_bytes())
    return found


@contextmanager
def killing(*words: str) -> Iterator[Callable[[Path, float], int]]:
    """Give what lets a monitor watch the log in a folder, kills it after so many seconds, and returns its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", dying_monitor.__name__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:

        def run(folder: Path, seconds: float) -> int:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(f"{folder} {seconds}\n")
            program.stdin.flush()
            return int(program.stdout.readline().split()[1])

        yield run
        assert program.stdin is not None
        program.stdin.close()


def write(objects: dict[str, bytes], folder: Path) -> None:
    """Write a log into a folder, its checkpoint last."""
    for path, data in sorted(objects.items(), key=lambda item: item[0] == "checkpoint"):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
