"""A mirror that is killed by SIGKILL: what it leaves is good, and the next run goes on; in the end there is no gap."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import dying_mirror
from tests.support.command_line import ORIGIN, Command
from tests.support.mirrors import contents, tree_of
from tests.support.readers import make_log
from tests.support.reference import printed_random
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT

SIZE = 1300


def written(place: Path) -> dict[str, bytes]:
    """Return what a mirror has."""
    return contents(DirectoryStore(place)) if place.exists() else {}


def test_killed(tmp_path: Path) -> None:
    """Five kills before store operations chosen by chance, each run going on from what the one before has left."""
    log = tree_of(make_log(SIZE))
    DirectoryStore(tmp_path / "log").create(log)
    rng = printed_random()
    with subprocess.Popen(
        [sys.executable, "-m", dying_mirror.__name__, "mirror"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    ) as runs:
        assert runs.stdin is not None
        assert runs.stdout is not None
        ends = []
        for lives in [*sorted(rng.sample(range(15), 5)), 10_000]:
            print(lives, file=runs.stdin, flush=True)
            ends.append(int(runs.stdout.readline()))
            left = written(tmp_path / "mirror")
            assert left.items() <= log.items()
            assert CHECKPOINT not in left or left.keys() == log.keys()
        runs.stdin.close()
    assert ends[0] == -signal.SIGKILL
    assert ends[-1] == 0
    assert written(tmp_path / "mirror") == log


@pytest.mark.slow
def test_killed_at_random_for_long(tiletree: Command, tmp_path: Path) -> None:
    """Fifty kills of the real command at random moments, while the log grows; then it is whole."""
    vkey = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")["vkey"]
    rng = printed_random()
    kills = added = 0
    words = [sys.executable, "-m", "tiletree", "mirror", "log", "mirror", "--vkey", vkey]
    while kills < 50:
        Path("lines").write_text("".join(f"{added + number}\n" for number in range(20_000)))
        added += 20_000
        tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
        for _ in range(5):
            run = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.2, 0.9))
            run.kill()
            kills += run.wait() == -signal.SIGKILL
            if Path("mirror/checkpoint").exists():
                shutil.rmtree("home", ignore_errors=True)  # whoever has seen the log wants it as large as it was
                assert tiletree("audit", "mirror", "--vkey", vkey).code == 0
    assert tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)["size"] == added
    assert (
        written(tmp_path / "mirror").items()
        >= {
            path: data
            for path, data in written(tmp_path / "log").items()
            if path.startswith("tile/") and ".p/" not in path
        }.items()
    )
