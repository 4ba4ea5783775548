"""The command `add --stdin-lines` as a whole, against tlog-scales within a process that runs already."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.contest import Contest, Contestant, hold
from tests.bench.given import ORIGIN, batches
from tests.bench.peers import OF_SCALES, SAFE, no_native, no_scales, ours
from tests.bench.processes import Figures, python, run, run_worker
from tests.bench.publish import WORKERS, footprint

BATCH = 65_536  # of both
ENTRIES = 1_000_000


def lines_parts(scratch: Path, rounds: int, share: float) -> list[dict[str, Any]]:
    """Measure both."""
    entries = int(ENTRIES * share)
    scratch.mkdir()
    lines = scratch / "lines"
    with lines.open("wb") as file:
        for batch in batches(entries, BATCH):
            file.writelines(entry + b"\n" for entry in batch)

    def add(environment: dict[str, str], turn: int) -> Figures:
        place = scratch / f"{turn}-{environment['TILETREE_NATIVE']}"
        place.mkdir()
        own = environment | own_folders(place)
        given = ["--key", place / "key"]
        run(python("tiletree", "init", place / "log", "--origin", ORIGIN, *given), environment=own)
        command = python("tiletree", "add", place / "log", "--stdin-lines", *given)
        figures, _ = run(command, environment=own, stdin=lines)
        return figures | footprint(place / "log")

    def scales(turn: int) -> Figures:
        place = scratch / f"{turn}-scales"
        return run_worker(python(WORKERS, "scales_publish", place, entries, BATCH)) | footprint(place / "log")

    found = [
        Contestant(
            f"{way.name} add", partial(add, way.environment), "ours", f"{SAFE}; with the index that the command keeps"
        )
        for way in ours()
    ]
    if not no_scales():
        found.append(Contestant("tlog-scales", scales, "peer", f"{OF_SCALES}; in process", version("tlog-scales")))
    work = f"add --stdin-lines of {entries:,} lines of 200 bytes, the whole command"
    return [hold(Contest(work, "entries", entries, found, no_native() | no_scales()), rounds)]


def own_folders(place: Path) -> dict[str, str]:
    """Return what keeps a command from the folders of whoever runs it."""
    return {name: str(place / name) for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
