"""Many runs of one witness at once, while the log grows, goes back and forks under them, and runs are killed.

No two cosignatures that anybody gets exclude each other, and what is published never becomes smaller.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support.fault_server import serving
from tests.support.readers import Objects, make_log
from tests.support.reference import printed_random
from tests.support.signed_text import LOG, ORIGIN, W1
from tests.support.witnessing import (
    OURS,
    SHARED,
    TAGS,
    Evidence,
    Kept,
    ask,
    begun,
    check_one_history,
    check_row,
    witness,
)
from tiles.errors import TilesError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import parse_skey
from tiles.notes.witness_messages import seen_path
from tiles.retry import Clock
from tiles.store import Version
from tiles.store.directory import DirectoryStore
from tiles.tree.merkle import TreeHead
from tiles.watch.witness import Cosigned, Prove, Witness, WitnessedLog
from tiles.watch.witness_run import visit

AT_ONCE = 8
SIZES = (1, 40, SHARED, SHARED + 1, 150, 200, 255, 256, 257, 300)


def shown(chance: random.Random, most: int) -> dict[str, bytes]:
    """Return the log as it is shown to somebody: of any size so far, in either history."""
    size = chance.choice([size for size in SIZES if size <= most])
    return make_log(size, tag=chance.choice(TAGS), same_up_to=SHARED)


class Looking:
    """Reads what is published, all the time, and keeps every content once, in its order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents: list[bytes] = []
        self._ended = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.is_set():
            with suppress(FileNotFoundError):
                data = self.path.read_bytes()
                if self.contents[-1:] != [data]:
                    self.contents.append(data)
            time.sleep(0.0005)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Look."""
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()


class Careless(Kept):
    """A store that does not compare: the mistake that the race has to find."""

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Replace the object, whatever it is by now."""
        return self.inner.swap(path, data, None if expected is None else self.inner.read(path).version)


class Told(Witness):
    """A witness that keeps what it has given out."""

    given: list[TreeHead]

    def cosign(self, log: WitnessedLog, signed: SignedCheckpoint, prove: Prove) -> Cosigned:
        """Cosign."""
        done = super().cosign(log, signed, prove)
        self.given.append(done.signed.tree)
        return done


def test_many_threads(tmp_path: Path) -> None:
    """For some seconds, with one store or with one of their own, of a log that shows either history to anybody."""
    seconds, chance = 1.5, printed_random()
    begun(DirectoryStore(tmp_path / "seen"))
    until = time.monotonic() + seconds
    shared = DirectoryStore(tmp_path / "seen")

    def runs(seed: float) -> list[TreeHead]:
        own = random.Random(seed)
        one = Told((W1,), own.choice([shared, DirectoryStore(tmp_path / "seen")]), Evidence(), Clock())
        one.given = []
        while (left := until - time.monotonic()) > 0:
            most = SIZES[min(len(SIZES) - 1, int((1 - left / seconds) * len(SIZES) * 1.5))]
            with suppress(TilesError):
                visit(one, OURS, Objects(shown(own, most)), Evidence())
        assert all(before.size <= after.size for before, after in pairwise(one.given))
        return one.given

    looking = Looking(tmp_path / "seen" / seen_path(ORIGIN))
    with looking.on(), ThreadPoolExecutor(AT_ONCE) as threads:
        given = [tree for each in threads.map(runs, [chance.random() for _ in range(AT_ONCE)]) for tree in each]
    assert len(given) > AT_ONCE
    check_one_history(given)
    check_row(looking.contents)


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
    chance = printed_random()
    config = tmp_path / "w.conf"
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def call(*words: str) -> list[str]:
        return [sys.executable, "-m", "tiletree", "witness", *words]

    path = tmp_path / "seen" / seen_path(ORIGIN)
    init = call("init", str(config), "--name", "w.example.com", "--state", "seen")
    subprocess.run(init, check=True, env=environment, capture_output=True)
    codes: dict[int, int] = {}
    with serving(make_log(1)) as server:
        begin = call("begin", str(config), server.url, "--vkey", LOG.verifier.vkey)
        subprocess.run(begin, check=True, env=environment, capture_output=True)
        until = time.monotonic() + 60
        looking = Looking(path)

        def runs(number: int) -> None:
            own = random.Random(chance.random() + number)
            while (left := until - time.monotonic()) > 0:
                server.objects = shown(own, SIZES[min(len(SIZES) - 1, int((60 - left) / 60 * len(SIZES) * 1.5))])
                with subprocess.Popen(
                    call("run", str(config)), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                ) as process:
                    if own.random() < 0.2:
                        time.sleep(own.random() * 2)
                        process.send_signal(signal.SIGKILL)
                    _, err = process.communicate(timeout=120)
                codes[process.returncode] = codes.get(process.returncode, 0) + 1
                assert process.returncode in (0, 1, 3, 7, -signal.SIGKILL), err

        with looking.on(), ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(runs, range(AT_ONCE)))
    trees = check_row(looking.contents, [parse_skey((tmp_path / "w.conf.ed25519.key").read_text().strip())])
    assert trees[-1].size > SHARED
    assert codes[0] > 5
    assert codes.get(7, 0) > 5
    print(codes, len(trees))
