"""Making proofs with a client that is kept, and verifying the texts of proofs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.audits import vkey_of_log
from tests.bench.contest import Contest, Contestant, hold
from tests.bench.peers import SUMDB, TESSERA, TORCHWOOD, go_program, go_version, no_go, no_native, ours
from tests.bench.processes import Figures, python, run_worker
from tests.bench.publish import WORKERS

PROOFS = 2_000  # of ours in one run; each takes a good part of a millisecond
OF_GO = 6_000
TEXTS = 64  # each with a checkpoint of its own: nobody gains by keeping what was verified
BELIEVED = "each tile is shown to lead to the checkpoint"
NOT_BELIEVED = "tiles are taken as they are; the proof is not verified"


def prove_parts(log: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure inclusion proofs of entries in no order."""
    found = [
        Contestant(way.name, partial(_worker, "tiletree_prove", log, PROOFS, way.environment), "ours", BELIEVED)
        for way in ours()
    ]
    if not no_go("Go"):
        for name, command, module, promise in (
            ("Tessera's client", "prove-tessera", TESSERA, NOT_BELIEVED),
            ("x/mod sumdb/tlog", "prove-tlog", SUMDB, BELIEVED),
        ):
            step = partial(_go, command, log / "log", vkey_of_log())
            found.append(Contestant(name, step, "peer", promise, go_version(module)))
    work = "inclusion proofs of entries in no order, by a client that is kept"
    return [hold(Contest(work, "proofs", PROOFS, found, no_native() | no_go("Tessera's client", "x/mod")), rounds)]


def verify_parts(log: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure the verification of proof texts: signature and inclusion."""
    proofs = make_texts(log)
    found = [
        Contestant(way.name, partial(_worker, "tiletree_verify", proofs, PROOFS, way.environment), "ours")
        for way in ours()
    ]
    if not no_go("Go"):
        step = partial(_go, "verify", proofs / "policy", str(proofs))
        found.append(Contestant("torchwood", step, "peer", "", go_version(TORCHWOOD)))
    work = "verification of proof texts: parsed, one signature, one inclusion proof"
    return [hold(Contest(work, "proofs", PROOFS, found, no_native() | no_go("torchwood")), rounds)]


def make_texts(log: Path) -> Path:
    """Return the directory of texts of proofs; they are made on first use."""
    proofs = log / "proofs"
    if not proofs.exists():
        run_worker(python(WORKERS, "make_proofs", log, TEXTS, 0))
    return proofs


def make_log(log: Path, entries: int) -> None:
    """Make the log that is audited, and of which proofs are made."""
    run_worker(python(WORKERS, "tiletree_publish_all", log, entries, 65_536), ours()[-1].environment)


def _worker(name: str, place: Path, proofs: int, environment: dict[str, str], _turn: int) -> Figures:
    return run_worker(python(WORKERS, name, place, proofs, 0), environment) | {"count": proofs}


def _go(command: str, place: Path, given: str, _turn: int) -> Figures:
    return run_worker([go_program()[0], command, str(place), given, str(OF_GO)])
