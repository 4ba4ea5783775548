"""Options that say where hashes and keys of a whole log are computed, and what they open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import click

from tiletree.options import as_one

if TYPE_CHECKING:
    from tiles.workers import Workers


@dataclass(frozen=True)
class Spread:
    """Where a call computes: with so many jobs at a time on this machine, or on a cluster. None of both: all cores."""

    jobs: int | None = None
    executor: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError before anything is read."""
        if self.executor is not None:
            from tiles.cluster import parse_address

            parse_address(self.executor)
            if self.jobs is not None:
                raise click.UsageError("--jobs is of this machine, and --executor names others")

    def at_work(self, entries: int) -> AbstractContextManager[Workers]:
        """Return the workers for so many entries, for as long as the context lasts. Raises UsageError, AccessError."""
        if self.executor is not None:
            from tiles.cluster import at_cluster

            return at_cluster(self.executor)
        from tiles.native import compiled
        from tiles.workers import at_work

        return at_work(self.jobs, entries, native=compiled is not None)


class InTurns:
    """The workers of a call that reads several logs side by side: only one of these has them at a time."""

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._taken = Lock()

    @contextmanager
    def at_work(self, entries: int) -> Iterator[Workers]:
        """Return the workers for so many entries, for as long as the context lasts; if another log has them, none."""
        from tiles.workers import HERE

        if not self._taken.acquire(blocking=False):
            yield HERE
            return
        try:
            with self._spread.at_work(entries) as workers:
                yield workers
        finally:
            self._taken.release()

    def end(self) -> None:
        """End the processes of a log that is not waited for: one may be reading from a server that does not answer."""
        if self._taken.locked() and "multiprocessing" in sys.modules:
            from multiprocessing import active_children

            for process in active_children():
                process.terminate()


_jobs = click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="compute so many runs of 65,536 entries at a time  [default: one for each processor]",
)
jobs_option = as_one("spread", Spread, jobs=_jobs)
spread_options = as_one(
    "spread",
    Spread,
    jobs=_jobs,
    executor=click.option(
        "--executor", metavar="URL", help="compute on a Dask cluster, dask://HOST:8786: docs/scale.md"
    ),
)


def address_elsewhere(log: str) -> str:
    """Return the address of a log for those who run elsewhere: a directory by its whole path."""
    from tiles.store.address import Kind, existing_directory_of, kind_of

    if kind_of(log) in (Kind.HTTP, Kind.BUCKET, Kind.FSSPEC):
        return log
    return str(existing_directory_of(log).absolute())
