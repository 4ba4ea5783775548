"""Measure publishing and auditing against other implementations, in the same run: `make bench`.

Publishing to an object store is measured too, where there is Go to build one with (`object_store.py`), and what finding
things in a large log reads and takes (`searches.py`).

Absolute figures are this machine's and this moment's; the ratios are what is published. Every measurement is a process
of its own; the contestants take turns, and a ratio is taken round by round, so that a machine that slows down slows
all of them. Prints a table, and writes everything as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from object_store import left_out, object_store_rounds
from searches import search_rows

HERE = Path(__file__).parent
PUBLISH = {
    "tiletree": "tiletree_publish",
    "and leaf index": "tiletree_indexed",
    "tlog-scales": "scales_publish",
    "aics-tlog": "aics_publish",
    "hashing alone": "hashing",
    "writing alone": "raw_files",
}
AUDIT = {"tiletree": "tiletree_audit", "aics-tlog": "aics_audit"}
OBJECT_STORE_ENTRIES, OBJECT_STORE_BATCH = 262_144, 65_536  # the slowest takes minutes for more
NEEDS = {"tlog-scales": "tlog_scales", "aics-tlog": "aics_tlog"}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=524_288)
    parser.add_argument("--batches", type=int, nargs="+", default=[65_536, 4_096])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--searched", type=int, default=1_000_000, help="entries of the log to look for things in")
    parser.add_argument("--directory", type=Path, help="where to write; the file system that is measured")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores; "
          f"{options.entries} entries of 200 bytes, median of {options.rounds} rounds\n")  # fmt: skip
    results: list[dict[str, Any]] = []
    # nothing is deleted before the end: on ext4, making files is several times slower for minutes after many were
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        options.scratch = Path(scratch)
        for batch in options.batches:
            # a few entries at a time is slow for everyone: fewer of them say the same
            entries = min(options.entries, batch * 64)
            results += rounds(options, entries, batch)
    if reason := left_out():
        print(f"NOT MEASURED: publishing to an object store: {reason}\n", file=sys.stderr)
    else:
        results += object_store_rounds(min(options.entries, OBJECT_STORE_ENTRIES), OBJECT_STORE_BATCH, options.rounds)
    if options.searched:
        with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
            results += search_rows(Path(scratch), options.searched, 20)
    options.json.write_text(json.dumps({"python": platform.python_version(), "results": results}, indent=1) + "\n")
    print(f"written to {options.json}")


def rounds(options: argparse.Namespace, entries: int, batch: int) -> list[dict[str, Any]]:
    """Measure every contestant, in turns; return a row for each."""
    publish = {name: worker for name, worker in PUBLISH.items() if installed(name)}
    audit = {name: worker for name, worker in AUDIT.items() if installed(name)}
    taken: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for turn in range(options.rounds):
        scratch = options.scratch / f"{batch}-{turn}"
        for name, worker in rotated(publish, turn):
            figures = measure(worker, scratch / worker, entries, batch)
            taken.setdefault(("publish", name), []).append(figures | footprint(scratch / worker))
        for name, worker in rotated(audit, turn):
            directory = scratch / PUBLISH["tiletree"]
            taken.setdefault(("audit", name), []).append(measure(worker, directory, entries, batch))
    rows = [
        row(task, name, entries, batch, figures, taken[task, "tiletree"]) for (task, name), figures in taken.items()
    ]
    show(rows, batch)
    return rows


def installed(name: str) -> bool:
    """Whether a contestant can take part."""
    return find_spec(NEEDS.get(name, "tiles")) is not None


def rotated(contestants: dict[str, str], turn: int) -> list[tuple[str, str]]:
    """Return the contestants; nobody is first every time."""
    items = list(contestants.items())
    return items[turn % len(items) :] + items[: turn % len(items)]


def measure(worker: str, directory: Path, entries: int, batch: int) -> dict[str, Any]:
    """Run one worker and return its figures: seconds, cpu seconds, peak bytes."""
    command = [sys.executable, str(HERE / "workers.py"), worker, str(directory), str(entries), str(batch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{worker} failed: {done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def footprint(directory: Path) -> dict[str, int]:
    """Return what a log takes on disk: its public objects, and their bytes."""
    files = [path for path in (directory / "log").rglob("*") if path.is_file()] if directory.exists() else []
    return {"objects": len(files), "bytes": sum(path.stat().st_size for path in files)}


def row(
    task: str, name: str, entries: int, batch: int, figures: list[dict[str, Any]], ours: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the medians of a contestant, and how many times as fast as it tiletree was, round by round."""
    ratios = [theirs["seconds"] / own["seconds"] for theirs, own in zip(figures, ours, strict=True)]
    try:
        release = version(name)
    except PackageNotFoundError:
        release = ""
    return {
        "task": task,
        "name": name,
        "version": release,
        "entries": entries,
        "batch": batch,
        "entries_per_second": round(entries / statistics.median(figure["seconds"] for figure in figures)),
        "cpu_seconds": statistics.median(figure["cpu"] for figure in figures),
        "peak_bytes": max(figure["peak"] for figure in figures),
        "objects": figures[-1].get("objects"),
        "bytes": figures[-1].get("bytes"),
        "tiletree_is_times_as_fast": [round(ratio, 2) for ratio in ratios],
    }


def show(rows: list[dict[str, Any]], batch: int) -> None:
    """Print the rows as a table."""
    print(f"batches of {batch}")
    print(f"  {'':<8} {'':<14} {'entries/s':>10} {'peak MB':>8} {'objects':>8} {'MB':>6}   tiletree is … times as fast")
    for line in rows:
        ratios = line["tiletree_is_times_as_fast"]
        compared = (
            f"{statistics.median(ratios):.2f}  ({min(ratios)} to {max(ratios)})" if line["name"] != "tiletree" else ""
        )
        stored = f"{line['objects']:>8} {line['bytes'] / 1e6:>6.0f}" if line["objects"] else f"{'':>8} {'':>6}"
        print(f"  {line['task']:<8} {line['name']:<14} {line['entries_per_second']:>10,} "
              f"{line['peak_bytes'] / 1e6:>8.0f} {stored}   {compared}")  # fmt: skip
    print()


if __name__ == "__main__":
    main()
