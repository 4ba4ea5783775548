"""Auditing one log: every command as a whole, start-up included."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.contest import Contest, Contestant, hold
from tests.bench.given import ORIGIN, SEED
from tests.bench.lines import own_folders
from tests.bench.peers import (
    TESSERA,
    aics_python,
    aics_version,
    go_program,
    go_version,
    no_aics,
    no_go,
    no_native,
    ours,
)
from tests.bench.processes import Figures, python, run

WORKERS = (1, 2, 4)  # of fsck
_FEWER = 3  # rounds of a large log: start-up and noise are a small part of each
ALL = "all objects, also those that no tree needs, and kept checkpoints"
TREE = "the tree of the checkpoint"


def audit_parts(log: Path, large: Path, scratch: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure the audit of a log, by everyone who can; and that of a large one, by those who use all cores."""
    scratch.mkdir()
    cores = os.cpu_count() or 1
    small = hold(_contest(log, scratch, sorted({1, cores}), with_aics=True), rounds)
    return [small, hold(_contest(large, scratch, [cores], with_aics=False), min(rounds, _FEWER))]


def _contest(log: Path, scratch: Path, all_jobs: list[int], *, with_aics: bool) -> Contest:
    vkey = vkey_of_log()

    def own(environment: dict[str, str], jobs: int, _turn: int) -> Figures:
        command = python("tiletree", "audit", log / "log", "--vkey", vkey, "--jobs", jobs)
        return run(command, environment=environment | own_folders(scratch), several=jobs > 1)[0]

    def aics(_turn: int) -> Figures:
        return run([aics_python(), "-m", "tests.bench.aics", "audit", str(log), "0", "0"])[0]

    def fsck(workers: int, _turn: int) -> Figures:
        return run([go_program()[0], "fsck", str(log / "log"), vkey, str(workers)])[0]

    found = []
    for way in ours():
        for jobs in all_jobs:
            name = f"{way.name} --jobs {jobs}"
            found.append(Contestant(name, partial(own, way.environment, jobs), "ours", ALL, family=way.name))
    if with_aics and not no_aics():
        found.append(Contestant("aics-tlog", aics, "peer", TREE, aics_version()))
    if not no_go("fsck"):
        version = go_version(TESSERA)
        found += [
            Contestant(f"Tessera fsck N={workers}", partial(fsck, workers), "peer", TREE, version, "Tessera fsck")
            for workers in WORKERS
        ]
    size = int((log / "log" / "checkpoint").read_text(encoding="utf-8").splitlines()[1])
    left_out = no_native() | (no_aics() if with_aics else {}) | no_go("Tessera fsck")
    work = f"audit of {size:,} entries of 200 bytes in a directory, the whole command"
    return Contest(work, "entries", size, found, left_out)


def vkey_of_log() -> str:
    """Return the key by which the logs that the workers write are signed."""
    from tiles.notes.keys import signing_key

    return signing_key(ORIGIN, SEED).verifier.vkey
