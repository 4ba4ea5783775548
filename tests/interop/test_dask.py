"""A real Dask cluster: scheduler and two workers, processes each, of which one is killed while it computes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket
from threading import Event
from typing import Any

import pytest

from tests.interop.environments import installed
from tests.support.audits import changed, gone, last_bit, log
from tests.support.fault_server import Handler, Server, serving
from tests.support.signed_text import LOG
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.tree.layout import ENTRIES, Tile

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
RUNS = 4
SIZE = RUNS * 65_536 + 300
DAMAGED = {"tile/entries/x001/000": last_bit, "tile/0/003": gone, "tile/1/002": last_bit, "tile/entries/007": gone}
HELD = [Tile(ENTRIES, run * 256 + 100).path for run in (0, 1)]  # in the middle of the first two runs
_WAIT = 30  # seconds


@dataclass
class Cluster:
    """Where it is, and its workers."""

    python: Path
    environment: dict[str, str]
    directory: Path
    port: int
    workers: list[subprocess.Popen[bytes]]

    @property
    def url(self) -> str:
        """What `--executor` is given."""
        return f"dask://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command."""
        command = [str(self.python), "-m", "tiletree", *arguments, "--json"]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self.environment, cwd=self.directory, **output)  # type: ignore[call-overload, no-any-return]

    def tiletree(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run the command, and return its document."""
        return ended(self.start(*arguments), code)


def ended(process: subprocess.Popen[bytes], code: int) -> dict[str, Any]:
    """Return the document of a command that ends with an exit code."""
    output, errors = process.communicate(timeout=4 * _WAIT)
    assert process.returncode == code, errors.decode()
    document: dict[str, Any] = json.loads(output)
    return document


@contextmanager
def running(*command: str, env: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block is left."""
    with (cwd / "output").open("ab") as output:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Return a cluster of two workers, each with one thread."""
    python = installed("dask")
    own = {"PYTHONPATH": f"{ROOT}:{ROOT / 'cmd'}", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dask = str(python.parent / "dask")
    with ExitStack() as stack:
        scheduler = (dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        stack.enter_context(running(*scheduler, env=own, cwd=tmp_path))
        until = time.monotonic() + _WAIT
        while True:
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, (tmp_path / "output").read_text()
                time.sleep(0.05)
        worker = (dask, "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        workers = [stack.enter_context(running(*worker, env=own, cwd=tmp_path)) for _ in range(2)]
        code = f"from distributed import Client; Client('tcp://127.0.0.1:{port}').wait_for_workers(2, timeout={_WAIT})"
        subprocess.run([str(python), "-c", code], env=own, check=True, timeout=2 * _WAIT)
        yield Cluster(python, own, tmp_path, port, workers)


@pytest.fixture
def damaged() -> Iterator[Server]:
    """Serve a log in which objects are damaged and missing."""
    tree, objects = log(SIZE)
    signed = sign_checkpoint(Checkpoint(LOG.name, tree), LOG).data
    with serving({**changed(objects, *DAMAGED.items()), "checkpoint": signed}) as server:
        yield server


def test_a_worker_is_killed(cluster: Cluster, damaged: Server) -> None:
    """Its runs are done again by the other one: findings, and their order, are those of one process."""
    audit = ("audit", damaged.url, "--vkey", LOG.verifier.vkey)
    alone = cluster.tiletree(*audit, "--jobs", "1", code=1)
    assert sorted(finding["path"] for finding in alone["findings"]) == sorted(DAMAGED)

    reached, go_on = {path: Event() for path in HELD}, Event()

    def hold(handler: Handler) -> None:
        path = handler.path.removeprefix("/")
        reached[path].set()
        assert go_on.wait(_WAIT)
        handler.send(200, handler.server.objects[path])

    damaged.script = {f"/{path}": [hold] for path in HELD}
    damaged.requests.clear()
    process = cluster.start(*audit, "--executor", cluster.url)
    for event in reached.values():  # each worker has one thread: both are in the middle of a run
        assert event.wait(_WAIT), (cluster.directory / "output").read_text()
    cluster.workers[0].send_signal(signal.SIGKILL)
    cluster.workers[0].wait()
    go_on.set()
    assert ended(process, 1) == alone
    asked = [path for path, _ in damaged.requests]
    assert sorted(asked.count(f"/{path}") for path in HELD) == [1, 2]


def test_import_and_index(cluster: Cluster) -> None:
    """What a cluster has read, checked and computed is the same log, and the same index."""
    tree, objects = log(SIZE)
    signed = sign_checkpoint(Checkpoint(LOG.name, tree), LOG).data
    cluster.tiletree("init", "copy", "--origin", "copy.example.com", "--key", "key")
    with serving({**objects, "checkpoint": signed}) as server:
        source = (server.url, "copy", "--vkey", LOG.verifier.vkey, "--key", "key")
        imported = cluster.tiletree("import", *source, "--executor", cluster.url)
    assert (imported["size"], imported["root"]) == (SIZE, tree.root.hex())
    heads = {}
    for jobs in (("--executor", cluster.url), ("--jobs", "1")):
        (place := cluster.directory / jobs[0].strip("-")).mkdir()
        source = ("copy", str(place), "--vkey", imported_key(cluster), "--kind", "leaf/1", "--kind", "name/1")
        cluster.tiletree("index", "build", *source, "--key", "key", *jobs)
        heads[jobs[0]] = {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert heads["--executor"] == heads["--jobs"]


def imported_key(cluster: Cluster) -> str:
    """Return the key of the copy."""
    vkey: str = cluster.tiletree("key", "show", "key")["vkey"]
    return vkey


def test_nobody_is_left(cluster: Cluster) -> None:
    """A cluster that has lost its workers, or a scheduler that is not there, is exit code 3, and says what to do."""
    for worker in cluster.workers:
        worker.kill()
        worker.wait()
    folder = cluster.directory / "log"
    tree, objects = log(300)
    signed = sign_checkpoint(Checkpoint(LOG.name, tree), LOG).data
    for path, data in {**objects, "checkpoint": signed}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    audit = ("audit", "log", "--vkey", LOG.verifier.vkey, "--executor")
    found = cluster.tiletree(*audit, cluster.url, code=3)
    assert "has no workers" in found["error"]["message"]
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = cluster.tiletree(*audit, f"dask://127.0.0.1:{unused.getsockname()[1]}", code=3)
    assert "no Dask scheduler answers" in found["error"]["message"]
