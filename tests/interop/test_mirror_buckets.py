"""Mirrors in buckets of another maker's server, written by commands that are killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, run_tiletree
from tests.interop.servers import Server, versitygw
from tests.support.other_mirrors import KINDS
from tests.support.reference import printed_random
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.store.directory import DirectoryStore

pytestmark = pytest.mark.interop

KILLS = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one bucket, and its credentials where they are looked for."""
    with pytest.MonkeyPatch.context() as patch, versitygw(tmp_path_factory.mktemp("versitygw")) as running:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


def test_killed_at_random(server: Server, tmp_path: Path) -> None:
    """While a log grows, its mirror is killed again and again: what is published is whole, in the end all of it."""
    vkey = run_tiletree(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "key", "--no-page")["vkey"]
    place, rng = server.url("killed"), printed_random()
    command = [sys.executable, "-m", "tiletree", "mirror", "log", place, "--vkey", vkey, "--all"]
    killed, added, lasts, sizes = 0, 0, 0.0, list[int]()
    while killed < KILLS:
        lines = "".join(f"{added + number}\n" for number in range(6000)).encode()
        added += 6000
        run_tiletree(tmp_path, "add", "log", "--stdin-lines", "--key", "key", stdin=lines)
        for _ in range(4):
            began = time.monotonic()
            run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if lasts:
                time.sleep(lasts * rng.uniform(0.3, 1.1))
                run.kill()
            ended = run.wait()
            assert ended in (0, -signal.SIGKILL)
            killed += ended != 0
            lasts = lasts or time.monotonic() - began
            # whoever has seen the log wants it as large as it was, so nobody has
            home = {"XDG_STATE_HOME": str(tmp_path / f"home-{killed}-{added}")}
            audit = [sys.executable, "-m", "tiletree", "audit", place, "--vkey", vkey, "--json"]
            audited = subprocess.run(audit, cwd=tmp_path, capture_output=True, env={**os.environ, **home})
            report = json.loads(audited.stdout)
            assert (audited.returncode, report["findings"]) == (0, []), audited.stderr
            sizes.append(report["size"])
    assert sizes == sorted(sizes)
    done = run_tiletree(tmp_path, "mirror", "log", place, "--vkey", vkey, "--all")
    assert (done["size"], done["left"]) == (added, [])
    assert run_tiletree(tmp_path, "audit", place, "--vkey", vkey)["findings"] == []


@pytest.mark.parametrize("name", KINDS)
def test_other_formats(server: Server, tmp_path: Path, name: str) -> None:
    """A mirror of a log of another format, in a bucket, is audited like the log."""
    kind = KINDS[name]
    DirectoryStore(tmp_path / "theirs").create(kind.make(300))
    origin = parse_signed_checkpoint(kind.make(300)[kind.log_format.checkpoint]).origin
    (key,) = kind.policy.keys_of(origin)
    pins = ("--vkey", key.vkey, *(() if key.name == origin else ("--origin", origin)))
    place = server.url(name)
    assert run_tiletree(tmp_path, "mirror", "theirs", place, *pins)["published"]
    assert run_tiletree(tmp_path, "audit", place, *pins)["findings"] == []
    assert run_tiletree(tmp_path, "mirror", "theirs", place, *pins)["objects"] == 0
