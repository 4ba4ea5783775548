"""Runs of a mirror that are killed by SIGKILL, before store operations chosen by chance (`dying_mirror`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support import dying_mirror
from tests.support.mirrors import tree_of
from tests.support.readers import make_log
from tests.support.reference import printed_random
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT

SIZE = 1300


def kill_mirrors(folder: Path, place: str, kills: int, written: Callable[[], dict[str, bytes]]) -> None:
    """Let mirrors go on from what those before them have left, until one ends; hold each against the promises.

    folder    where `log` is made
    place     where the mirror is to be
    written   returns what is there
    """
    log = tree_of(make_log(SIZE))
    DirectoryStore(folder / "log").create(log)
    rng = printed_random()
    with subprocess.Popen(
        [sys.executable, "-m", dying_mirror.__name__, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    ) as runs:
        assert runs.stdin is not None
        assert runs.stdout is not None
        ends = []
        for lives in [*sorted(rng.sample(range(15), kills)), 10_000]:
            print(lives, file=runs.stdin, flush=True)
            ends.append(int(runs.stdout.readline()))
            left = written()
            assert left.items() <= log.items()
            assert CHECKPOINT not in left or left.keys() == log.keys()
        runs.stdin.close()
    assert ends[0] == -signal.SIGKILL
    assert ends[-1] == 0
    assert written() == log
