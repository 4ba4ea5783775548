"""Measure publishing to an object store over TLS, against the same objects written with boto3 and s3fs.

The store is a program of ours (`go`), in memory, on this machine: it takes CPU from its clients, the same for all, and
most from the quickest. Called by bench.py; alone: `python object_store.py --help`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import urllib3

HERE = Path(__file__).parent
WORKERS = {
    "tiletree": "tiletree",
    "boto3": "boto3_threads",
    "s3fs": "s3fs_bulk",
    "obstore alone": "obstore_alone",
    "planning alone": "planning",
}
NEEDS = {"tiletree": "obstore", "boto3": "boto3", "s3fs": "s3fs", "obstore alone": "obstore"}
LATENCIES = (0, 30)  # milliseconds


@dataclass(frozen=True)
class Server:
    """A running server. environment: what tells AWS tools of it."""

    endpoint: str
    environment: Mapping[str, str]

    def control(self, method: str) -> dict[str, Any]:
        """GET: return the server's counts; POST: forget everything."""
        certificate = self.environment["AWS_CA_BUNDLE"]
        with urllib3.PoolManager(ca_certs=certificate) as pool:
            counts: dict[str, Any] = pool.request(method, f"{self.endpoint}/_control", timeout=60).json()
        return counts


def left_out() -> str:
    """Return why none of this can be measured; "" if it can."""
    if shutil.which("go") is None:
        return "there is no Go to build the server with"
    missing = sorted({needed for needed in NEEDS.values() if find_spec(needed) is None})
    return f"not installed: {', '.join(missing)}" if missing else ""


def object_store_rounds(entries: int, batch: int, rounds: int) -> list[dict[str, Any]]:
    """Measure every contestant in turns, at each latency; print tables and return a row for each."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        program = build(Path(scratch))
        for latency in LATENCIES:
            taken: dict[str, list[dict[str, Any]]] = {}
            with running(program, Path(scratch), latency) as server:
                for turn in range(rounds):
                    names = list(WORKERS)
                    for name in names[turn % len(names) :] + names[: turn % len(names)]:
                        taken.setdefault(name, []).append(measure(server, name, entries, batch))
            added = [row(name, latency, entries, batch, taken[name], taken["tiletree"]) for name in WORKERS]
            show(added)
            rows += added
    return rows


def build(directory: Path) -> Path:
    """Build the server."""
    program = directory / "server"
    environment = os.environ | {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=HERE / "go", env=environment, check=True)
    return program


@contextmanager
def running(program: Path, directory: Path, latency: int) -> Iterator[Server]:
    """Run the server, whose every answer takes so many milliseconds."""
    certificate = directory / f"certificate-{latency}.pem"
    command = [str(program), "-latency", f"{latency}ms", "-certificate", str(certificate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CA_BUNDLE": str(certificate),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench-secret",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        try:
            yield Server(endpoint, environment)
        finally:
            process.stdin.close()  # it ends then


def measure(server: Server, name: str, entries: int, batch: int) -> dict[str, Any]:
    """Run one worker, and return its figures and the server's."""
    server.control("POST")
    command = [sys.executable, str(HERE / "object_store_workers.py"), WORKERS[name], str(entries), str(batch)]
    environment = {**os.environ, **server.environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures | server.control("GET")


def row(
    name: str, latency: int, entries: int, batch: int, figures: list[dict[str, Any]], ours: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the medians of a contestant, and how many times as fast as it tiletree was, round by round."""

    def median(key: str) -> float:
        return statistics.median(each[key] for each in figures)

    objects = figures[-1]["objects"] or 1
    requests = sum(figures[-1]["requests"].values())
    ratios = [theirs["seconds"] / own["seconds"] for theirs, own in zip(figures, ours, strict=True)]
    return {
        "task": "publish to S3",
        "name": name,
        "latency_ms": latency,
        "entries": entries,
        "batch": batch,
        "entries_per_second": round(entries / median("seconds")),
        "uploads_per_second": round(objects / median("upload_seconds")) if figures[-1]["objects"] else None,
        "upload_cpu_ms_per_object": round(1000 * median("upload_cpu") / objects, 3) if requests else None,
        "cpu_seconds": median("cpu"),
        "requests": requests,
        "requests_per_1000_entries": round(1000 * requests / entries, 2),
        "objects": figures[-1]["objects"],
        "bytes": figures[-1]["received"],
        "peak_bytes": max(each["peak"] for each in figures),
        "tiletree_is_times_as_fast": [round(ratio, 2) for ratio in ratios],
    }


def show(rows: list[dict[str, Any]]) -> None:
    """Print the rows of one latency as a table."""
    first = rows[0]
    print(f"publish over TLS to an object store that answers after {first['latency_ms']} ms, "
          f"{first['entries']} entries in batches of {first['batch']}")  # fmt: skip
    print(f"  {'':<14} {'entries/s':>10} {'objects/s':>10} {'CPU ms/object':>13} {'requests/1000':>13} {'peak MB':>8}"
          "   tiletree is … times as fast")  # fmt: skip
    for line in rows:
        ratios = line["tiletree_is_times_as_fast"]
        compared = f"{statistics.median(ratios):.2f}  ({min(ratios)} to {max(ratios)})"
        print(f"  {line['name']:<14} {line['entries_per_second']:>10,} {line['uploads_per_second'] or '':>10} "
              f"{line['upload_cpu_ms_per_object'] or '':>13} {line['requests_per_1000_entries'] or '':>13} "
              f"{line['peak_bytes'] / 1e6:>8.0f}   {compared if line['name'] != 'tiletree' else ''}")  # fmt: skip
    print()


def main() -> None:
    """Measure this alone."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=524_288)
    parser.add_argument("--batch", type=int, default=65_536)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if reason := left_out():
        sys.exit(f"nothing can be measured: {reason}")
    rows = object_store_rounds(options.entries, options.batch, options.rounds)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
