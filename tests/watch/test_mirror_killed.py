"""A mirror that is killed by SIGKILL: what it leaves is good, and the next run goes on; in the end there is no gap."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.killed_mirrors import kill_mirrors
from tests.support.mirrors import contents
from tests.support.reference import printed_random
from tiles.store.directory import DirectoryStore


def written(place: Path) -> dict[str, bytes]:
    """Return what a mirror has."""
    return contents(DirectoryStore(place)) if place.exists() else {}


def test_killed(tmp_path: Path) -> None:
    """Five kills before store operations chosen by chance, each run going on from what the one before has left."""
    kill_mirrors(tmp_path, "mirror", 5, lambda: written(tmp_path / "mirror"))


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
