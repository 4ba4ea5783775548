"""The Go checksum database's packages, golang.org/x/mod/sumdb/note and tlog, and tiletree read and sign the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.interop.peers import ORIGIN, SIZES, Build, Logs, kept, lines, make_wrong, run_tiletree
from tests.support.fault_server import serving
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import parse_skey

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("size", SIZES)
def test_they_verify_what_we_write(program: Build, logs: Logs, size: int) -> None:
    """Signature, tiles, every entry's inclusion, and the consistency of all checkpoints that are kept are good."""
    found = program("sumdb").json("check", logs.at(size), logs.vkey)
    assert found == {"size": size, "older": len(list(kept(logs.at(size))))}


def test_they_verify_a_log_without_partial_tiles(program: Build, tmp_path: Path) -> None:
    """After `gc`, what is left is enough."""
    vkey = run_tiletree(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "key")["vkey"]
    for start, stop in pairwise((0, 255, 257)):
        run_tiletree(tmp_path, "add", "log", "--stdin-lines", "--key", "key", stdin=lines(start, stop))
    assert run_tiletree(tmp_path, "gc", "log", "--grace", 0)["tiles"] > 0
    assert program("sumdb").json("check", tmp_path / "log", vkey) == {"size": 257, "older": 3}


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("tile", "refused: tiles: .*inconsistent tile"),
        ("partial tile", "refused: tiles: .*inconsistent tile"),
        ("entry", "refused: entry 0: "),
        ("length of an entry", "refused: tile/8/data/000: the bundle ends within an entry"),
        ("signature", "refused: note: invalid signature for key"),
        ("signed root", "refused: tiles: .*inconsistent tile"),
        ("signed history", "refused: consistency of sizes 1 and 255"),
    ],
)
def test_they_refuse(program: Build, logs: Logs, tmp_path: Path, what: str, complaint: str) -> None:
    """What is wrong with a log is noticed, so that the tests above can fail."""
    log = make_wrong(what, logs, tmp_path)
    assert re.search(complaint, program("sumdb").refuses("check", log, logs.vkey))


def test_they_refuse_another_key(program: Build, logs: Logs) -> None:
    """A log of another key, with the same name, is not taken for this one."""
    _, vkey = program("sumdb")("generate", ORIGIN).decode().split()
    assert "no verifiable signatures" in program("sumdb").refuses("check", logs.at(257), vkey)


def test_our_key_file_signs_the_same(program: Build, logs: Logs, tmp_path: Path) -> None:
    """note.NewSigner takes our key file, and note.Sign makes of a checkpoint's text the bytes that are published."""
    for size in SIZES:
        published = (logs.at(size) / "checkpoint").read_bytes()
        text = tmp_path / "text"
        text.write_bytes(parse_signed_checkpoint(published).note.text)
        assert program("sumdb")("sign", logs.key, text) == published


def test_we_sign_with_their_key(program: Build, tmp_path: Path) -> None:
    """A key of note.GenerateKey is a key file of ours; its log is good for them."""
    skey, vkey = program("sumdb")("generate", ORIGIN).decode().split()
    assert parse_skey(skey).verifier.vkey == vkey
    key = tmp_path / "key"
    key.write_text(f"{skey}\n")
    key.chmod(0o600)
    assert run_tiletree(tmp_path, "init", "log", "--origin", ORIGIN, "--key", "key")["vkey"] == vkey
    run_tiletree(tmp_path, "add", "log", "--stdin-lines", "--key", "key", stdin=b"one\ntwo\n")
    assert program("sumdb").json("check", tmp_path / "log", vkey)["size"] == 2


# ---- a checksum database that their server answers for


SUMDB_NAME, SUMDB_ORIGIN, SUMDB_SIZE = "sumdb.example.com", "go.sum database tree", 300


@pytest.fixture(scope="module")
def database(program: Build, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """Return what sumdb.NewServer answers, as files, and how its key is pinned."""
    folder = tmp_path_factory.mktemp("database")
    skey, vkey = program("sumdb")("generate", SUMDB_NAME).decode().split()
    (folder / "key").write_text(f"{skey}\n")
    program("sumdb")("write", folder / "log", folder / "key", SUMDB_SIZE)
    return folder, ("--vkey", vkey, "--origin", SUMDB_ORIGIN)


def test_we_read_their_database(database: tuple[Path, tuple[str, ...]], tmp_path: Path) -> None:
    """It is audited; a record is found by module and version, a capital letter in it, and its proof is verified."""
    log, pins = database[0] / "log", database[1]
    report = run_tiletree(tmp_path, "audit", log, *pins)
    assert (report["size"], report["findings"]) == (SUMDB_SIZE, [])
    got = run_tiletree(tmp_path, "get", log, "example.com/M7@v1.0.0", *pins)
    assert (got["index"], got["says"][0]["text"]) == (7, "example.com/M7 v1.0.0 h1:example.com/M7=")
    run_tiletree(tmp_path, "get", log, 299, "-o", tmp_path / "record", *pins)
    run_tiletree(tmp_path, "prove", log, "--index", 299, "-o", tmp_path / "proof", *pins)
    assert run_tiletree(tmp_path, "verify", tmp_path / "record", "--proof", tmp_path / "proof", *pins)["verified"]


@pytest.mark.parametrize("path", ["tile/8/data/000", "tile/8/data/001.p/44", "tile/8/0/000", "tile/8/0/001.p/44"])
def test_a_damaged_copy_of_their_database(database: tuple[Path, tuple[str, ...]], tmp_path: Path, path: str) -> None:
    """Whatever is damaged is named by its path in the database."""
    log = tmp_path / "log"
    shutil.copytree(database[0] / "log", log)
    data = (log / path).read_bytes()
    (log / path).write_bytes(data[:-10] + bytes([data[-10] ^ 1]) + data[-9:])
    command = [sys.executable, "-m", "tiletree", "audit", str(log), *database[1], "--json"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode == 1, done.stderr
    assert path in json.dumps(json.loads(done.stdout)["findings"])


def test_we_mirror_their_database(database: tuple[Path, tuple[str, ...]], tmp_path: Path) -> None:
    """A mirror has the tiles, records and checkpoint that their server answers with, and is read like the database."""
    log, pins = database[0] / "log", database[1]
    theirs = {str(path.relative_to(log)): path.read_bytes() for path in log.rglob("*") if path.is_file()}
    with serving(theirs) as server:
        done = run_tiletree(tmp_path, "mirror", server.url, "mirror", *pins)
    assert (done["layout"], done["size"]) == ("sumdb", SUMDB_SIZE)
    copy = tmp_path / "mirror"
    ours = {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert {path: data for path, data in ours.items() if not path.startswith(".")} == {
        path: data for path, data in theirs.items() if not path.startswith("lookup/")
    }
    assert (
        run_tiletree(tmp_path, "get", copy, 7, *pins)["says"][0]["text"] == "example.com/M7 v1.0.0 h1:example.com/M7="
    )
    assert run_tiletree(tmp_path, "audit", copy, *pins)["findings"] == []
