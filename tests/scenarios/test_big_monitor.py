"""A monitor of a log as it is met: its memory does not grow with the log.

Measured (peaks in MB, Python 3.11, no two runs more than 1 apart):

    entries        280,000   560,000   1,050,000
    without index     42.4      42.5        42.6
    with --index      69.5      70.9        72.2

What grows up to 262,144 entries is what a reader of a tree remembers of its level-0 tiles: `tiles.tree.reader` keeps
1024, of 16 KiB each (tracemalloc: 6 MB of 20 at 100,000 entries, 17 of 33 at 300,000), and for the index they are read.
A run is merged from those before it, one for each level: 1,050,000 entries have one of 1,048,576, merged from three. Of
each, one file of 1 MiB is held, which is all that grows, with the logarithm of the size. Logs are compared that are
larger than what the reader remembers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.measured import MEMORY, ORIGIN, command
from tests.support.sampling import soaking
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.reader import MAX_FULL_TILES

SIZES = soaking((280_000, 560_000), (280_000, 1_050_000))
MORE = 4 * 1000 * 1000  # bytes: what the two may differ by; with an index they differ by 2, in the soak by 3


@pytest.mark.slow
@pytest.mark.parametrize(("options", "most"), [((), 60), (("--index",), 110)])
def test_memory_of_a_monitor(tmp_path: Path, options: tuple[str, ...], most: int) -> None:
    """Every entry is told; a log several times as large takes no more. most: MB"""
    assert SIZES[0] > MAX_FULL_TILES * TILE_WIDTH
    peaks = []
    for name, size in zip(("small", "large"), SIZES, strict=True):
        command(tmp_path, "init", name, "--origin", ORIGIN, "--key", f"{name}.key", "--no-page")
        (tmp_path / "lines").write_bytes(b"".join(b"entry %d of a log\n" % number for number in range(size)))
        command(tmp_path, "add", name, "--lines", "lines", "--key", f"{name}.key")
        vkey, _ = command(tmp_path, "key", "show", f"{name}.key")
        words = ("--state", f"{name}-state", "--begin", "first", "--match", "sha256/1=00*", *options)
        done, peak = command(tmp_path, "monitor", name, *words, "--vkey", vkey["vkey"], lines=True)
        assert (done["event"], done["count"]) == ("round", size)
        (kept,) = tmp_path.glob(f"{name}-state/*/matches.jsonl")
        assert len(kept.read_bytes().splitlines()) == done["matches"]
        peaks.append(peak)
    assert peaks[1] - peaks[0] < MORE, peaks
    assert peaks[1] < most * 1000 * 1000 < MEMORY, peaks
