"""Logs that others' software writes ask `tiletree witness serve`, and `tiletree witness run` visits them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, Build, Logs, lines, run_tiletree
from tests.interop.witness_servers import serving_witness
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import parse_policy
from tiles.notes.witness_messages import seen_path

pytestmark = pytest.mark.interop


def test_tessera_asks_for_cosignatures(program: Build, logs: Logs, tmp_path: Path) -> None:
    """It publishes only what we have cosigned; after a restart it learns from a 409 which size that is."""
    tessera = program("tessera")
    witness = run_tiletree(tmp_path, "witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    run_tiletree(tmp_path, "witness", "begin", "w.conf", "--vkey", logs.vkey)
    policy = tmp_path / "policy"
    published = tmp_path / "log" / "checkpoint"
    with serving_witness(tmp_path) as url:
        policy.write_text(f"log {logs.vkey}\nwitness w {witness['vkeys'][0]} {url}\nquorum w\n")
        for old, size in [(0, 1), (1, 255), (255, 256), (256, 700)]:
            tessera("write", tmp_path / "log", logs.key, policy, stdin=lines(old, size))
            accepted = parse_policy(policy.read_bytes()).accept(parse_signed_checkpoint(published.read_bytes()))
            assert accepted.signed.tree.size == size
            seen = parse_signed_checkpoint((tmp_path / "seen" / seen_path(ORIGIN)).read_bytes())
            assert seen.checkpoint == accepted.signed.checkpoint
    run_tiletree(tmp_path, "witness", "begin", "w.conf", "log", "--vkey", logs.vkey)


def test_a_log_of_tessera_is_visited(program: Build, logs: Logs, tmp_path: Path) -> None:
    """Its tiles show that it has only grown."""
    run_tiletree(tmp_path, "witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    for old, size in [(0, 3), (3, 300)]:
        program("tessera")("write", tmp_path / "log", logs.key, stdin=lines(old, size))
        run_tiletree(tmp_path, "witness", "begin", "w.conf", "log", "--vkey", logs.vkey)
        (done,) = run_tiletree(tmp_path, "witness", "run", "w.conf")["logs"]
        assert (done["origin"], done["outcome"], done["size"]) == (ORIGIN, "cosigned", size)
