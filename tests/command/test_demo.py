"""The demo: what it shows is what the command does, and what it says to try next works."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tiletree.demo import ORIGIN

pytestmark = pytest.mark.slow


def demo(directory: Path, *arguments: str) -> str:
    """Run the demo; it has to succeed. Return what it prints."""
    command = [sys.executable, "-m", "tiletree.demo", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_demo(tmp_path: Path) -> None:
    """It logs the files, verifies one, shows the refusal, and can be run again; its last words can be followed."""
    files = [f"file {number}" for number in range(13)]
    for name in files:
        (tmp_path / name).write_text(name)
    shown = demo(tmp_path, "a log", *files)
    assert "Log 13 real files, in 3 runs" in shown
    assert "is entry" in shown
    assert "is not entry" in shown
    assert "(exit code 1)" in shown
    assert "no findings" in shown
    assert {path.name for path in tmp_path.iterdir()} >= {"a log", "a log.private", "a log.key", "a log.tlog-proof"}
    again = demo(tmp_path, "a log", *files)
    assert "There is a log from last time" in again
    assert again.count("already in the log") == 14
    assert f"audited {ORIGIN}, size 14," in again


def test_help_and_a_closed_pipe(tmp_path: Path) -> None:
    """--help makes nothing; nobody has to read to the end."""
    assert "python -m tiletree.demo DIR FILE" in demo(tmp_path, "--help")
    assert list(tmp_path.iterdir()) == []
    command = f"{shlex.quote(sys.executable)} -m tiletree.demo log | true"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert (tmp_path / "log" / "checkpoint").exists()


def test_what_to_try_next(tmp_path: Path) -> None:
    """The commands at its end run as they stand, where it was run."""
    *commands, address = demo(tmp_path, "my log").splitlines()[-4:]
    add, find, serve = (line.partition(":  ")[2] for line in commands)
    assert serve.endswith("serve 'my log'")
    assert "http://127.0.0.1:8765/" in address
    (tmp_path / "FILE").write_text("mine")
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    # the script beside this interpreter may be missing, where the package is only on the path
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(add, shell=True, cwd=tmp_path, env={**environment, "PATH": path}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"FILE\n" in done.stdout
    listed = subprocess.run(shlex.split(find), cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "my log/checkpoint\n" in listed
