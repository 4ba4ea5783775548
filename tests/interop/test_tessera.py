"""Tessera's client and fsck verify what tiletree writes, and tiletree reads what Tessera's POSIX storage writes."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, SIZES, Build, Logs, kept, line, lines, make_wrong, run_tiletree
from tests.support.fault_server import serving
from tiles.errors import LogError
from tiles.notes.keys import parse_vkey
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.signing.key_file import read_key
from tiles.store.directory import DirectoryStore
from tiles.tree.merkle import leaf_hash
from tiles.upkeep.audit import audit
from tiles.user.seen_checkpoints import Visits

pytestmark = pytest.mark.interop


def older(log: Path) -> list[Path]:
    """Return the checkpoints of a log that Tessera's tracker can start from: those that are not the newest."""
    newest = (log / "checkpoint").read_bytes()
    return [path for path in kept(log) if path.read_bytes() != newest]


@pytest.mark.parametrize("size", SIZES)
def test_they_verify_what_we_write(program: Build, logs: Logs, size: int) -> None:
    """fsck, inclusion proofs, and the consistency with all older checkpoints are good."""
    log = logs.at(size)
    assert program("tessera").json("check", log, logs.vkey, *older(log)) == {"size": size}


def test_they_verify_over_http(program: Build, logs: Logs) -> None:
    """The directory, served as it is, is a log for their HTTP client."""
    log = logs.at(257)
    objects = {str(path.relative_to(log)): path.read_bytes() for path in log.rglob("*") if path.is_file()}
    with serving(objects) as server:
        assert program("tessera").json("check", server.url, logs.vkey, *older(log)) == {"size": 257}


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("tile", "refused: fsck: failed: tile/0/000: log has"),
        ("partial tile", "refused: fsck: failed: tile/0/001.p/1: log has"),
        ("entry", "refused: fsck: failed: tile/[01]/000.*: log has"),
        ("length of an entry", "refused: fsck: "),
        ("signature", "refused: fsck: .*invalid signature for key"),
        ("signed root", "refused: fsck: calculated root"),
        ("signed history", "refused: .*log consistency check failed"),
    ],
)
def test_they_refuse(program: Build, logs: Logs, tmp_path: Path, what: str, complaint: str) -> None:
    """What is wrong with a log is noticed, so that the tests above can fail."""
    log = make_wrong(what, logs, tmp_path)
    assert re.search(complaint, program("tessera").refuses("check", log, logs.vkey, *older(log)))


@pytest.fixture(scope="module")
def theirs(program: Build, logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Return a log that Tessera has written, with the same key and entries, at each of SIZES."""
    directory = tmp_path_factory.mktemp("theirs")
    for old, size in pairwise((0, *SIZES)):
        program("tessera")("write", directory / "log", logs.key, stdin=lines(old, size))
        shutil.copytree(directory / "log", directory / f"log-{size}")
    return Logs(directory, logs.vkey, logs.key, logs.policy)


def test_we_verify_what_they_write(theirs: Logs, tmp_path: Path) -> None:
    """Their log, at every size it grows to: consistency with each size before, all entries, proofs, a clean audit."""
    policy = policy_for(parse_vkey(theirs.vkey))
    visits = Visits(tmp_path)
    for size in SIZES:
        log = str(theirs.at(size))
        client = LogClient(open_log(log), policy, visits=visits, origin=ORIGIN)
        tree = client.visit().signed.tree
        assert tree.size == size
        assert all(entry == line(index) for index, entry in client.entries(0, size))
        for index in sorted({0, 2, 254, 255, 256, size // 2, size - 1} & set(range(size))):
            proof = parse_tlog_proof(client.prove(index).data)
            verify_tlog_proof(proof, leaf_hash(line(index)), policy)
        assert audit(open_log(log), tree, policy=policy, store=DirectoryStore(theirs.at(size))).findings == ()


@pytest.mark.parametrize("size", SIZES)
def test_the_same_bytes(logs: Logs, theirs: Logs, size: int) -> None:
    """From the same key and entries, both write the same checkpoint, and the same content for every tile and bundle."""
    ours, other = logs.at(size), theirs.at(size)
    assert (ours / "checkpoint").read_bytes() == (other / "checkpoint").read_bytes()
    paths = {path.relative_to(other) for path in (other / "tile").rglob("*") if path.is_file()}
    assert len(paths) >= size / 256
    for path in paths & {path.relative_to(ours) for path in (ours / "tile").rglob("*") if path.is_file()}:
        assert (ours / path).read_bytes() == (other / path).read_bytes(), path
    full = {path for path in paths if not path.parent.name.endswith(".p")}
    assert all((ours / path).is_file() for path in full)


def test_the_command_reads_their_log(theirs: Logs, tmp_path: Path) -> None:
    """`info`, `get`, `prove`, `verify` and `audit` do for their log what they do for ours."""
    log = theirs.at(257)
    pinned = ("--vkey", theirs.vkey)
    info = run_tiletree(tmp_path, "info", log, *pinned)
    assert (info["origin"], info["size"]) == (ORIGIN, 257)
    run_tiletree(tmp_path, "get", log, 256, "-o", "entry", *pinned)
    assert (tmp_path / "entry").read_bytes() == line(256)
    run_tiletree(tmp_path, "prove", log, "entry", "-o", "proof", *pinned)
    verified = run_tiletree(tmp_path, "verify", "entry", "--proof", "proof", *pinned)
    assert (verified["index"], verified["matched"]) == (256, "raw")
    assert run_tiletree(tmp_path, "audit", log, *pinned)["findings"] == []


@pytest.mark.parametrize("what", ["tile", "partial tile", "entry", "length of an entry", "signature", "signed root"])
def test_we_refuse_what_is_wrong_with_theirs(theirs: Logs, tmp_path: Path, what: str) -> None:
    """What is wrong with their log is noticed, so that the tests above can fail."""
    log = make_wrong(what, theirs, tmp_path)
    client = LogClient(open_log(str(log)), policy_for(read_key(theirs.key).verifier))
    with pytest.raises(LogError):
        list(client.entries(0, client.tree.size))
