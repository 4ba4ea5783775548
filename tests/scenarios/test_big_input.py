"""Big files and many lines through the real command, in constant memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.measured import MEMORY, ORIGIN, command

GIB = 1 << 30


@pytest.mark.slow
def test_a_file_of_3_gb(tmp_path: Path) -> None:
    """A sparse file of 3 GiB is added, proved and verified in constant memory, and one changed byte is refused."""
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(3 * GIB)
    vkey = command(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "k")[0]["vkey"]
    added, peak = command(tmp_path, "add", "log", "big", "--key", "k")
    assert added["size"] == 1
    command(tmp_path, "prove", "log", "--index", 0, "-o", "p", "--vkey", vkey)
    verified, peak_of_verify = command(tmp_path, "verify", "big", "--proof", "p", "--vkey", vkey)
    assert verified["matched"] == "file"
    assert max(peak, peak_of_verify) < MEMORY / 2


@pytest.mark.slow
def test_a_million_lines(tmp_path: Path) -> None:
    """A million lines of 200 bytes at default settings: peak memory under 155 MB, complete, and the audit is clean."""
    count = 1_000_000
    with (tmp_path / "lines").open("wb") as file:
        for start in range(0, count, 10_000):
            file.write(b"".join(b"%0200d\n" % number for number in range(start, start + 10_000)))
    command(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "k")
    with (tmp_path / "lines").open("rb") as stream:
        added, peak = command(tmp_path, "add", "log", "--stdin-lines", "--key", "k", stdin=stream)
    assert added["ranges"] == [{"first_index": 0, "count": count}]
    assert peak < 155e6  # 145 were measured
    audited, peak = command(tmp_path, "audit", "log")
    assert (audited["size"], audited["root"], audited["findings"]) == (count, added["root"], [])
    assert peak < MEMORY


@pytest.mark.slow
def test_lines_without_an_end(tmp_path: Path) -> None:
    """A gigabyte without a newline is refused early, and is never held."""
    with (tmp_path / "line").open("wb") as file:
        file.truncate(GIB)
    command(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "k")
    words = [sys.executable, "-m", "tiletree", "add", "log", "--lines", "line", "--key", "k"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert b"line 1 is longer" in done.stderr
