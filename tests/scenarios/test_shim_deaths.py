"""A shim that is killed at any moment, with SIGKILL, while clients ask: each asks the next shim again, and nothing is
lost or logged twice. Which operations it died between is chosen in tests/rekor/test_writers.py; here it is chance.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.reference import printed_random
from tests.support.rekor_requests import entry_of, request_of
from tests.support.sampling import soaking
from tiles.parallel import in_background
from tiles.rekor.shim import PATH

READY = Path("ready")
ARTIFACTS = [b"%d" % number for number in range(12)]


def ask(address: str, artifact: bytes) -> int | None:
    """Return where the log says a signature is; None if there was no answer, or another one."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("POST", PATH, request_of(artifact), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        document = json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return int(document["logIndex"]) if answer.status == 201 else None


def live(seconds: float | None, wanted: list[bytes]) -> dict[bytes, int]:
    """Run a shim, ask it for all that is wanted, kill it after so long; return what was answered.

    seconds   None: once all is answered
    """
    READY.unlink(missing_ok=True)  # of one that was killed
    command = [sys.executable, "-m", "tiletree", "shim", "log", "--key", "k", "--ready-file", READY]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
        while not READY.exists():
            assert process.poll() is None
            time.sleep(0.005)
        address = READY.read_text().strip().removeprefix("http://")
        asked = {artifact: in_background(lambda artifact=artifact: ask(address, artifact)) for artifact in wanted}
        if seconds is None:
            wait(asked.values(), 30)
        else:
            time.sleep(seconds)
        process.kill()
    answers = {artifact: future.result(30) for artifact, future in asked.items()}
    return {artifact: index for artifact, index in answers.items() if index is not None}


@pytest.mark.slow
def test_killed_at_any_moment(tiletree: Command) -> None:
    """What was answered stays where it was said to be; what was not is asked for again, until all is there, once."""
    vkey = tiletree.ok("init", "log", "--origin", "log.example.com", "--key", "k")["vkey"]
    rng, said = printed_random(), dict[bytes, int]()
    for _ in range(soaking(8, 100)):
        rng.shuffle(ARTIFACTS)
        for artifact, index in live(rng.uniform(0.0, 0.15), ARTIFACTS[: rng.randint(1, 4)]).items():
            assert said.setdefault(artifact, index) == index
    said |= live(None, [artifact for artifact in ARTIFACTS if artifact not in said])
    size = tiletree.ok("info", "log", "--vkey", vkey)["size"]
    entries = [tiletree("get", "log", index).out.encode() for index in range(size)]
    assert {index: entries[index] for index in said.values()} == {said[each]: entry_of(each) for each in ARTIFACTS}
    assert sorted(entries) == sorted(map(entry_of, ARTIFACTS))
    assert tiletree.ok("audit", "log")["findings"] == []
