"""A log on Google Cloud, as terraform/gcp makes it: its service and its job as processes, with the rights they have.

What is not exercised here is said in terraform/gcp/README.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.cloud_run import EVERYONE, KEY, OPERATOR, SEQUENCER, SUBMITTER, Cloud, Service
from tests.support.check_log import published
from tests.support.object_server_stores import open_on
from tests.terraform.log_objects import NOTHING, ROWS, Row
from tests.terraform.modules import TERRAFORM

pytestmark = pytest.mark.interop

KILLED = 6  # runs


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Buckets without a log."""
    with Cloud(str(tmp_path)) as cloud:
        yield cloud


@pytest.fixture
def log(cloud: Cloud) -> Cloud:
    """The same with a log, begun by the sequencer as README.md says."""
    cloud.ok(SEQUENCER, "init", cloud.log, "--origin", KEY.verifier.name, "--no-page")
    return cloud


def check(cloud: Cloud, submitted: list[str]) -> None:
    """All that was submitted is logged once, and nothing else; nothing waits; the public sees a log that is whole."""
    public, private = (open_on(cloud.server, cloud.buckets[part], who=OPERATOR) for part in ("public", "private"))
    found = published(public, KEY.verifier)
    assert found is not None
    assert Counter(found[1]) == Counter(line.encode() for line in submitted)
    left = [listed.path for listed in private.list("") if listed.path.startswith(("inbox/", "staging/"))]
    assert left == []
    seen = f"{cloud.server.url}/{cloud.buckets['public']}"
    assert cloud.ok(EVERYONE, "audit", seen, "--vkey", KEY.verifier.vkey)["findings"] == []


class Lines:
    """What was submitted."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.all: list[str] = []

    def submit(self, count: int = 3) -> None:
        """Submit some more lines."""
        lines = [f"line {number}" for number in range(len(self.all), len(self.all) + count)]
        self.cloud.submit(lines)
        self.all += lines


# ---- rights


def test_nobody_does_more_than_that(cloud: Cloud) -> None:
    """Requests of each on every kind of object: what is not allowed is refused, and changes nothing."""
    refused: Counter[str] = Counter()
    for row in ROWS:
        bucket = cloud.buckets[row.part]
        for who in (SEQUENCER, SUBMITTER, EVERYONE, OPERATOR):
            wanted = what(who, row)
            for request in ("create", "overwrite", "delete"):
                cloud.server.put(bucket, row.path, b"there")
                if request == "create":
                    cloud.server.remove(bucket, row.path)
                is_done = do(cloud, who, request, bucket, row.path)
                assert is_done == (request in wanted), (who, request, row)
                refused[who] += not is_done
                there = cloud.server.get(bucket, row.path)
                assert there == {"create": None, "overwrite": b"there", "delete": b"there"}[request] or is_done
    print(f"\nrefused, of {3 * len(ROWS)} requests each: {dict(refused)}")


def what(who: str, row: Row) -> frozenset[str]:
    """Return what somebody is to be able to do with an object."""
    if who == SEQUENCER:
        return row.may
    if who == OPERATOR and row.part != "anchor":
        return frozenset({"create", "overwrite", "delete"})
    return frozenset({"create"}) if who == SUBMITTER and row.path.startswith("inbox/ci/") else NOTHING


def do(cloud: Cloud, who: str, request: str, bucket: str, path: str) -> bool:
    """Send a request as somebody, and return whether it was allowed."""
    method = "DELETE" if request == "delete" else "PUT"
    return cloud.request(who, method, f"{bucket}/{path}") < 400


def test_operators_look_after_the_log_and_sign_nothing(log: Cloud) -> None:
    """They repair, collect garbage and put the page there; the key is refused to them, and nothing is logged."""
    lines = Lines(log)
    lines.submit()
    log.ok(SEQUENCER, "sequence", log.log)
    log.server.put(log.buckets["public"], "tile/0/000.p/3", bytes(96))
    assert log.ok(OPERATOR, "repair", log.log, "--vkey", KEY.verifier.vkey)["replaced"]
    for command in ("gc", "page"):
        log.ok(OPERATOR, command, log.log)
    log.submit(["one more line"])
    refused = log.tiletree(OPERATOR, "sequence", log.log, "--key", log.kms.place(log.key))
    assert (refused.returncode, "no credentials were found" in refused.stderr) == (3, True)
    found = published(open_on(log.server, log.buckets["public"], who=OPERATOR), KEY.verifier)
    assert found is not None
    assert len(found[1]) == len(lines.all)


# ---- the service and the job


def test_doubled_runs_lose_nothing(log: Cloud) -> None:
    """Two services and the job at once, called twice each: whoever is late finds nothing left to do."""
    lines = Lines(log)
    with log.service() as one, log.service() as other, ThreadPoolExecutor(6) as workers:
        for _ in range(3):
            for _ in range(4):
                lines.submit()
            calls = [workers.submit(service.call) for service in (one, one, other, other)]
            job = workers.submit(log.tiletree, SEQUENCER, "sequence", log.log, "--json")
            assert {call.result() for call in calls} <= {200, 429}
            assert job.result().returncode == 0, job.result()
        assert one.call() == 200
    check(log, lines.all)


def requests_of(log: Cloud, service: Service) -> tuple[int, int, int]:
    """Return how many lists, writes and reads a run of the service takes."""
    before = len(log.server.requests)
    assert service.call() == 200
    kinds = Counter(each.kind for each in log.server.requests[before:])
    return kinds["LIST"], kinds["PUT"], kinds["GET"] + kinds["HEAD"]


def test_a_run_costs_what_the_page_says(log: Cloud) -> None:
    """The requests of a run on an empty inbox, and of one with work, are those that terraform/gcp/README.md counts."""
    text = " ".join((TERRAFORM / "gcp" / "README.md").read_text(encoding="utf-8").split())
    found = re.search(
        r"empty inbox is (\d+) lists and (\d+) reads, a run with work is (\d+) lists, (\d+) writes, (\d+) reads, "
        r"and one read more for each submission",
        text,
    )
    assert found is not None
    lists, reads, lists_with_work, writes, reads_with_work = map(int, found.groups())
    lines = Lines(log)
    with log.service() as service:
        lines.submit()
        requests_of(log, service)  # the first run of a day keeps one checkpoint more
        assert requests_of(log, service) == (lists, 0, reads)
        for _ in range(5):
            lines.submit()
        assert requests_of(log, service) == (lists_with_work, writes, reads_with_work + 5)


def test_killed_runs_lose_nothing(log: Cloud) -> None:
    """A service that is killed while its run goes on, each time later: the next one, and the job at last, finish it."""
    lines = Lines(log)
    lines.submit()
    with log.service() as service:
        before = log.moments
        assert service.call() == 200
        moments = log.moments - before
    assert moments > 40
    for point in range(KILLED):
        lines.submit()
        with log.service() as service:
            log.doom(service, moments * point // KILLED)
            assert service.call() == 0
            assert service.process.wait(60) == -9
    assert log.tiletree(SEQUENCER, "sequence", log.log, "--json").returncode == 0
    check(log, lines.all)
