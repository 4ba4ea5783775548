"""Explore one setup: `python -m model --help`."""

from __future__ import annotations

import argparse
import sys
import time

from .explore import Violation, explore
from .mistakes import Mistake
from .scenarios import HUGE, LARGE, SMALL
from .state import Harm, Setup


def main() -> int:
    """Return 0 if no state breaks a promise, 1 if one does; then the way to it is shown."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Explore every interleaving of a commit.")
    parser.add_argument("--sequencers", type=int, default=2, metavar="N", help="`sequence` runs (2)")
    parser.add_argument("--items", type=int, default=2, metavar="N", help="submissions that arrive (2)")
    parser.add_argument("--strict", type=int, default=0, metavar="N", help="`sequence` runs that refuse item 0 (0)")
    parser.add_argument("--add", action="append", default=[], metavar="ab,c", help="an `add` of these batches; repeat")
    parser.add_argument("--parts", action="store_true", help="tiles and bundles are written one after the other")
    parser.add_argument("--witness", action="store_true", help="a witness cosigns")
    parser.add_argument("--unknown", action="store_true", help="the reply to any swap may be lost")
    parser.add_argument("--late", action="store_true", help="and a swap of the head may happen after that")
    parser.add_argument("--holds", action="store_true", help="item 0 cannot be deleted for a time")
    parser.add_argument("--harm", choices=[harm.name for harm in Harm])
    parser.add_argument(
        "--mistake", choices=[mistake.name for mistake in Mistake], metavar="NAME", help=", ".join(Mistake.__members__)
    )
    scenarios = SMALL | LARGE | HUGE
    parser.add_argument("--scenario", choices=scenarios, metavar="NAME", help=f"one of: {'; '.join(scenarios)}")
    a = parser.parse_args()
    harm = Harm[a.harm] if a.harm else None
    setup = Setup(a.sequencers, a.items, a.strict, tuple(a.add), a.parts, a.witness, a.unknown, a.late, harm)
    setup = setup._replace(holds=a.holds)
    if a.scenario:
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
