"""Workers of a cluster: what is said of one that cannot be used. `tests/interop/test_dask.py` has a real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

import tiles.cluster
import tiles.workers
from tiles.cluster import at_cluster, parse_address
from tiles.errors import AccessError, UsageError
from tiles.version import __version__

URL = "dask://scheduler.example.com:8786"


class Killed(Exception):
    """What Dask raises if one worker after the other died with a job."""


class Gone(OSError):
    """What Dask raises if nobody answers."""


@dataclass
class Cluster:
    """A Dask cluster as far as we ask for one.

    versions   what each worker says of tiletree
    threads    of each worker
    executor   of the client
    """

    versions: dict[str, object] = field(default_factory=lambda: {"tcp://w:1": __version__, "tcp://w:2": __version__})
    threads: list[int] | None = field(default_factory=lambda: [2, 1])
    executor: Executor | None = None
    answers: bool = True
    closed: bool = False
    asked: tuple[str, dict[str, Any]] = ("", {})

    def client(self, address: str, **options: Any) -> Cluster:
        """Connect."""
        self.asked = address, options
        if not self.answers:
            raise Gone
        return self

    def wait_for_workers(self, _count: int, timeout: float) -> None:
        """Wait."""
        if not self.threads:
            raise TimeoutError(timeout)

    def run(self, function: Any, argument: str, on_error: str) -> dict[str, object]:
        """Ask each worker."""
        assert function(argument) == __version__
        assert on_error == "return"
        return self.versions

    def nthreads(self) -> dict[str, int]:
        """Count."""
        if self.threads is None:
            raise AttributeError("scheduler")  # which Dask raises once it has lost it
        return {f"tcp://w:{number}": count for number, count in enumerate(self.threads, 1)}

    def get_executor(self, *, pure: bool) -> Executor | None:
        """Return the executor."""
        assert not pure
        return self.executor

    def close(self, timeout: float) -> None:
        """Leave."""
        self.closed = timeout > 0


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Return a cluster, instead of Dask's own client."""
    with ThreadPoolExecutor(2) as threads:
        made = Cluster(executor=threads)
        fake = SimpleNamespace(
            Client=made.client,
            KilledWorker=Killed,
            comm=SimpleNamespace(CommClosedError=Gone),
            client=SimpleNamespace(ClosedClientError=Gone),
        )
        monkeypatch.setitem(sys.modules, "distributed", fake)  # type: ignore[arg-type]
        monkeypatch.setattr(tiles.workers, "_LOOK", 0.01)
        yield made


def use() -> list[int]:
    """Do some jobs."""
    with at_cluster(URL) as workers:
        return list(workers.each(range(9), here=lambda _: 0, there=abs))


def failing(error: BaseException | None) -> Executor:
    """Return an executor whose jobs all fail so; None: that never answers."""

    class Failing(Executor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if error is not None:
                future.set_exception(error)
            return future

    return Failing()


def test_jobs_go_to_the_cluster(cluster: Cluster) -> None:
    """As many jobs are done at a time as the cluster has threads, none of them here, and the client is left."""
    assert use() == list(range(9))
    assert cluster.asked[0] == "tcp://scheduler.example.com:8786"
    assert cluster.asked[1]["set_as_default"] is False
    assert cluster.closed
    with at_cluster(URL) as workers:
        assert (workers.count, workers.is_here, workers.helps) == (3, False, False)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (URL, "tcp://scheduler.example.com:8786"),
        ("dask+tls://scheduler:1", "tls://scheduler:1"),
        ("dask://127.0.0.1:8786/", "tcp://127.0.0.1:8786"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    """An address says which scheduler, and whether over TLS."""
    assert parse_address(url)[0] == address


@pytest.mark.parametrize(
    "url",
    ["", "dask:", "dask://host", "host:8786", "tcp://host:8786", "dask://host:x", "dask://host:99999", "dask://[::1",
     "dask://ann:secret@host:8786", "dask://host:8786/path", "dask://host:8786?secret", "ray://host:1"],
)  # fmt: skip
def test_no_addresses(url: str) -> None:
    """Anything else is a wrong call, whose text is not repeated."""
    with pytest.raises(UsageError, match="an executor is dask://HOST:8786") as caught:
        parse_address(url)
    assert "secret" not in str(caught.value)


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without distributed, it is said what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="distributed is needed") as caught:
        use()
    assert "pip install 'tiletree[dask]'" in caught.value.hint


def test_nobody_answers(cluster: Cluster) -> None:
    """A scheduler that cannot be reached, or that has no workers, is named, and what to start."""
    cluster.answers = False
    with pytest.raises(AccessError, match="no Dask scheduler answers at dask://scheduler") as caught:
        use()
    assert "dask scheduler" in caught.value.hint
    cluster.answers, cluster.threads = True, []
    with pytest.raises(AccessError, match="has no workers") as caught:
        use()
    assert caught.value.hint.endswith("`dask worker tcp://scheduler.example.com:8786`")
    assert cluster.closed


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (ModuleNotFoundError("No module named 'tiles'"), "tcp://w:2: No module named 'tiles'"),
        ("0.0.1", "has tiletree 0.0.1"),
    ],
)
def test_a_worker_that_cannot(cluster: Cluster, version: object, said: str) -> None:
    """A worker without tiletree, or with another version of it, is named before it gets a job."""
    cluster.versions["tcp://w:2"] = version
    with pytest.raises(AccessError, match=said):
        use()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Killed("abs"), "one worker after the other died"),
        (ModuleNotFoundError("No module named 'tiles'"), "a worker cannot do jobs of tiletree"),
        (AccessError("no such directory there"), "no such directory there"),
    ],
)
def test_jobs_that_cannot_be_done(cluster: Cluster, error: Exception, said: str) -> None:
    """What keeps a job from being done is said, and is never an endless wait."""
    cluster.executor = failing(error)
    with pytest.raises(AccessError, match=said):
        use()
    assert cluster.closed


@pytest.mark.parametrize("threads", [[], None])
def test_all_workers_are_gone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, threads: list[int] | None) -> None:
    """If there is no worker for a while, or no scheduler, the wait ends."""
    monkeypatch.setattr(tiles.cluster, "GIVE_UP", 0.05)
    cluster.executor = failing(None)
    with pytest.raises(AccessError, match="all workers are gone"), at_cluster(URL) as workers:  # noqa: PT012
        results = workers.each(range(9), here=abs, there=abs)
        cluster.threads = threads
        next(results)


def test_cancelled(cluster: Cluster) -> None:
    """A job that the scheduler gives up is no result."""
    executor = failing(None)
    future = executor.submit(abs, 1)
    future.cancel()
    future.set_running_or_notify_cancel()
    executor.submit = lambda *_, **__: future  # type: ignore[method-assign, assignment]
    cluster.executor = executor
    with pytest.raises(AccessError, match="given up"):
        use()
