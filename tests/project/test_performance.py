"""docs/performance.md: its figures are those of docs/performance.json, and what it says follows from them."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bench import contest as contest_module
from tests.bench import given, large_logs, memory, plot, profiles, report, scale, scale_stages, simulate, table
from tests.bench.audits import vkey_of_log
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.plan import plan


def row(name: str, kind: str, *seconds: float, count: int = 100, family: str = "") -> dict[str, Any]:
    """Return what is kept of a contestant."""
    return {
        "name": name, "kind": kind, "family": family or name, "version": "", "guarantees": f"what {name} promises",
        "count": count, "seconds": list(seconds), "cpu": 1.0, "peak": 1_000_000,
    }  # fmt: skip


def contest(*rows: dict[str, Any], calibrated: float = 1.0) -> dict[str, Any]:
    """Return what was measured in a contest of two rounds, the second of which took so long to calibrate."""
    rounds = [{"before": 1.0, "after": 1.0, "load": 0.5}, {"before": 1.0, "after": calibrated, "load": 2.0}]
    left_out = {"somebody": "there is no Go toolchain"}
    return {
        "work": "publish",
        "unit": "entries",
        "base": "",
        "rounds": rounds,
        "rows": list(rows),
        "left_out": left_out,
    }


def test_page_and_plot_are_made_of_the_figures() -> None:
    """Nobody edits a figure by hand."""
    figures = json.loads(report.FIGURES.read_text(encoding="utf-8"))
    again = "run: python -m tests.bench.report"
    assert report.page(figures) == report.PAGE.read_text(encoding="utf-8"), again
    assert large_logs.plot(figures["scale"]) == report.PLOT.read_text(encoding="utf-8"), again
    assert report.as_json(figures) == report.FIGURES.read_text(encoding="utf-8"), again


def test_profiles_take_inner_functions_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a watched function calls that is watched counts once, also if it fails; and the page has all parts."""

    class Steps:
        def outer(self) -> None:
            clock[0] += 1.0
            self.inner()

        def inner(self) -> None:
            clock[0] += 10.0
            raise KeyError

    clock = [0.0]
    monkeypatch.setattr(profiles.time, "perf_counter", lambda: clock[0])
    watch = profiles.Stopwatch()
    watch.watch("outside", Steps, {"outer"})
    watch.watch("inside", Steps, {"inner"})
    for _ in range(2):
        with pytest.raises(KeyError):
            Steps().outer()
    assert dict(watch.seconds) == {"outside": 2.0, "inside": 20.0}
    found = {"work": "a step", "unit": "ms", "profiles": {"one": [("outside", 2.0)], "two": [("inside", 20.0)]}}
    text = "".join(report.profile_text(found))
    assert text.index("| inside | 0.00 | 20.00 |") < text.index("| outside | 2.00 | 0.00 |")


def test_ratios_are_taken_round_by_round_and_for_each_piece() -> None:
    """A contestant that does more pieces of work in one run is not slower for that."""
    own, peer = row("tiletree", "ours", 1.0, 2.0), row("peer", "peer", 30.0, 30.0, count=1000)
    assert table.ratios(peer, own) == [3.0, 1.5]
    assert table.compared(peer, own) == "2.25 (1.50–3.00)"
    assert table.rate(peer) == pytest.approx(1000 / 30)


def test_who_is_quicker_is_said_in_a_sentence() -> None:
    """Each program is compared at its quickest setting; only where the other is quicker are we behind."""
    found = contest(
        row("tiletree", "ours", 2.0, 2.0),
        row("fsck N=1", "peer", 1.5, 1.5, family="fsck"),
        row("fsck N=2", "peer", 1.0, 1.0, family="fsck"),
        row("slow", "peer", 9.0, 9.0),
        row("a part of it", "limit", 0.1, 0.1),
    )
    text = "\n".join(report.where_behind([found]))
    assert "- Publish: tiletree takes 2.00 times as long as fsck N=2. What the other promises: what fsck N=2" in text
    assert not [name for name in ("N=1", "slow", "a part") if name in text]
    assert "- somebody: there is no Go toolchain" in text
    short = "\n".join(report.in_short([found]))
    assert "| publish | tiletree | fsck N=2 | **0.50 (0.50–0.50)** | what fsck N=2 promises |" in short
    assert "| --- | --- | --- | ---: | --- |" in short


def test_nowhere_behind() -> None:
    """That is said as well."""
    found = contest(row("tiletree", "ours", 1.0, 1.0), row("peer", "peer", 1.0, 1.0))
    assert "Nowhere" in "\n".join(report.where_behind([found]))


def test_a_busy_machine_is_named() -> None:
    """A round counts as noisy if the calibration took longer than at best."""
    rows = (row("tiletree", "ours", 1.0, 1.0),)
    assert table.noise(contest(*rows, calibrated=1.1)) == (0, 2, 2.0)
    assert table.noise(contest(*rows, calibrated=1.2)) == (1, 2, 2.0)


def test_starts_are_multiples_of_the_first() -> None:
    """Times of commands are given beside that of the interpreter."""
    found = contest(row("import click", "limit", 0.1, 0.1, count=1), row("--version", "ours", 0.15, 0.16, count=1))
    found["base"] = "import click"
    assert table.cells(found)[1][1] == ["--version", "155", "150–160", "1.55"]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(95, [0, 20, 40, 60, 80, 100]), (0, [0, 0.2, 0.4, 0.6, 0.8, 1]), (1e8, [2e7 * i for i in range(6)])],
)
def test_ticks_are_round(most: float, expected: list[float]) -> None:
    """Numbers on an axis are those that people read."""
    assert plot.ticks(most) == pytest.approx(expected)


def test_what_is_computed_is_what_is_planned() -> None:
    """Objects, bytes and right edge of a log that was computed are those of one that was planned entry by entry."""
    size = 70_000
    planned = plan(EMPTY_EDGE, [simulate.ENTRY] * size)
    assert simulate.objects(size) == (len(planned.objects), sum(map(len, planned.objects.values())))
    assert simulate.edge_of(size) == planned.edge
    computed = simulate.Computed(size)
    tiles = {path: data for path, data in planned.objects.items() if "entries" not in path}
    assert all(computed.fetch(path, 1 << 20) == data for path, data in tiles.items())


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    """It is said before anything is written, with figures; a log that has its mirror needs no more."""
    entries = 10**15
    with pytest.raises(SystemExit, match=r"1,000,000,000,000,000 entries, their index and a mirror take .* GB"):
        scale.check_space(tmp_path, entries)
    scale.write(tmp_path / "mirror.jsonl", {"run": 0, "seconds": 1.0, "cpu": 1.0, "rss": 1, "done": {}})
    scale.check_space(tmp_path, entries)


def test_a_stage_goes_on_after_a_line_was_cut_off(tmp_path: Path) -> None:
    """What an interrupted run has written counts, but for what it did not finish writing; runs add up."""
    record = tmp_path / "build.jsonl"
    scale.write(record, {"run": 0, "seconds": 3.0, "cpu": 2.0, "rss": 9, "entries": 7})
    with record.open("a") as file:
        file.write('{"run": 0, "sec')
    assert not scale.done(record)
    scale.write(record, {"run": 1, "seconds": 4.0, "cpu": 3.0, "rss": 5, "done": {"size": 8}})
    assert scale.done(record)
    found = scale.summarize(tmp_path, 8)["stages"]["build"]
    assert (found["seconds"], found["cpu"], found["peak"], found["runs"]) == (7.0, 5.0, 9, 2)
    assert found["samples"] == [[3.0, 7, 9]]


def test_contestants_take_turns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is first every time; what a run says of itself is kept, and who is left out is said."""
    monkeypatch.setattr(contest_module, "calibrate", lambda: 1.0)
    order: list[str] = []

    def run(name: str, _turn: int) -> dict[str, Any]:
        order.append(name)
        return {"seconds": 2.0, "cpu": 1.0, "peak": 7, "objects": 3, "bytes": 9, "count": 10}

    both = [contest_module.Contestant(name, partial(run, name), "ours") for name in ("a", "b")]
    found = contest_module.hold(contest_module.Contest("work", "entries", 5, both, {"c": "it is not there"}), 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [row["seconds"] for row in found["rows"]] == [[2.0] * 3] * 2
    assert {key: found["rows"][0][key] for key in ("count", "objects", "bytes", "peak")} == {
        "count": 10, "objects": 3, "bytes": 9, "peak": 7,
    }  # fmt: skip
    assert "not measured: c: it is not there" in capsys.readouterr().out


def test_building_goes_on_where_the_log_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was built in two runs has each entry once, in order; its proofs count the tiles that they read."""
    assert scale_stages.build(tmp_path, 5_000) == {"size": 5_000}
    assert scale_stages.build(tmp_path, 9_000) == {"size": 9_000}
    client = LogClient(open_log(str(tmp_path / "log")), policy_for(parse_vkey(vkey_of_log())))
    assert [entry for _, entry in client.entries(4_990, 5_010)] == [
        scale_stages.entry(at) for at in range(4_990, 5_010)
    ]
    monkeypatch.setattr(scale_stages, "PROOFS", 5)
    found = scale_stages.prove(tmp_path, 9_000)
    assert found["proofs"] == 5
    assert 1 <= found["tiles"][0] <= found["tiles"][2] <= 3  # the edge has two tiles, and one leads to the entry


def test_memory_of_this_process_is_found() -> None:
    """Where Linux tells it: what was the most is at least what is there now, within what is measured in pages."""
    if sys.platform == "linux":
        assert given.peak_of() > 1 << 20
        assert memory.tree_rss(os.getpid()) > 1 << 20
        assert memory.tree_cpu(os.getpid()) > 0
    assert given.peak_of(2**30) == 0
