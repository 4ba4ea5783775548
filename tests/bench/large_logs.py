"""The part of docs/performance.md on large logs: those that `make scale` built, and those that were computed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.plot import Panel, svg
from tests.bench.simulate_table import cells
from tests.bench.table import markdown_table

WATCHED = ("build", "audit", "mirror")  # the stages that go through all of the log
WHAT = {
    "build": "built, with an index of leaf hashes",
    "audit": "audited, on all cores",
    "prove": "1,000 proofs, each by a new client, and 1,000 by one",
    "search": "searched by leaf hash over HTTP that answers after 50 ms",
    "mirror": "mirrored",
    "delete": "deleted, once it was mirrored",
    "mirrored": "100 proofs from the mirror, each by a new client, and 100 by one",
}


def large_logs(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is known of large logs; nothing if nothing is."""
    if not sizes:
        return
    yield "## Large logs\n"
    yield (
        "`make scale` builds a log of entries of 100 bytes in a directory, by batches of 65,536, as `tiletree add` "
        "does, with an index of leaf hashes and no other, and then reads it in every way. Each stage is a process; "
        "memory is the resident memory of all processes "
        "of a stage together.\n"
    )
    heads = ["entries", "stage", "seconds", "CPU seconds", "peak MB"]
    lines = [
        [f"{one['entries']:,}", WHAT[name], *(f"{stage[key]:,.1f}" for key in ("seconds", "cpu")), megabytes(stage)]
        for one in sizes
        for name, stage in one["stages"].items()
        if name in WHAT and stage["found"] is not None
    ]
    yield markdown_table(heads, lines) + "\n"
    yield "![Memory over entries, and over the log's size](performance-memory.svg)\n"
    for one in sizes:
        hashing = "compiled" if "tiletree-native" in one["machine"] else "Python's"
        found = {name: stage["found"] for name, stage in one["stages"].items()}
        yield from _sentences(f"{one['entries']:,} entries, with {hashing} hashing", found)
        if "note" in one:
            yield f"Of {one['entries']:,} entries: {one['note']}.\n"
    simulated = [one["stages"]["simulate"]["found"]["sizes"] for one in sizes if "simulate" in one["stages"]]
    if simulated:
        yield "### Beyond one disk, computed\n"
        yield (
            "A log of entries that are all the same needs no storage: any of its tiles can be computed. So the code "
            "that plans a batch and the client that makes proofs work on a log of any size, with real hashes and "
            "signatures; only storage is missing. A batch has 65,536 entries.\n"
        )
        yield markdown_table(*cells(simulated[-1])) + "\n"


def _sentences(what: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was found in a log of a size."""
    parts = []
    if built := found.get("build"):
        parts.append(
            f"{built['log_objects']:,} objects of {built['log_bytes'] / 1e9:.2f} GB with the index, "
            f"{built['log_disk'] / 1e9:.2f} GB on disk"
        )
    if audited := found.get("audit"):
        parts.append(f"the audit has {audited['findings']} findings")
    if proven := found.get("prove"):
        parts.append(
            f"a proof by a new client reads {proven['tiles'][1]:.0f} tiles, at most {proven['tiles'][2]}, of "
            f"{proven['bytes_read'][1] / 1e3:.0f} KB, and takes {proven['ms']:.2f} ms of CPU; by a client that is kept "
            f"{proven['kept_tiles']:.2f} tiles and {proven['kept_ms']:.2f} ms"
        )
    parts += [
        f"{row['task']} takes {row['requests'][1]:.0f} requests, at most {row['requests'][2]:.0f}, "
        f"and {row['bytes'][1] / 1e3:.0f} KB"
        for row in (found.get("search") or {}).get("lookups", [])
    ]
    if copied := found.get("mirror"):
        parts.append(f"the mirror has {copied['mirror_objects']:,} objects of {copied['mirror_bytes'] / 1e9:.2f} GB")
    if parts:
        yield f"{what}: {'; '.join(parts)}.\n"


def plot(sizes: Sequence[Mapping[str, Any]]) -> str:
    """Return memory over the entries of the largest log, and its peak over the size of each."""
    if not sizes:
        return svg([])
    largest = sizes[-1]
    over: dict[str, list[tuple[float, float]]] = {}
    for name in WATCHED:
        stage = largest["stages"].get(name, {"samples": []})
        last = max((seconds for seconds, _, _ in stage["samples"]), default=1) or 1
        over[name] = [
            (entries if name == "build" else seconds / last * largest["entries"], memory / 1e6)
            for seconds, entries, memory in stage["samples"]
        ]
    peaks = {
        name: [(one["entries"], one["stages"][name]["peak"] / 1e6) for one in sizes if name in one["stages"]]
        for name in WATCHED
    }
    title = f"A log of {largest['entries']:,} entries"
    return svg([
        Panel(title, "entries so far (by time, but while it is built)", "MB", over),
        Panel("Peak, by the log's size", "entries of the log", "MB", peaks, logarithmic=True),
    ])  # fmt: skip


def megabytes(stage: Mapping[str, Any]) -> str:
    """Return the most memory that a stage took."""
    return f"{stage['peak'] / 1e6:.0f}" if stage["peak"] else ""
