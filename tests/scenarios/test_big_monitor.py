"""A monitor of a log as it is met: its memory does not grow with the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.measured import MEMORY, ORIGIN, command
from tests.support.sampling import soaking

SIZE = soaking(300_000, 1_000_000)
MORE = 32 * 1000 * 1000  # bytes: what a log and one three times as large, whose index has runs to merge, may differ by


@pytest.mark.slow
def test_memory_of_a_monitor(tmp_path: Path) -> None:
    """Every entry is told; a log three times as large takes hardly more."""
    peaks = []
    for name, size in (("small", SIZE // 3), ("large", SIZE)):
        command(tmp_path, "init", name, "--origin", ORIGIN, "--key", f"{name}.key", "--no-page")
        (tmp_path / "lines").write_bytes(b"".join(b"entry %d of a log\n" % number for number in range(size)))
        command(tmp_path, "add", name, "--lines", "lines", "--key", f"{name}.key")
        vkey, _ = command(tmp_path, "key", "show", f"{name}.key")
        words = ("--state", f"{name}-state", "--begin", "first", "--match", "sha256/1=00*", "--index")
        done, peak = command(tmp_path, "monitor", name, *words, "--vkey", vkey["vkey"], lines=True)
        assert (done["event"], done["count"]) == ("round", size)
        (kept,) = tmp_path.glob(f"{name}-state/*/matches.jsonl")
        assert len(kept.read_bytes().splitlines()) == done["matches"]
        peaks.append(peak)
    assert peaks[1] - peaks[0] < MORE, peaks
    assert peaks[1] < MEMORY
