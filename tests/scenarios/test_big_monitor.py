"""A monitor of a log as it is met: its memory does not grow with the log.

Measured (peaks in MB, Python 3.11, the native part, two jobs; no two runs more than 1 apart):

    entries                   280,000   560,000   1,050,000   2,100,000
    without index                37.9      38.2        38.3        38.6
    with --index                 50.1      53.4        54.3        55.3
    with --index --jobs 1        68.8      70.2        72.4        71.6

What grows with --index is merging: a run is merged from those before it, one for each level, and of each one file of
1 MiB is held. So it grows with the logarithm of the size. Logs are compared that are larger than what the reader of a
tree remembers (`tiles.tree.reader`: 1024 tiles, of 16 KiB each), which with one job is all that is remembered.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.measured import MEMORY, ORIGIN, command
from tests.support.sampling import soaking
from tiles.tree.layout import TILE_WIDTH
from tiles.tree.reader import MAX_FULL_TILES

SIZES = soaking((280_000, 560_000), (280_000, 1_050_000))
MORE = 7 * 1000 * 1000  # bytes: what the two may differ by; with an index they differ by 3, in the soak by 4 or 5
TRIES = 3  # beside much other work threads wait for each other, and a run may take 5 MB more than another


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
        words = ("--begin", "first", "--match", "sha256/1=00*", *options, "--vkey", vkey["vkey"])
        taken = []
        for number in range(TRIES):
            state = f"{name}-state-{number}"
            done, peak = command(tmp_path, "monitor", name, "--state", state, *words, lines=True)
            assert (done["event"], done["count"]) == ("round", size)
            (kept,) = tmp_path.glob(f"{state}/*/matches.jsonl")
            assert len(kept.read_bytes().splitlines()) == done["matches"]
            taken.append(peak)
            if not peaks or peak - peaks[0] < MORE:
                break
        peaks.append(min(taken))
    assert peaks[1] - peaks[0] < MORE, peaks
    assert peaks[1] < most * 1000 * 1000 < MEMORY, peaks
