"""Publishing into a directory, by batches of different sizes."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.contest import Contest, Contestant, hold
from tests.bench.peers import (
    OF_AICS,
    OF_AICS_FIRST,
    OF_SCALES,
    OF_TESSERA,
    SAFE,
    TESSERA,
    aics_python,
    aics_version,
    go_program,
    go_version,
    no_aics,
    no_go,
    no_native,
    no_scales,
    ours,
)
from tests.bench.processes import Figures, python, run_worker

# batch → entries: what takes a second or two, since a few entries at a time are slow for everyone
BATCHES = {65_536: 393_216, 4_096: 262_144, 256: 65_536}
WORKERS = "tests.bench.workers"


def publish_parts(scratch: Path, rounds: int, share: float) -> list[dict[str, Any]]:
    """Measure each size of batch. share: of the entries, to try this out"""
    return [
        hold(contest(scratch / f"publish-{batch}", max(batch, int(entries * share)), batch), rounds)
        for batch, entries in BATCHES.items()
    ]


def contest(scratch: Path, entries: int, batch: int) -> Contest:
    """Return who publishes so many entries by batches of a size."""

    def worker(name: str, environment: dict[str, str], turn: int) -> Figures:
        place = scratch / f"{turn}-{name}{environment.get('TILETREE_NATIVE', '')}"
        return run_worker(python(WORKERS, name, place, entries, batch), environment) | footprint(place / "log")

    def aics(work: str, turn: int) -> Figures:
        place = scratch / f"{turn}-aics-{work}"
        command = [aics_python(), "-m", "tests.bench.aics", work, str(place), str(entries), str(batch)]
        return run_worker(command) | footprint(place / "log")

    def tessera(turn: int) -> Figures:
        place = scratch / f"{turn}-tessera"
        return run_worker([go_program()[0], "publish", str(place), str(entries), str(batch)]) | footprint(place)

    found = []
    for way in ours():
        for call, name in (("append", "tiletree_publish"), ("append_all", "tiletree_publish_all")):
            step = partial(worker, name, way.environment)
            found.append(Contestant(f"{way.name} {call}", step, "ours", SAFE, family=way.name))
    if not no_scales():
        step = partial(worker, "scales_publish", {})
        found.append(Contestant("tlog-scales", step, "peer", OF_SCALES, version("tlog-scales")))
    if not no_aics():
        found.append(Contestant("aics-tlog", partial(aics, "publish"), "peer", OF_AICS, aics_version()))
        first = partial(aics, "publish_first")
        found.append(Contestant("aics-tlog, entries synced first", first, "peer", OF_AICS_FIRST, aics_version()))
    if not no_go("Tessera"):
        found.append(Contestant("Tessera POSIX", tessera, "peer", OF_TESSERA, go_version(TESSERA)))
    if batch == max(BATCHES):
        indexed = partial(worker, "tiletree_indexed", ours()[-1].environment)
        found.append(Contestant(f"{ours()[-1].name} append, and leaf index", indexed, "limit", SAFE))
        # what the same work takes without a log: the pure hashing alone, the writing alone
        found += [
            Contestant(name, partial(worker, work, {"TILETREE_NATIVE": "0"}), "limit")
            for name, work in (("hashing alone, in Python", "hashing"), ("writing alone", "raw_files"))
        ]
    left_out = no_native() | no_scales() | no_aics() | no_go("Tessera POSIX")
    work = f"publish {entries:,} entries of 200 bytes by batches of {batch:,}"
    return Contest(work, "entries", entries, found, left_out)


def footprint(directory: Path) -> dict[str, int]:
    """Return what a log takes on disk: its public objects, and their bytes."""
    files = [path for path in directory.rglob("*") if path.is_file() and ".state" not in path.parts]
    return {"objects": len(files), "bytes": sum(path.stat().st_size for path in files)}
