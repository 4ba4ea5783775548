"""omniwitness, of the witness network: ours asks it, and its feeder takes our log to it and to our own witness."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.interop.peers import lines, run_tiletree
from tests.interop.witness_servers import (
    build_feedwitness,
    build_omniwitness,
    running,
    running_omniwitness,
    serving_witness,
)
from tests.support.fault_server import serving
from tests.support.signed_text import LOG
from tests.support.witness_requests import check
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import parse_policy
from tiles.notes.witness_messages import ADD_CHECKPOINT, AddCheckpoint, parse_size, seen_path
from tiles.tree.layout import CHECKPOINT

pytestmark = pytest.mark.interop

NAME = "own.example.com"


def begin_log(directory: Path) -> None:
    """Make a log of the known key, whose policy is in the file `policy`."""
    (directory / "k").write_text(f"{LOG.skey}\n")
    (directory / "k").chmod(0o600)
    run_tiletree(directory, "init", "log", "--origin", LOG.name, "--key", "k", "--policy", "policy", "--no-page")


def objects(log: Path) -> dict[str, bytes]:
    """Return all public objects of a log."""
    return {str(path.relative_to(log)): path.read_bytes() for path in log.rglob("*") if path.is_file()}


def until(true: Callable[[], bool], err: Path) -> None:
    """Wait until that is true; show what a server has said if it does not become so."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail(err.read_text()[-3000:])


def test_it_answers_as_it_did(tmp_path: Path) -> None:
    """To our requests; where it departs from tlog-witness, the transcripts' test says so."""
    program = build_omniwitness(tmp_path / "omniwitness")
    with running_omniwitness(program, tmp_path) as (vkeys, port):
        check("omniwitness", vkeys, port)


def test_our_log_asks_it(tmp_path: Path) -> None:
    """Both of its keys are needed, from the empty tree on; an unchanged tree is cosigned again."""
    program = build_omniwitness(tmp_path / "omniwitness")
    with running_omniwitness(program, tmp_path) as ((ed25519, ml_dsa), port):
        url = f"http://127.0.0.1:{port}"
        (tmp_path / "policy").write_text(
            f"log {LOG.verifier.vkey}\nwitness a {ed25519} {url}\nwitness b {ml_dsa} {url}\ngroup g 2 a b\nquorum g\n"
        )
        begin_log(tmp_path)
        policy = parse_policy((tmp_path / "policy").read_bytes())
        for number in range(3):
            (tmp_path / "f").write_text(f"{number}\n")
            run_tiletree(tmp_path, "add", "log", "f", "--key", "k")
            accepted = policy.accept(parse_signed_checkpoint((tmp_path / "log" / CHECKPOINT).read_bytes()))
            assert (accepted.signed.tree.size, len(accepted.cosignatures)) == (number + 1, 2)
        run_tiletree(tmp_path, "refresh", "log", "--key", "k")
        run_tiletree(tmp_path, "prove", "log", "f", "-o", "p", "--policy", "policy")
        run_tiletree(tmp_path, "verify", "f", "--proof", "p", "--policy", "policy")


def test_its_feeder_reads_our_log_and_asks_our_witness(tmp_path: Path) -> None:
    """It takes our checkpoints, and the proofs that it makes of our tiles, to omniwitness and to ours; both cosign."""
    (tmp_path / "policy").write_text(f"log {LOG.verifier.vkey}\nquorum none\n")
    begin_log(tmp_path)
    (own,) = run_tiletree(tmp_path, "witness", "init", "w.conf", "--name", NAME, "--state", "seen")["vkeys"]
    run_tiletree(tmp_path, "witness", "begin", "w.conf", "--vkey", LOG.verifier.vkey)  # ours reads nothing
    policy = parse_policy(f"log {LOG.verifier.vkey}\nwitness b {own}\nquorum b\n".encode())
    seen, feeder = tmp_path / "seen" / seen_path(LOG.name), tmp_path / "feeder"
    feeder.mkdir()
    with serving(objects(tmp_path / "log")) as log, serving_witness(tmp_path) as ours:
        program = build_feedwitness(feeder / "feedwitness", log.url)
        with running_omniwitness(feeder / "omniwitness", tmp_path) as (_, port):
            words = [str(program), "-witness_url", ours, "-witness_url", f"http://127.0.0.1:{port}"]
            with running([*words, "-max_qps", "20", "-metrics_listen", "", "-v", "2"], feeder):
                for old, size in pairwise((0, 1, 2, 300)):
                    (tmp_path / "lines").write_bytes(lines(old, size))
                    run_tiletree(tmp_path, "add", "log", "--lines", "lines", "--key", "k")
                    log.objects = objects(tmp_path / "log")
                    until(lambda size=size: size_of(seen) == size, feeder / "err")  # type: ignore[misc]
                    assert policy.accept(parse_signed_checkpoint(seen.read_bytes())).cosignatures
                    until(lambda size=size: size_at(port, seen) == size, feeder / "err")  # type: ignore[misc]


def size_of(seen: Path) -> int:
    """Return the size of what our witness shows."""
    return parse_signed_checkpoint(seen.read_bytes()).tree.size


def size_at(port: int, seen: Path) -> int:
    """Return the size that omniwitness says, when it is asked as if nothing was cosigned."""
    asked = AddCheckpoint(0, (), parse_signed_checkpoint(seen.read_bytes())).data
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", f"/{ADD_CHECKPOINT}", asked)
        answer = connection.getresponse()
        return parse_size(answer.read()) if answer.status == 409 else -1
