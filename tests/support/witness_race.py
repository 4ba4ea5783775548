"""Many runs of one witness at once, while the log grows, goes back and forks under them, and runs are killed.

They are run in threads or in processes, wherever the witness keeps what it publishes; what has to hold is the same.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from tests.support.fault_server import serving
from tests.support.readers import Objects, make_log
from tests.support.signed_text import LOG, W1
from tests.support.witnessing import OURS, SHARED, TAGS, Evidence, check_one_history, check_row
from tiles.errors import AccessError, TilesError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import parse_skey
from tiles.retry import Clock
from tiles.store import Store
from tiles.tree.merkle import TreeHead
from tiles.watch.witness import Cosigned, Prove, Witness, WitnessedLog
from tiles.watch.witness_run import visit

AT_ONCE = 8
SIZES = (1, 40, SHARED, SHARED + 1, 150, 200, 255, 256, 257, 300)


def shown(chance: random.Random, most: int) -> dict[str, bytes]:
    """Return the log as it is shown to somebody: of any size so far, in either history."""
    size = chance.choice([size for size in SIZES if size <= most])
    return make_log(size, tag=chance.choice(TAGS), same_up_to=SHARED)


def most_at(left: float, seconds: float) -> int:
    """Return the size that the log has at most when so much of the time is left."""
    return SIZES[max(0, min(len(SIZES) - 1, int((1 - left / seconds) * len(SIZES) * 1.5)))]


class Published(Protocol):
    """What keeps the contents that a witness has published, in their order, while it is on."""

    contents: list[bytes]

    def on(self) -> AbstractContextManager[None]:
        """Begin, and end with the block."""


class Looking:
    """Reads what is published, all the time, and keeps every content once, in its order."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self.contents: list[bytes] = []
        self._ended = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.is_set():
            with suppress(FileNotFoundError, AccessError):
                data = self._read()
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


class Told(Witness):
    """A witness that keeps what it has given out."""

    given: list[TreeHead]

    def cosign(self, log: WitnessedLog, signed: SignedCheckpoint, prove: Prove) -> Cosigned:
        """Cosign."""
        done = super().cosign(log, signed, prove)
        self.given.append(done.signed.tree)
        return done


def race_threads(open_store: Callable[[], Store], seconds: float, chance: random.Random) -> list[TreeHead]:
    """Let runs in threads share one store, or have one each; return all that they gave out, which is of one history."""
    shared, until = open_store(), time.monotonic() + seconds

    def runs(seed: float) -> list[TreeHead]:
        own = random.Random(seed)
        one = Told((W1,), shared if own.random() < 0.5 else open_store(), Evidence(), Clock())
        one.given = []
        while (left := until - time.monotonic()) > 0:
            with suppress(TilesError):
                visit(one, OURS, Objects(shown(own, most_at(left, seconds))), Evidence())
        assert all(before.size <= after.size for before, after in pairwise(one.given))
        return one.given

    with ThreadPoolExecutor(AT_ONCE) as threads:
        given = [tree for each in threads.map(runs, [chance.random() for _ in range(AT_ONCE)]) for tree in each]
    assert len(given) > AT_ONCE
    check_one_history(given)
    return given


def race_processes(
    directory: Path,
    state: str,
    published: Published,
    seconds: float,
    chance: random.Random,
    environment: Mapping[str, str] = {},
) -> Counter[int]:
    """Let `tiletree witness run` be called many times at once, some of them killed; return how often each ended how.

    state       where the witness publishes
    published   what that was
    """
    config = directory / "w.conf"
    homes = {name: str(directory / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    env = {**os.environ, **homes, **environment}

    def call(*words: str) -> list[str]:
        return [sys.executable, "-m", "tiletree", "witness", *words]

    init = call("init", str(config), "--name", "w.example.com", "--state", state)
    subprocess.run(init, check=True, env=env, capture_output=True)
    codes: Counter[int] = Counter()
    with serving(make_log(1)) as server:
        begin = call("begin", str(config), server.url, "--vkey", LOG.verifier.vkey)
        subprocess.run(begin, check=True, env=env, capture_output=True)
        until = time.monotonic() + seconds

        def runs(number: int) -> None:
            own = random.Random(chance.random() + number)
            while (left := until - time.monotonic()) > 0:
                server.objects = shown(own, most_at(left, seconds))
                with subprocess.Popen(
                    call("run", str(config)), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                ) as process:
                    if own.random() < 0.2:
                        time.sleep(own.random() * 2)
                        process.send_signal(signal.SIGKILL)
                    _, err = process.communicate(timeout=120)
                codes[process.returncode] += 1
                assert process.returncode in (0, 1, 3, 7, -signal.SIGKILL), err

        with published.on(), ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(runs, range(AT_ONCE)))
    key = parse_skey(config.with_name("w.conf.ed25519.key").read_text().strip())
    trees = check_row(published.contents, [key])
    assert trees[-1].size > SHARED
    assert codes[0] > 5
    assert codes[7] > 5
    print(dict(codes), len(trees))
    return codes
