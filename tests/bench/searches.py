"""Measure what finding things in a large log reads and takes, over HTTP with a delay: part of `make bench`.

A log of digest entries is made, with the indexes that a command keeps. Each lookup is a command in a process of its
own, which begins with nothing kept; a server on this machine waits before each answer, counts requests and bytes, and
answers requests for a part.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bench.given import ORIGIN, SEED
from tests.bench.table import lookup_cells, text_table
from tests.bench.workers import log_parts
from tiles.entries.file_digest import DigestEntry

DELAY = 0.05  # seconds before each answer
BATCH = 65_536
ENTRIES = 1_000_000
TIMES = 10  # of each lookup
MANY = 100_000  # entries are added of which every other one is there


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        self.directory, self.requests, self.sent, self.lock = directory, 0, 0, threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_given: Any) -> None:
        """Say nothing: a command that has its answer hangs up."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with an object, or with the part that was asked for."""
        time.sleep(DELAY)
        path = self.server.directory / self.path.partition("?")[0].lstrip("/")
        status, body, place = (200, path.read_bytes(), "") if path.is_file() else (404, b"not found\n", "")
        if status == 200 and (wanted := self.headers.get("Range")):
            first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
            status, place = 206, f"bytes {first}-{min(last, len(body) - 1)}/{len(body)}"
            body = body[first : last + 1]
        with self.server.lock:
            self.server.requests += 1
            self.server.sent += len(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if place:
            self.send_header("Content-Range", place)
        self.end_headers()
        self.wfile.write(body)


def entry(index: int) -> bytes:
    """Return an entry of the log: the digest of a file that nobody has."""
    return DigestEntry(digest(index), index).data


def digest(index: int) -> str:
    """Return the SHA-256 that the entry has, in hex."""
    return hashlib.sha256(b"%d" % index).hexdigest()


def make_log(directory: Path, entries: int) -> None:
    """Make the log, and its indexes of three kinds."""
    from tiles.log import Log

    log = Log(*log_parts(directory))
    log.create()
    for start in range(0, entries, BATCH):
        log.append([entry(index) for index in range(start, min(start + BATCH, entries))])
        log.update_index(more=True)
    if problem := log.update_index():
        sys.exit(problem)


@contextmanager
def served(directory: Path) -> Iterator[_Server]:
    """Serve the log."""
    server = _Server(directory / "log")
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def lookups(server: _Server, entries: int, times: int, scratch: Path) -> list[dict[str, Any]]:
    """Run every kind of lookup so many times; return a row for each."""
    from tiles.notes.keys import signing_key

    vkey = signing_key(ORIGIN, SEED).verifier.vkey
    tail = entries % 4096 or 4096
    spread = [index * entries // times + 1 for index in range(times)]
    asked = {
        "first hit by digest": (0, [["get", f"sha256:{digest(index)}"] for index in spread]),
        "first hit by digest, in the tail": (0, [["get", f"sha256:{digest(entries - 1 - i % tail)}"] for i in spread]),
        "all hits by digest, proven": (0, [["search", "--sha256", digest(index)] for index in spread]),
        "none by digest, proven": (8, [["search", "--sha256", digest(-1 - index)] for index in spread]),
        "none by leaf, proven": (8, [["search", "--leaf", digest(-1 - index)] for index in spread]),
        "none by name, proven": (8, [["search", "--name", f"{index}.whl"] for index in spread]),
    }
    rows = []
    for name, (code, calls) in asked.items():
        taken = [ask(server, [call[0], server.url, *call[1:], "--vkey", vkey], code, scratch) for call in calls]
        rows.append({"task": name, "entries": entries} | summary(taken))
    return rows


def ask(server: _Server, arguments: list[str], code: int, scratch: Path) -> dict[str, float]:
    """Run a command that reads from the server, and return what it took; it has to end with this code."""
    server.requests = server.sent = 0
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "tiletree", *arguments], capture_output=True, check=False,
                          env={**os.environ, "XDG_CONFIG_HOME": str(scratch), "XDG_CACHE_HOME": str(scratch),
                               "XDG_STATE_HOME": str(scratch)})  # fmt: skip
    if done.returncode != code:
        sys.exit(f"tiletree {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return {"requests": server.requests, "bytes": server.sent, "seconds": time.perf_counter() - started}


def summary(taken: list[dict[str, float]]) -> dict[str, Any]:
    """Return the least, the median and the most of each figure."""
    return {
        what: [min(figures), statistics.median(figures), max(figures)]
        for what in ("requests", "bytes", "seconds")
        if (figures := [one[what] for one in taken])
    }


class _Reads:
    """A store that keeps a list of the objects that were read."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("read", "read_range"):
            return method

        def counted(path: str, *given: Any, **named: Any) -> Any:
            self.asked.append(path)
            return method(path, *given, **named)

        return counted


def once(directory: Path, entries: int) -> list[dict[str, Any]]:
    """Add one file that is there, one that is not, and many of which half are there; return a row for each."""
    from tiles.log import Log

    rows = []
    for name, added in (("once: one that is there", entry(1)), ("once: one that is new", entry(-1))):
        public, *others = log_parts(directory)
        reads = _Reads(public)
        log = Log(reads, *others)
        started = time.perf_counter()
        log.append([added], once=True)
        seconds = time.perf_counter() - started
        read = len(set(reads.asked))
        rows.append({"task": name, "entries": entries, "seconds": [seconds] * 3, "requests": [read] * 3,
                     "of the index": sum(path.startswith("index/") for path in reads.asked)})  # fmt: skip
    half = [entry(index if index % 2 else entries + index) for index in range(min(MANY, entries))]
    log = Log(*log_parts(directory))
    started = time.perf_counter()
    indexes: list[int] = []
    for start in range(0, len(half), BATCH):
        indexes += log.append(half[start : start + BATCH], once=True).indexes
    seconds = time.perf_counter() - started
    new = iter(range(entries + 1, entries + 1 + len(half)))
    if indexes != [index if index % 2 else next(new) for index in range(len(half))]:
        sys.exit("once: wrong indexes")
    rows.append({"task": f"once: {len(half):,}, half there", "entries": entries, "seconds": [seconds] * 3,
                 "entries_per_second": round(len(half) / seconds)})  # fmt: skip
    return rows


def search_parts(directory: Path, share: float) -> list[dict[str, Any]]:
    """Make a log, look for things in it, add to it."""
    directory.mkdir()
    entries = int(ENTRIES * share)
    make_log(directory, entries)
    with served(directory) as server:
        rows = lookups(server, entries, TIMES, directory / "user")
    rows += once(directory, entries)
    found = {"work": f"searches in {entries:,} digest entries, over HTTP that answers after {DELAY * 1000:.0f} ms",
             "lookups": rows}  # fmt: skip
    print(f"{found['work']}\n{text_table(*lookup_cells(found))}\n")
    return [found]
