"""Measure publishing to an object store over TLS, against the same objects written with boto3 and s3fs.

The store is a program of ours (`go`), in memory, on this machine: it takes CPU from its clients, the same for all, and
most from the quickest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import urllib3

from tests.bench.contest import Contest, Contestant, hold
from tests.bench.peers import SAFE, no_native, ours
from tests.bench.processes import Figures, python, run_worker

HERE = Path(__file__).parent
ENTRIES, BATCH = 131_072, 65_536
PEERS = {"boto3": "boto3_threads", "s3fs": "s3fs_bulk"}
LIMITS = {"obstore alone": "obstore_alone", "planning alone": "planning"}
NEEDS = ("obstore", "boto3", "s3fs")
UNSAFE = "the same objects, without a commit"
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
    missing = [needed for needed in NEEDS if find_spec(needed) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def object_store_parts(rounds: int, share: float) -> list[dict[str, Any]]:
    """Measure every contestant in turns, at each latency."""
    if reason := left_out():
        work = "publish to an object store over TLS"
        print(f"not measured: {work}: {reason}\n")
        return [{"work": work, "unit": "entries", "base": "", "rounds": [], "rows": [], "left_out": {work: reason}}]
    entries = max(BATCH, int(ENTRIES * share))
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        program = build(Path(scratch))
        for latency in LATENCIES:
            with running(program, Path(scratch), latency) as server:
                found.append(hold(contest(server, latency, entries), rounds))
    return found


def contest(server: Server, latency: int, entries: int) -> Contest:
    """Return who writes to a server whose every answer takes so many milliseconds."""

    def write(worker: str, environment: dict[str, str], _turn: int) -> Figures:
        return measure(server, worker, entries, environment)

    found = [Contestant(way.name, partial(write, "tiletree", way.environment), "ours", SAFE) for way in ours()]
    for name, worker in PEERS.items():
        found.append(Contestant(name, partial(write, worker, {}), "peer", UNSAFE, version(name)))
    for name, worker in LIMITS.items():
        found.append(Contestant(name, partial(write, worker, {}), "limit", UNSAFE))
    store = f"an object store over TLS that answers after {latency} ms"
    work = f"publish {entries:,} entries of 200 bytes by batches of {BATCH:,} to {store}"
    return Contest(work, "entries", entries, found, no_native())


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


def measure(server: Server, worker: str, entries: int, environment: Mapping[str, str]) -> Figures:
    """Run one worker, and return its figures and the server's."""
    server.control("POST")
    command = python("tests.bench.object_store_workers", worker, entries, BATCH)
    figures = run_worker(command, {**server.environment, **environment})
    counted = server.control("GET")
    kept = {key: figures[key] for key in ("seconds", "cpu", "peak")}
    return kept | {
        "objects": counted["objects"],
        "bytes": counted["received"],
        "requests": sum(counted["requests"].values()),
    }
