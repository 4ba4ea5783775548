"""A disk that is full: every write of `add` is the first one to fail, and nothing is lost once there is room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import full_disk
from tests.support.full_disk import BASE, ENTRIES
from tests.support.real_log import Answer
from tests.support.sampling import quickly

HINT = "the disk is full: make room and run again"
NOT_AGAIN = "do not add them again: the next run finishes this one"


@pytest.fixture
def unshare() -> list[str]:
    """Return what gives a program mounts of its own; skip the test where that is not to be had."""
    path = shutil.which("unshare")
    if path is None:
        pytest.skip("NOT TESTED: a full disk needs unshare, of util-linux")
    command = [path, "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    tried = subprocess.run([*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"NOT TESTED: no file system may be mounted here: {tried.stderr.strip()}")
    return command


def check_error(answer: Answer, hint: str) -> None:
    """An error is a line that says what is the matter and a line that says what to do, also in the JSON document."""
    says, does = answer.err.splitlines()
    assert says.startswith("tiletree: ")
    assert says.endswith("No space left on device")
    assert does == f"hint: {hint}"
    assert answer.document["error"]["hint"] == hint


@pytest.mark.parametrize("kind", quickly(["blocks", "files"], ["blocks"]))
@pytest.mark.parametrize("part", quickly(["public", "private", "anchor", "all"], ["all"]))
def test_a_full_disk(unshare: list[str], tmp_path: Path, part: str, kind: str) -> None:
    """Whichever write finds the disk full, `add` says so and exits 3 or, once committed, 5; with room a run goes on."""
    program = Path(full_disk.__file__)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*unshare, sys.executable, str(program), str(tmp_path), part, kind]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    trials = [json.loads(line) for line in done.stdout.splitlines()]
    committed = {3: len(BASE), 5: len(BASE) + len(ENTRIES), 0: len(BASE) + len(ENTRIES)}
    for trial in trials:
        first, again, finished = (Answer(**trial[name]) for name in ("first", "again", "finished"))
        assert trial["problem"] == ""
        assert trial["committed"] == committed[first.code]
        assert finished.code == 0, finished
        assert trial["entries"] == len(BASE) + len(ENTRIES)
        if first.code == 5:
            check_error(first, f"{NOT_AGAIN}; {HINT}")
            assert first.document["ranges"] == [{"first_index": len(BASE), "count": len(ENTRIES)}]
            assert first.document["committed"] is True
            assert again.code == 3, "there was no room for what is left to do"
            assert HINT in again.err
        else:
            assert again.code == 0, again
        if first.code == 3:
            check_error(first, HINT)
    codes = [trial["first"]["code"] for trial in trials]
    expected = {"public": [5, 0], "private": [3, 0], "anchor": [5, 0], "all": [3, 5, 0]}
    assert [code for code, after in zip(codes, [*codes[1:], None], strict=True) if code != after] == expected[part]
