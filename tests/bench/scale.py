"""Build a log of a hundred million entries, audit, prove, search and mirror it: `make scale`.

Each stage is a process, of which time and memory are written down every few seconds, so that nothing is lost if this is
ended at any moment: the same call goes on with the stage that was not done, and building with the entries that lack.
At the end DIRECTORY/summary.json says what was found; `python -m tests.bench.report --scale` takes it into the docs.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from tests.bench.machine import machine
from tests.bench.memory import tree_cpu, tree_rss
from tests.bench.processes import ROOT, python
from tests.bench.scale_stages import STAGES

ENTRIES = 100_000_000
INTERVAL = 2.0  # seconds between two samples, at most; a short stage is looked at more often
POINTS = 200  # samples of a stage that are kept for the plot
OBJECT = 4096  # a file takes whole blocks of a file system
# what an entry takes on disk: 256 of them a bundle of 26,112 bytes and a tile of 8,192, in blocks; and in the index 16
# bytes at each of its levels, since runs that were merged stay for a day
TREE_BYTES = (7 * OBJECT + 2 * OBJECT) * 257 / 256 / 256
INDEX_BYTES = 16.5


def main() -> None:
    """Run the stages that are not done."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--directory", type=Path, help="by default scale/ENTRIES")
    parser.add_argument("--stage", nargs="+", choices=[*STAGES, "delete"], help="these only, by default all")
    parser.add_argument("--again", action="store_true", help="stages that were done as well")
    parser.add_argument("--note", help="what is to be said of these figures, such as what else used the machine")
    options = parser.parse_args()
    directory = (options.directory or ROOT / "scale" / str(options.entries)).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    lock = only_one(directory)
    if options.note:
        (directory / "note").write_text(options.note)
    check_space(directory, options.entries)
    for stage in options.stage or ("build", "audit", "prove", "search", "mirror", "delete", "mirrored", "simulate"):
        record = directory / f"{stage}.jsonl"
        if options.again:
            record.unlink(missing_ok=True)
        if done(record):
            print(f"{stage}: done before")
        elif stage == "delete":
            delete(directory, record)
        else:
            run_stage(stage, directory, options.entries, record, lock)
        summary = summarize(directory, options.entries)
        (directory / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(f"written to {directory / 'summary.json'}")


def only_one(directory: Path) -> int:
    """Return a lock on the directory, which a stage keeps too: one that outlives this program is not started twice."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"a stage is at work in {directory}: wait for its end")
    return lock


def space(entries: int) -> float:
    """Return the bytes on disk that log, index and mirror of so many entries take together."""
    levels = max(1, (entries // 4096).bit_length() // 2 + 1)
    return entries * (2 * TREE_BYTES + levels * INDEX_BYTES)


def check_space(directory: Path, entries: int) -> None:
    """End the program unless there is room for what is still to be written."""
    if done(directory / "mirror.jsonl"):
        return
    needed = space(entries) * 1.05
    there = measure(directory)
    free = shutil.disk_usage(directory).free + there["log_disk"] + there["mirror_disk"]
    if free < needed:
        sys.exit(
            f"{entries:,} entries, their index and a mirror take {needed / 1e9:.1f} GB; there are {free / 1e9:.1f} GB, "
            "with what is in the directory already. Nothing was done."
        )
    print(f"room: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are there")


def delete(directory: Path, record: Path) -> None:
    """Delete the log once there is a mirror of all of it."""
    if not done(directory / "mirror.jsonl"):
        sys.exit("the log is not deleted: there is no mirror of it")
    started = time.perf_counter()
    for part in ("log", "log.private"):
        shutil.rmtree(directory / part, ignore_errors=True)
    write(record, {"run": 0, "seconds": time.perf_counter() - started, "cpu": 0, "rss": 0, "done": {}})


def run_stage(stage: str, directory: Path, entries: int, record: Path, lock: int) -> None:
    """Run a stage, and write down what it takes while it runs."""
    number = 1 + max((line["run"] for line in read(record)), default=-1)
    print(f"{stage} …", flush=True)
    started = time.perf_counter()
    output = directory / f"{stage}.out"
    with output.open("wb") as out:
        command = python("tests.bench.scale_stages", stage, directory, entries)
        process = subprocess.Popen(command, stdout=out, cwd=ROOT, pass_fds=(lock,))
        while True:
            spent = time.perf_counter() - started
            time.sleep(min(INTERVAL, max(0.1, spent / POINTS)))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            sample = {"run": number, "seconds": time.perf_counter() - started, "cpu": tree_cpu(process.pid)}
            write(record, sample | {"rss": tree_rss(process.pid), "entries": built(directory, stage)})
    process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for
    final = {"run": number, "seconds": time.perf_counter() - started, "cpu": usage.ru_utime + usage.ru_stime}
    final["rss"] = usage.ru_maxrss * 1024  # the most that one process has had, also between two samples
    if process.returncode:
        write(record, final)
        sys.exit(f"{stage} ended with {process.returncode}; the same call goes on")
    found = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    if stage in ("build", "mirror"):
        found |= measure(directory)
    write(record, final | {"done": found})
    print(f"{stage}: {final['seconds']:.1f} s, {json.dumps(found)}", flush=True)


def built(directory: Path, stage: str) -> int:
    """Return how many entries the log has by now, while it is built; 0 in other stages."""
    if stage != "build":
        return 0
    try:
        return int((directory / "log" / "checkpoint").read_text(encoding="utf-8").splitlines()[1])
    except (OSError, IndexError):
        return 0


def measure(directory: Path) -> dict[str, int]:
    """Return how many objects and bytes log and mirror have, and how much of the disk they take."""
    found: dict[str, int] = {}
    for part in ("log", "mirror"):
        objects = size = blocks = 0
        for folder, _, names in os.walk(directory / part):
            for name in names:
                status = Path(folder, name).stat()
                objects, size, blocks = objects + 1, size + status.st_size, blocks + status.st_blocks
        found |= {f"{part}_objects": objects, f"{part}_bytes": size, f"{part}_disk": 512 * blocks}
    return found


def write(record: Path, line: dict[str, Any]) -> None:
    """Add a line to the record of a stage, after one that may have been cut off."""
    with record.open("ab+") as file:
        ended = file.seek(0, os.SEEK_END) == 0 or _last(file) == b"\n"
        file.write(("" if ended else "\n").encode() + json.dumps(line).encode() + b"\n")


def _last(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def read(record: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of the record of a stage; those that were cut off are left out."""
    if record.exists():
        for line in record.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                yield json.loads(line)


def done(record: Path) -> bool:
    """Whether the stage was done."""
    return any("done" in line for line in read(record))


def summarize(directory: Path, entries: int) -> dict[str, Any]:
    """Return what is known of the stages: time and memory of all their runs, and a part of the samples."""
    stages = {}
    for stage in [*STAGES, "delete"]:
        lines = list(read(directory / f"{stage}.jsonl"))
        if not lines:
            continue
        last = {line["run"]: line for line in lines}.values()  # of each run
        found = next((line["done"] for line in lines if "done" in line), None)
        stages[stage] = {
            "seconds": round(sum(line["seconds"] for line in last), 2),
            "cpu": round(sum(line["cpu"] for line in last), 2),
            "peak": max(line["rss"] for line in lines),
            "runs": len(last),
            "found": found,
            "samples": thinned(lines),
        }
    note = directory / "note"
    said = {"note": note.read_text()} if note.exists() else {}
    return {"entries": entries, "machine": machine(), **said, "stages": stages}


def thinned(lines: list[dict[str, Any]]) -> list[list[float]]:
    """Return seconds, entries and memory of as many samples as the plot takes."""
    samples = [[round(line["seconds"], 1), line["entries"], line["rss"]] for line in lines if "entries" in line]
    return samples[:: max(1, -(-len(samples) // POINTS))]


if __name__ == "__main__":
    main()
