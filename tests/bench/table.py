"""Rates and ratios of what was measured, and tables of text. Pure: figures are as `contest.hold` makes them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Found = Mapping[str, Any]
NOISY = 1.15  # so many times the quickest calibration of a contest: somebody else was using the machine


def rate(row: Row) -> float:
    """Return how many a second, as the median of the rounds."""
    return float(row["count"] / statistics.median(row["seconds"]))


def ratios(peer: Row, own: Row) -> list[float]:
    """Return how many times as fast as a peer we were, round by round."""
    return [
        (theirs / peer["count"]) / (ours / own["count"])
        for theirs, ours in zip(peer["seconds"], own["seconds"], strict=True)
    ]


def of_kind(found: Found, kind: str) -> list[Row]:
    """Return the rows of contestants of a kind."""
    return [row for row in found["rows"] if row["kind"] == kind]


def compared(peer: Row, own: Row) -> str:
    """Return how many times as fast as a peer we were: median, and least and most."""
    times = ratios(peer, own)
    return f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})"


def quickest(found: Found, kind: str) -> list[Row]:
    """Return of each program of a kind the row of its quickest setting."""
    best: dict[str, Row] = {}
    for row in of_kind(found, kind):
        if row["family"] not in best or rate(row) > rate(best[row["family"]]):
            best[row["family"]] = row
    return list(best.values())


def pairs(found: Found) -> Iterator[tuple[Row, Row, float]]:
    """Yield each of ours, each peer, and how many times as fast as it we were; each at its quickest setting."""
    for own in quickest(found, "ours"):
        for peer in quickest(found, "peer"):
            yield own, peer, statistics.median(ratios(peer, own))


def behind(found: Found) -> Iterator[tuple[Row, Row, float]]:
    """Yield those of `pairs` in which we were slower, and how many times as long we took."""
    yield from ((own, peer, 1 / times) for own, peer, times in pairs(found) if round(times, 2) < 1)


def noise(found: Found) -> tuple[int, int, float]:
    """Return in how many rounds the machine was busy with something else, of how many, and the highest load."""
    rounds = found["rounds"]
    quickest = min(min(each["before"], each["after"]) for each in rounds)
    noisy = sum(max(each["before"], each["after"]) > NOISY * quickest for each in rounds)
    return noisy, len(rounds), max(each["load"] for each in rounds)


def noise_text(found: Found) -> str:
    """Return how busy the machine was, as a sentence."""
    noisy, rounds, load = noise(found)
    return (
        f"{rounds} round{'s' if rounds > 1 else ''}; in {noisy} the same hash loop took {NOISY:.2f} times its shortest "
        f"time or more; load at most {load:.1f}"
    )


def count_of(number: float) -> str:
    """Return a number as people read it."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def cells(found: Found) -> tuple[list[str], list[list[str]]]:
    """Return the heads of the columns of a table, and the cells of each row."""
    if found.get("base"):
        return multiples(found)
    own = of_kind(found, "ours")
    stored = any(row.get("objects") for row in found["rows"])
    heads = ["", f"{found['unit']} a second", "CPU s", "peak MB", *(["objects", "MB"] if stored else [])]
    if any(row["kind"] != "ours" for row in found["rows"]) or len(own) > 1:
        heads += [f"{each['name']} is … times as fast" for each in own]
    lines = []
    for row in found["rows"]:
        name = f"{row['name']} {row['version']}".strip()
        line = [name, count_of(rate(row)), f"{row['cpu']:.2f}", f"{row['peak'] / 1e6:.0f}"]
        if stored:
            line += [f"{row['objects']:,}", f"{row['bytes'] / 1e6:.0f}"] if row.get("objects") else ["", ""]
        line += [compared(row, each) if row is not each else "" for each in own] if len(heads) > len(line) else []
        lines.append(line)
    return heads, lines


def multiples(found: Found) -> tuple[list[str], list[list[str]]]:
    """Return the table of a contest in which times are compared with that of one contestant."""
    base = next(row for row in found["rows"] if row["name"] == found["base"])
    counted = any("instructions" in row for row in found["rows"])
    heads = ["", "ms", "least to most", "times the first", *(["million instructions"] if counted else [])]
    lines = []
    for row in found["rows"]:
        times = [1000 * each for each in row["seconds"]]
        share = statistics.median(own / first for own, first in zip(row["seconds"], base["seconds"], strict=True))
        line = [row["name"], f"{statistics.median(times):.0f}", f"{min(times):.0f}–{max(times):.0f}", f"{share:.2f}"]
        lines.append([*line, *([f"{row['instructions'] / 1e6:,.0f}"] if counted else [])])
    return heads, lines


def lookup_cells(found: Found) -> tuple[list[str], list[list[str]]]:
    """Return the table of lookups: of each, the median and the most of requests and bytes, and the median time."""
    lines = []
    for row in found["lookups"]:
        asked, read = row.get("requests"), row.get("bytes")
        lines.append([
            row["task"],
            *([f"{asked[1]:.0f}", f"{asked[2]:.0f}"] if asked else ["", ""]),
            *([f"{read[1] / 1000:.0f}", f"{read[2] / 1000:.0f}"] if read else ["", ""]),
            f"{row['seconds'][1]:.2f}",
        ])  # fmt: skip
    return ["", "requests", "most", "KB", "most", "seconds"], lines


def text_table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table for a terminal: the first column to the left, the others to the right."""
    widths = [max(len(line[at]) for line in [heads, *lines]) for at in range(len(heads))]
    rows = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in [heads, *lines]]
    return "\n".join("  ".join(row).rstrip() for row in rows)


def markdown_table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; columns of numbers are to the right."""
    numbers = [all(_is_number(line[at]) for line in lines) for at in range(len(heads))]
    rule = ["---:" if number else "---" for number in numbers]
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, rule, *lines])


def _is_number(cell: str) -> bool:
    return not cell.strip("*") or cell.strip("*")[0].isdigit()


def show(found: Found) -> str:
    """Return all of a contest as text."""
    left_out = "".join(f"\nnot measured: {name}: {why}" for name, why in found["left_out"].items())
    table = text_table(*cells(found)) if found["rows"] else ""
    return f"{found['work']}\n{table}\n{noise_text(found)}{left_out}\n"
