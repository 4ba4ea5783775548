"""Contestants that take turns, round by round, and how busy the machine was meanwhile."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.bench.processes import Figures, calibrate, load
from tests.bench.table import show

Kind = Literal["ours", "peer", "limit"]  # a limit does a part of the work only: nobody can be quicker than that


@dataclass(frozen=True)
class Contestant:
    """Who takes part.

    run          does it once and returns what that took; gets the number of the round
    guarantees   what holds once it has answered, in a few words
    family       of several settings of one program: its name, and only the quickest is compared
    """

    name: str
    run: Callable[[int], Figures]
    kind: Kind = "peer"
    guarantees: str = ""
    version: str = ""
    family: str = ""


@dataclass(frozen=True)
class Contest:
    """Who does the same work.

    work       in a few words; unit: of what there are so many a second
    count      of them are done in one run, where a run does not say so itself
    left_out   who cannot take part, and why
    """

    work: str
    unit: str
    count: int
    contestants: Sequence[Contestant]
    left_out: dict[str, str] = field(default_factory=dict)


def hold(contest: Contest, rounds: int, *, base: str = "") -> dict[str, Any]:
    """Let everybody do the work once a round, in turns, nobody first every time; print a table, return the figures.

    base   the contestant whose time the others' are multiples of, where that is what is asked
    """
    taken: dict[str, list[Figures]] = {one.name: [] for one in contest.contestants}
    busy = []
    for turn in range(rounds):
        first = turn % max(1, len(contest.contestants))
        at_first, loaded = calibrate(), load()
        for one in [*contest.contestants[first:], *contest.contestants[:first]]:
            taken[one.name].append(one.run(turn))
        busy.append({"before": at_first, "after": calibrate(), "load": max(loaded, load())})
    found = {
        "work": contest.work,
        "unit": contest.unit,
        "base": base,
        "rounds": busy,
        "rows": [row(one, contest.count, taken[one.name]) for one in contest.contestants],
        "left_out": contest.left_out,
    }
    print(show(found))
    sys.stdout.flush()
    return found


def row(one: Contestant, count: int, figures: Sequence[Figures]) -> dict[str, Any]:
    """Return what is kept of a contestant."""
    last = figures[-1]
    extra = {key: value for key, value in last.items() if key not in ("seconds", "cpu", "peak", "count")}
    return {
        "name": one.name,
        "kind": one.kind,
        "family": one.family or one.name,
        "version": one.version,
        "guarantees": one.guarantees,
        "count": last.get("count", count),
        "seconds": [round(each["seconds"], 4) for each in figures],
        "cpu": round(statistics.median(each["cpu"] for each in figures), 3),
        "peak": max(each["peak"] for each in figures),
        **extra,
    }
