"""Many runs of one witness at once, while the log grows, goes back and forks under them, and runs are killed.

No two cosignatures that anybody gets exclude each other, and what is published never becomes smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.object_server import ObjectServer
from tests.support.reference import printed_random
from tests.support.signed_text import ORIGIN, W1
from tests.support.witness_race import Looking, race_processes, race_threads
from tests.support.witnessing import Kept, ask, begun, check_row, witness
from tiles.notes.witness_messages import seen_path
from tiles.store import Version
from tiles.store.directory import DirectoryStore

SECONDS = 60.0
KEY = f"w/{seen_path(ORIGIN)}"  # in the bucket


class Careless(Kept):
    """A store that does not compare: the mistake that the race has to find."""

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace the object, whatever it is by now."""
        return self.inner.swap(path, data, None if expected is None else self.inner.read(path).version)


class Bucket:
    """Keeps each content that a request has written to a bucket, in its order: told by the server, under its lock."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.server = ObjectServer("s3", wrote=self._wrote)

    def _wrote(self, bucket: str, key: str) -> None:
        data = self.server.get(bucket, key)
        if key == KEY and data is not None:
            self.contents.append(data)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Look at nothing: all is told."""
        yield


def test_many_threads(tmp_path: Path) -> None:
    """For some seconds, with one store or with one of their own, of a log that shows either history to anybody."""
    begun(DirectoryStore(tmp_path / "seen"))
    looking = Looking((tmp_path / "seen" / seen_path(ORIGIN)).read_bytes)
    with looking.on():
        race_threads(lambda: DirectoryStore(tmp_path / "seen"), 1.0, printed_random())
    check_row(looking.contents)


def test_many_threads_on_a_bucket() -> None:
    """The same where the witness publishes in a bucket: each content that the bucket ever had is looked at."""
    from tests.support.object_server_stores import open_on

    bucket = Bucket()
    with bucket.server as server:
        begun(open_on(server, "bucket/w"))
        race_threads(lambda: open_on(server, "bucket/w"), 1.0, printed_random())
    assert len(bucket.contents) > 3
    check_row(bucket.contents)


def test_the_race_finds_a_store_that_does_not_compare() -> None:
    """Two that have both read the same object, and swap without comparing, publish two histories."""
    kept = Careless(begun())
    ask(witness(kept), 0, 50)
    contents: list[bytes] = []

    class Between(Careless):
        def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
            if not contents:
                contents.append(ask(witness(kept), 50, 200, "other").signed.data)
            return super().swap(path, data, expected)

    contents.append(ask(witness(Between(kept.inner)), 50, 200).signed.data)
    with pytest.raises(AssertionError, match="exclude each other"):
        check_row(contents, [W1])


@pytest.mark.slow
def test_many_processes_for_a_minute(tmp_path: Path) -> None:
    """Eight `tiletree witness run` at a time, some killed, of a server that shows either history."""
    looking = Looking((tmp_path / "seen" / seen_path(ORIGIN)).read_bytes)
    race_processes(tmp_path, str(tmp_path / "seen"), looking, SECONDS, printed_random())


@pytest.mark.slow
def test_many_processes_on_a_bucket_for_a_minute(tmp_path: Path) -> None:
    """The same in a bucket: each content that the bucket ever had is looked at."""
    bucket = Bucket()
    with bucket.server as server:
        race_processes(tmp_path, "s3://bucket/w", bucket, SECONDS, printed_random(), server.environment())
