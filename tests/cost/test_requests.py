"""How many requests a run makes: the formulas beside the requests that an object store has counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin
from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tiles.cost.requests import Requests, Setup, add, idle, sequence, tiles_written
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.plan import plan

KINDS = {"PUT": "put", "GET": "get", "LIST": "list", "POST": "delete"}
WITHIN = 0.05


class Counted:
    """A log in buckets, and the requests of each call."""

    def __init__(self, command: Command, server: ObjectServer, *, anchor: bool) -> None:
        self.command, self.server = command, server
        self.writer = ("--key", "k", *(("--anchor", "s3://anchor/log") if anchor else ()))
        begin(command, LOG, PRIVATE, *self.writer)
        self.files = 0

    def __call__(self, *call: object) -> Requests:
        """Run a command, and return its requests."""
        before = len(self.server.requests)
        self.command.ok(*call, *self.writer)
        kinds = Counter(KINDS[one.kind] for one in self.server.requests[before:])
        return Requests(**dict(kinds))

    def new(self, entries: int = 1) -> list[str]:
        """Return new files, each of which is an entry."""
        names = [f"f{self.files + number}" for number in range(entries)]
        self.files += entries
        for name in names:
            Path(name).write_bytes(name.encode())
        return names

    def sequence(self, submissions: int, entries: int) -> Requests:
        """Submit, and return the requests of the run that logs it."""
        for _ in range(submissions):
            self.command.ok("submit", LOG, *self.new(entries), "--submitter", "ann")
        return self("sequence", LOG)


def check(got: Requests, said: Requests) -> None:
    """Check that a formula says what was counted, within 5 %; of few requests each counts."""
    for kind in KINDS.values():
        counted, computed = getattr(got, kind), getattr(said, kind)
        assert abs(counted - computed) <= WITHIN * counted, (kind, got, said)


@pytest.mark.parametrize("anchor", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_small_log(tiletree: Command, s3: ObjectServer, anchor: bool) -> None:
    """Idle runs, runs of one and of several submissions, and `add`, with and without an anchor in a bucket."""
    log, setup = Counted(tiletree, s3, anchor=anchor), Setup(anchor_in_bucket=anchor, kinds=())
    log.sequence(1, 1)
    check(log("sequence", LOG), idle(setup))
    check(log.sequence(1, 2), sequence(setup, 1, 2, 1))
    check(log("add", LOG, *log.new(300)), add(setup, 3, 300))
    check(log.sequence(2, 1), sequence(setup, 303, 2, 2))
    check(log("sequence", LOG), idle(setup))


@pytest.mark.slow
def test_a_log_with_an_index(tiletree: Command, s3: ObjectServer) -> None:
    """Each run looks in the index, and lets it follow; some runs end one of its units, and merge what is there."""
    log, setup = Counted(tiletree, s3, anchor=True), Setup()
    log("add", LOG, *log.new(16_000))
    tiletree.ok("index", "build", LOG, *log.writer)
    log("add", LOG, *log.new(500))
    got = said = Requests()
    size = 16_500
    for entries in [1, 500, 1, 700, 1, 3000, 1, 1, 4096, 2, 900, 40]:
        counted, computed = log("add", LOG, *log.new(entries)), add(setup, size, entries)
        check(counted, computed)
        got, said, size = got + counted, said + computed, size + entries
    check(log.sequence(3, 2), sequence(setup, size, 6, 3))
    check(got, said)


@pytest.mark.parametrize(
    ("base", "count"), [(0, 1), (1, 2), (3, 600), (255, 1), (256, 1), pytest.param(65_500, 100, marks=pytest.mark.slow)]
)
def test_which_tiles_a_batch_writes(base: int, count: int) -> None:
    """As many as the plan has objects."""
    edge = plan(EMPTY_EDGE, [b""] * base).edge if base else EMPTY_EDGE
    assert {tile.path for tile in tiles_written(base, base + count)} == set(plan(edge, [b""] * count).objects)
