"""Explore one setup: `python -m model --help`."""

from __future__ import annotations

import argparse
import sys
import time

from .explore import Violation, explore
from .mistakes import Mistake
from .scenarios import LARGE, SMALL
from .state import Harm, Setup


def main() -> int:
    """Return 0 if no state breaks a promise, 1 if one does; then the way to it is shown."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Explore every interleaving of a commit.")
    parser.add_argument("--sequencers", type=int, default=2, metavar="N", help="`sequence` runs (2)")
    parser.add_argument("--items", type=int, default=2, metavar="N", help="submissions that arrive (2)")
    parser.add_argument("--strict", type=int, default=0, metavar="N", help="`sequence` runs that refuse item 0 (0)")
    parser.add_argument("--add", action="append", default=[], metavar="ab,c", help="an `add` of these batches; repeat")
    for flag in ("parts", "witness", "unknown", "late"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--harm", choices=[harm.name for harm in Harm])
    parser.add_argument("--mistake", choices=[mistake.name for mistake in Mistake], metavar="NAME")
    parser.add_argument("--scenario", choices=[*SMALL, *LARGE], metavar="NAME", help="a small scenario, or a large one")
    parser.add_argument("--large", action="store_true", help="take the scenario from the large ones")
    a = parser.parse_args()
    harm = Harm[a.harm] if a.harm else None
    setup = Setup(a.sequencers, a.items, a.strict, tuple(a.add), a.parts, a.witness, a.unknown, a.late, harm)
    if a.scenario:
        scenarios = LARGE if a.large or a.scenario not in SMALL else SMALL
        if a.scenario not in scenarios:
            parser.error(f"no large scenario {a.scenario!r}: {', '.join(scenarios)}")
        setup = scenarios[a.scenario]
    if a.mistake:
        setup = setup._replace(mistake=Mistake[a.mistake])
    started = time.monotonic()
    try:
        states = explore(setup).states
    except Violation as violation:
        sys.stdout.write(f"{violation}\n")
        return 1
    sys.stdout.write(f"{states:,} states in {time.monotonic() - started:.0f} s, no promise is broken\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
