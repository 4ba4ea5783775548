"""Where the time goes that is left: of a small commit, and of verifying the text of a proof.

A profile is of a process of its own, in which functions are replaced by ones that take the time: `profiles NAME
DIRECTORY` prints JSON. What a function calls that is replaced, too, is taken from its time.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.bench.given import batches
from tests.bench.peers import ours
from tests.bench.processes import python, run_worker

COMMITS = 256  # of 256 entries each: the log of `make bench` that is published in small batches
VERIFIED = 4_000
OTHERS = "Python, and what it calls for the rest"


def profile_parts(scratch: Path, proofs: Path) -> list[dict[str, Any]]:
    """Measure both profiles, with the native part and without. proofs: the directory that `make_proofs` filled"""
    found = []
    for name, unit, work in (
        ("commit", "ms", "a commit of 256 entries, one after the other"),
        ("verify", "µs", "verifying the text of a proof, each with a checkpoint of its own"),
    ):
        profiles = {}
        for number, way in enumerate(ours()):
            place = scratch / f"{name}-{number}" if name == "commit" else proofs
            profiles[way.name] = run_worker(python("tests.bench.profiles", name, place), way.environment)["parts"]
            print(f"{work}, {way.name}: " + ", ".join(f"{part} {took:.3g} {unit}" for part, took in profiles[way.name]))
        found.append({"work": work, "unit": unit, "profiles": profiles})
    return found


class Stopwatch:
    """Adds up the seconds that functions take, by what they do, without those of other ones that they call."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner = [0.0]

    def watch(self, part: str, owner: Any, names: Iterable[str]) -> None:
        """Replace functions of a module, or methods of a class, by ones that take the time."""
        for name in names:
            setattr(owner, name, self._timed(part, getattr(owner, name)))

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            self._inner.append(0.0)
            started = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                took = time.perf_counter() - started
                self.seconds[part] += took - self._inner.pop()
                self._inner[-1] += took

        return timed


def commit(place: Path) -> list[tuple[str, float]]:
    """Return what the parts of a commit take, in ms."""
    from tests.bench.workers import new_sequencer
    from tiles.notes.keys import SeedKey
    from tiles.store.posix import Posix
    from tiles.tree import edge, plan

    sequencer, watch = new_sequencer(place), Stopwatch()
    calls = {name for name, each in vars(Posix).items() if callable(each) and not name.startswith("_")}
    watch.watch("syncs", Posix, {"fsync", "syncfs"})
    watch.watch("names, files and locks", Posix, calls - {"fsync", "syncfs"})
    watch.watch("hashing and encoding", plan, {"encode_batch", "full_roots"})
    watch.watch("hashing and encoding", edge, {"edge_root", "fold_right"})
    watch.watch("signing, by OpenSSL", SeedKey, {"sign"})
    whole = 0.0
    for batch in batches(256 * COMMITS, 256):
        started = time.perf_counter()
        sequencer.append(batch)
        whole += time.perf_counter() - started
    return _shares(watch, whole, COMMITS / 1e3)


def verify(place: Path) -> list[tuple[str, float]]:
    """Return what the parts of verifying a proof take, in µs."""
    from tests.bench.workers import given_proofs
    from tiles.notes import keys, policy, tlog_proof

    texts, leaves, trusted = given_proofs(place)
    watch = Stopwatch()
    watch.watch("Ed25519", keys, {"verify_ed25519"})
    watch.watch("the way up to the root", tlog_proof, {"verify_inclusion"})
    watch.watch("parsing the proof", tlog_proof, {"parse_tlog_proof"})
    watch.watch("parsing its checkpoint", tlog_proof, {"parse_signed_checkpoint"})
    watch.watch("which keys signed, and the quorum", policy.Policy, {"accept"})
    started = time.perf_counter()
    for number in range(VERIFIED):
        which = number % len(texts)
        tlog_proof.verify_tlog_proof(tlog_proof.parse_tlog_proof(texts[which]), leaves[which], trusted)
    return _shares(watch, time.perf_counter() - started, VERIFIED / 1e6)


def _shares(watch: Stopwatch, whole: float, divisor: float) -> list[tuple[str, float]]:
    parts = [(part, seconds / divisor) for part, seconds in watch.seconds.most_common()]
    return [*parts, (OTHERS, (whole - watch.seconds.total()) / divisor)]


def main() -> None:
    """Make one profile, and print it."""
    name, place = sys.argv[1:]
    print(json.dumps({"parts": {"commit": commit, "verify": verify}[name](Path(place))}))


if __name__ == "__main__":
    main()
