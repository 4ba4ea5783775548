"""docs/performance.md out of what was measured: `python -m tests.bench.report [bench.json] [--scale summary.json …]`.

What is given replaces what docs/performance.json has of it, and the page and its plot are written from that file alone:
tests/project/test_performance.py holds that they are what it gives, so nobody edits a figure by hand.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.large_logs import large_logs, plot
from tests.bench.processes import ROOT
from tests.bench.table import (
    behind,
    cells,
    compared,
    lookup_cells,
    markdown_table,
    noise,
    noise_text,
    pairs,
)

FIGURES, PAGE, PLOT = (ROOT / "docs" / f"performance{end}" for end in (".json", ".md", "-memory.svg"))
HEAD = """\
# Performance

This page is made by `python -m tests.bench.report` from [performance.json](performance.json), which `make bench` and
`make scale` measured; a test holds that it is. Figures are those of one machine on one day. What carries over to other
machines is the ratios: they are taken between runs of one round, in which all contestants took turns, and given as the
median of the rounds, with the least and the most.
"""


def main() -> None:
    """Take what was measured, and write page and plot."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bench", type=Path, nargs="?", help="what `make bench` has written")
    parser.add_argument("--scale", type=Path, nargs="+", default=[], help="what `make scale` has written, of each size")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    if options.bench:
        new = json.loads(options.bench.read_text(encoding="utf-8"))
        parts = figures.get("bench", {}).get("parts", {}) | new["parts"]
        figures["bench"] = {"machine": new["machine"], "parts": parts}
    sizes = {str(one["entries"]): one for one in figures.get("scale", [])}
    for path in options.scale:
        one = json.loads(path.read_text(encoding="utf-8"))
        sizes[str(one["entries"])] = one
    figures["scale"] = sorted(sizes.values(), key=lambda one: int(one["entries"]))
    FIGURES.write_text(as_json(figures), encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    PLOT.write_text(plot(figures["scale"]), encoding="utf-8")


PROMISES = """## What the two Python peers promise

Read in their code, at the releases that are measured; ours is in [data-flow](data-flow.md#what-a-commit-costs).

- **aics-tlog** syncs each file, and the folder that has its name, before it goes on: 8 syncs for a batch of 256
  entries, where tiletree makes 6. It does not sync the name of a folder that it makes on the way. The checkpoint is
  replaced last, and signed by the caller for each batch. Nothing is written before the tiles, so a crash or a power cut
  between two files leaves tiles of entries that are in no checkpoint. The same entries can be appended again; other
  ones never, as their tiles would differ (`TileConflictError`). So whoever calls it has to keep the entries first, so
  that they last: "the committed leaf table", as its manual says. The contestant *aics-tlog, entries synced first* does
  no more than that, by one file. Nothing keeps two writers apart, and nothing notices that storage was put back.
- **tlog-scales** syncs each file and its folder likewise. It replaces files, tiles too, keeps no entries first, and is
  "not crash safe yet", by its own README.
"""


def as_json(figures: Mapping[str, Any]) -> str:
    """Return figures as JSON in which a list of numbers is one line."""
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


def page(figures: Mapping[str, Any]) -> str:
    """Return the page."""
    bench = figures["bench"]
    contests = [one for parts in bench["parts"].values() for one in parts if "rows" in one]
    sections = [
        HEAD,
        f"Measured on {machine_text(bench['machine'])}. {busy_text(contests)}\n",
        *in_short(contests),
        *where_behind(contests),
        PROMISES,
        "## Each piece of work\n",
        *(text for one in contests for text in contest_text(one)),
        *(text for one in bench["parts"].get("search", []) for text in lookup_text(one)),
        *(text for one in bench["parts"].get("profile", []) for text in profile_text(one)),
        *(text for one in bench["parts"].get("cost", []) for text in cost_text(one)),
        *large_logs(figures.get("scale", [])),
    ]
    return "\n".join(sections).rstrip() + "\n"


def machine_text(machine: Mapping[str, str]) -> str:
    """Return what a machine is, as a part of a sentence."""
    known = ("date", "processor", "cores", "memory", "kernel", "python", "go")
    packages = ", ".join(f"{name} {version}" for name, version in machine.items() if name not in known)
    go = f", Go {machine['go']}" if machine["go"] else ""
    hardware = f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['kernel']}"
    return f"{machine['date']}: {hardware}, {machine['python']}{go}; {packages}"


def busy_text(contests: list[dict[str, Any]]) -> str:
    """Return in how many rounds something else used the machine, as a sentence."""
    found = [noise(one) for one in contests if one["rounds"]]
    noisy, rounds = sum(each[0] for each in found), sum(each[1] for each in found)
    if not noisy:
        return "Nothing else used the machine."
    return f"In {noisy} of {rounds} rounds something else used the machine: where that is many, ratios say little."


def in_short(contests: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table of all comparisons."""
    lines = []
    for one in contests:
        for own, peer, times in pairs(one):
            how = f"{peer['name']} {peer['version']}".strip()
            shown = compared(peer, own)
            shown = f"**{shown}**" if round(times, 2) < 1 else shown
            lines.append([one["work"], own["name"], how, shown, peer["guarantees"]])
    if lines:
        yield "## In short\n"
        yield (
            "How many times as fast tiletree is, each at its quickest setting: the median, and the least and the most. "
            "Below 1, in bold, the other is quicker. What tiletree promises is named below.\n"
        )
        yield markdown_table(["work", "tiletree", "other", "times as fast", "what the other promises"], lines) + "\n"


def where_behind(contests: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each comparison in which the other was quicker."""
    yield "## Where tiletree is behind\n"
    found = []
    for one in contests:
        for own, peer, times in behind(one):
            promises = f" What the other promises: {peer['guarantees']}." if peer["guarantees"] else ""
            longer = f"{own['name']} takes {times:.2f} times as long as {peer['name']}"
            found.append(f"- {capital(one['work'])}: {longer}.{promises}")
    yield "\n".join(found or ["Nowhere, among what was measured here."]) + "\n"
    left_out = sorted({f"- {name}: {why}" for one in contests for name, why in one["left_out"].items()})
    if left_out:
        yield "Not measured:\n"
        yield "\n".join(left_out) + "\n"


def contest_text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was measured of one piece of work."""
    if not found["rows"]:
        return
    yield f"### {capital(found['work'])}\n"
    heads, lines = cells(found)
    yield markdown_table(heads, lines) + "\n"
    promises: dict[str, list[str]] = {}
    for row in found["rows"]:
        if row["guarantees"]:
            promises.setdefault(row["guarantees"], []).append(row["name"])
    for text, names in promises.items():
        yield f"- {', '.join(names)}: {text}"
    if promises:
        yield ""
    yield f"{capital(noise_text(found))}.\n"


def lookup_text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what finding things takes."""
    yield f"### {capital(found['work'])}\n"
    yield markdown_table(*lookup_cells(found)) + "\n"


def profile_text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the time of one piece of work goes."""
    yield f"### Where the time goes: {found['work']}\n"
    profiles = {name: dict(parts) for name, parts in found["profiles"].items()}
    parts = list(dict.fromkeys(part for each in profiles.values() for part in each))
    parts.sort(key=lambda part: -max(each.get(part, 0) for each in profiles.values()))
    lines = [[part, *(f"{each.get(part, 0):.2f}" for each in profiles.values())] for part in parts]
    whole = ["all of it", *(f"{sum(each.values()):.2f}" for each in profiles.values())]
    yield markdown_table(["part", *(f"{name}, {found['unit']}" for name in profiles)], [*lines, whole]) + "\n"
    yield "Functions are replaced by ones that take the time, which adds about a tenth to all of it.\n"


def cost_text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a million entries cost."""
    yield f"### What {found['work']} cost\n"
    yield (
        "Requests of `add` into a bucket, anchor included, as `tiles.cost` counts them, on a log of a million entries, "
        f"with an index of leaf hashes; at list prices of S3 as noted on {found['assumed_on']}.\n"
    )
    heads = ["entries a batch", "PUT and LIST", "GET", "US dollars"]
    lines = [
        [f"{row['batch']:,}", f"{row['put']:,}", f"{row['get']:,}", f"{row['dollars']:.2f}"] for row in found["costs"]
    ]
    yield markdown_table(heads, lines) + "\n"


def capital(text: str) -> str:
    """Return a text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    main()
