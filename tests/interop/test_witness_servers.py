"""Witnesses of others answer our requests as they did when that was recorded (tests/vectors/witnesses)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.interop.peers import run_tiletree
from tests.interop.witness_servers import (
    build_litewitness,
    quorum_of_three,
    record,
    running_aics_witness,
    running_litewitness,
)
from tests.support.witness_requests import RECORD, check

pytestmark = pytest.mark.interop


@pytest.fixture
def litewitness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return litewitness."""
    return build_litewitness(tmp_path / "litewitness", monkeypatch)


def test_litewitness(litewitness: Path, tmp_path: Path) -> None:
    """It answers as it did."""
    with running_litewitness(litewitness, tmp_path) as (vkey, port):
        check("litewitness", [vkey], port)


def test_aics_witness(tmp_path: Path) -> None:
    """It answers as it did."""
    with running_aics_witness(tmp_path) as (vkey, port):
        check("aics-witness", [vkey], port)


def test_a_quorum_of_three_kinds(litewitness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of litewitness, aics-witness and our own, which has an ML-DSA-44 key, a bucket and no server, cosign a log.

    What was published verifies offline. With one of them down, the other two are enough; with two down nothing is
    published, and it is said which are missing.
    """
    with quorum_of_three(litewitness, tmp_path, monkeypatch) as made:
        if os.environ.get(RECORD):
            record(made)
        verified = run_tiletree(tmp_path, "verify", "file", "--proof", made.proof.name, "--policy", "policy")
        assert len(verified["cosigned_by"]) == 3
        made.servers["aics"].close()
        (tmp_path / "more").write_text("more\n")
        waits = made.call("add", "log", "more", "--key", "k")
        assert (waits.returncode, "missing aics, own" in waits.stderr) == (5, True), waits
        assert made.call("witness", "run", "w.conf").returncode == 0  # it comes by itself, and finds what waits
        assert made.call("sequence", "log", "--key", "k").returncode == 0
        assert made.cosigners() == {"litewitness", "own"}
        made.servers["lite"].close()
        (tmp_path / "more").write_text("still more\n")
        assert made.call("add", "log", "more", "--key", "k").returncode == 5
        assert made.call("witness", "run", "w.conf").returncode == 0
        refused = made.call("sequence", "log", "--key", "k")
        assert (refused.returncode, "missing lite, aics" in refused.stderr) == (5, True), refused
        assert made.cosigners() == {"litewitness", "own"}
    assert made.call("verify", "file", "--proof", made.proof.name, "--policy", "policy").returncode == 0
