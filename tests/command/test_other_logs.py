"""Other people's logs by the command: found by themselves, pinned with their origin, shown, proven and audited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command_line import Command, Done
from tests.support.node import ROOT
from tests.support.other_logs import (
    CT_ORIGIN,
    SUMDB_KEY,
    SUMDB_ORIGIN,
    ct_checkpoint,
    ct_key,
    log_list_key,
    opaque,
    record,
    static_ct,
    sumdb,
    timestamped,
)
from tiles.notes.checkpoint import parse_checkpoint, with_signatures
from tiles.notes.note import Signature
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Trust

SUMDB = ("--vkey", SUMDB_KEY.verifier.vkey, "--origin", SUMDB_ORIGIN)
CT = ("--vkey", ct_key().vkey)


class Run:
    """Runs a command with --json, which has to end with an exit code."""

    def __init__(self, tiletree: Command) -> None:
        self._tiletree = tiletree

    def __call__(self, *arguments: str, code: int = 0) -> Done:
        """Return what a call came to."""
        done = self._tiletree(*arguments, "--json")
        assert done.code == code, done
        return done


@pytest.fixture
def run(tiletree: Command) -> Run:
    """Return what runs commands."""
    return Run(tiletree)


def put(folder: Path, objects: dict[str, bytes]) -> str:
    """Write a log into a folder, in place of what is there."""
    for path, data in objects.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return str(folder)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Return a checksum database."""
    return put(tmp_path / "sumdb", sumdb(300))


@pytest.fixture
def certificates(tmp_path: Path) -> str:
    """Return a log of certificates."""
    return put(tmp_path / "ct", static_ct(300))


def test_a_checksum_database(run: Run, database: str, tmp_path: Path) -> None:
    """It is found by itself; a record is found by module and version, shown, proven, and verified offline."""
    assert run("info", database, *SUMDB).json["origin"] == SUMDB_ORIGIN
    got = run("get", database, "example.com/m2@v1.0.0", *SUMDB).json
    assert (got["index"], got["kind"]) == (2, "sumdb-record")
    assert got["says"][0] == {"label": "Module", "text": f"example.com/m2 v1.0.0 h1:{'A' * 43}="}
    proof, file = tmp_path / "p.tlog-proof", tmp_path / "record"
    file.write_bytes(record(299))
    run("prove", database, str(file), "-o", str(proof), *SUMDB)
    assert run("verify", str(file), "--proof", str(proof), *SUMDB).json["verified"]
    file.write_bytes(record(298))
    assert run("verify", str(file), "--proof", str(proof), *SUMDB, code=1).json["verified"] is False
    assert run("audit", database, *SUMDB).json["findings"] == []
    assert len(run("logproof", database, "--first-size", "256", *SUMDB).json["hashes"]) > 0


def test_a_log_of_certificates(run: Run, certificates: str, tmp_path: Path) -> None:
    """It is found by itself; an entry is shown, proven, and verified offline."""
    assert run("info", certificates, *CT).json["origin"] == CT_ORIGIN
    got = run("get", certificates, "1", *CT).json
    said = {(each["label"], each["text"]) for each in got["says"]}
    assert got["kind"] == "certificate"
    assert {("Kind", "precertificate"), ("Name", "www.example.com"), ("Index", "1")} <= said
    file, proof = tmp_path / "entry", tmp_path / "p.tlog-proof"
    run("get", certificates, "299", "-o", str(file), *CT)
    run("prove", certificates, "--index", "299", "-o", str(proof), *CT)
    assert run("verify", str(file), "--proof", str(proof), *CT).json["verified"]
    assert run("audit", certificates, *CT).json["findings"] == []


def test_audit_names_what_is_damaged(run: Run, database: str, certificates: str) -> None:
    """A finding has the path that the log has for it."""
    for log, pins, path in ((database, SUMDB, "tile/8/data/000"), (certificates, CT, "tile/data/000")):
        target = Path(log, path)
        data = target.read_bytes()
        target.write_bytes(data.replace(b"m7 ", b"m8 ").replace(b"host.example.com", b"evil.example.com"))
        assert [each["path"] for each in run("audit", log, *pins, code=1).json["findings"]] == [path]
        target.unlink()
        assert run("audit", log, *pins, code=1).json["findings"] == [{"path": path, "problem": "is not there"}]
        target.write_bytes(data)
    hashes = Path(database, "tile/8/0/000")
    hashes.write_bytes(bytes(8192))
    assert [each["path"] for each in run("audit", database, *SUMDB, code=1).json["findings"]] == ["tile/8/0/000"]


def test_the_origin_has_to_be_pinned(run: Run, database: str) -> None:
    """Without it, or with another one, such a log is refused; without a key it means nothing."""
    assert "no log of the policy has the origin" in run("info", database, *SUMDB[:2], code=1).json["error"]["message"]
    run("info", database, *SUMDB[:3], "another tree", code=1)
    run("info", database, "--origin", SUMDB_ORIGIN, code=2)
    run("info", database, *CT, "--origin", "x", code=2)


def test_it_is_remembered_with_the_key(run: Run, database: str, tmp_path: Path) -> None:
    """`key trust --origin` is enough from then on, for the log and for proofs of it, and `key list` shows it."""
    run("key", "trust", database, *SUMDB[1:])
    listed = run("key", "list").json["keys"]
    assert [(each["vkey"], each["origin"]) for each in listed] == [(SUMDB_KEY.verifier.vkey, SUMDB_ORIGIN)]
    file, proof = tmp_path / "record", tmp_path / "p"
    file.write_bytes(record(0))
    assert run("prove", database, "--index", "0", "-o", str(proof)).json["trust"] == "remembered"
    assert run("verify", str(file), "--proof", str(proof)).json["trust"] == "remembered"
    run("key", "forget", database, "--seen")
    assert Visits().last(SUMDB_KEY.verifier, SUMDB_ORIGIN) is None
    assert Trust().lookup_origin(SUMDB_ORIGIN) is not None


def test_a_fork_of_such_a_log(run: Run, database: str, tmp_path: Path) -> None:
    """Another history of the same key and origin is caught, and one command checks the evidence."""
    run("info", database, *SUMDB)
    put(Path(database), {"latest": _signed(sumdb(299)["latest"].split(b"\n")[2].decode())})
    error = run("info", database, *SUMDB, code=7).json["error"]
    folder = error["hint"].partition("the evidence is in ")[2].partition(";")[0]
    assert "--origin 'go.sum database tree'" in Path(folder, "README").read_text()
    assert run("verify", "--fork", folder, *SUMDB).json["verified"]


def test_a_fork_of_a_log_of_certificates(run: Run, certificates: str) -> None:
    """Another tree head of the same size is caught, and one command checks the evidence."""
    run("info", certificates, *CT)
    put(Path(certificates), {"checkpoint": ct_checkpoint(TreeHead(300, leaf_hash(b"another")))})
    error = run("info", certificates, *CT, code=7).json["error"]
    folder = error["hint"].partition("the evidence is in ")[2].partition(";")[0]
    assert run("verify", "--fork", folder, *CT).json["verified"]


def _signed(root: str) -> bytes:
    """Return a checkpoint of size 300 with another root."""
    checkpoint = parse_checkpoint(f"{SUMDB_ORIGIN}\n300\n{root}\n".encode())
    line = Signature(SUMDB_KEY.name, SUMDB_KEY.verifier.key_id, SUMDB_KEY.sign(checkpoint.text))
    return with_signatures(checkpoint, [line]).data


def test_a_named_layout(run: Run, certificates: str, database: str) -> None:
    """--layout is believed: in another one, the objects are not there, and the error says what it looks like."""
    error = run("get", certificates, "0", *CT, "--layout", "tlog-tiles", code=3).json["error"]
    assert "static-ct" in error["message"]
    assert (
        "checksum database" in run("info", database, *SUMDB, "--layout", "tlog-tiles", code=3).json["error"]["message"]
    )
    assert run("get", certificates, "0", *CT, "--layout", "static-ct").json["index"] == 0


def test_words(tiletree: Command, certificates: str, log: str) -> None:
    """--format text says what an entry is, instead of its bytes, in logs of our own as well."""
    shown = tiletree("get", certificates, "0", "--format", "text", *CT)
    assert (shown.code, "Subject      CN=host.example.com" in shown.out) == (0, True)
    assert tiletree("get", certificates, "0", "--format", "text", "-o", "x", *CT).code == 2
    assert tiletree.ok("get", "log", "0", "--format", "text", "--vkey", log)["kind"] in {"file", "raw"}


@pytest.mark.parametrize(("make", "pins"), [(sumdb, SUMDB), (static_ct, CT)], ids=["sumdb", "static-ct"])
def test_they_are_watched(tiletree: Command, make: Callable[[int], dict[str, bytes]], pins: tuple[str, ...]) -> None:
    """A monitor reads every entry once, remembers where it is, and takes another history for one."""
    log = put(Path("theirs"), make(300))
    watch = ("monitor", log, *pins, "--state", "watched", "--all")
    assert tiletree(*watch, "--begin", "first").code == 0
    put(Path("theirs"), make(301))
    assert tiletree(*watch).code == 0
    (kept,) = Path("watched").glob("*/matches.jsonl")
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(301))
    assert {line["kind"] for line in lines} == {"certificate" if make is static_ct else "sumdb-record"}
    sought = {"kind": "dns", "value": "host.example.com"}
    if make is sumdb:
        sought = {"kind": "module", "value": "example.com/m300@v1.0.0"}
    assert sought in lines[300]["keys"]
    match = (*watch[:-3], "--state", "matched", "--begin", "first", "--match")
    found = tiletree(*match, f"{sought['kind']}={sought['value']}")
    assert (found.code, f"  300  {lines[300]['kind']}  {sought['kind']}=" in found.out) == (0, True), found
    refused = tiletree(*match, "name/1=*")
    assert (refused.code, "is found by name/1" in refused.err) == (2, True), refused
    put(Path("theirs"), {path: data for path, data in make(7).items() if path in ("latest", "checkpoint")})
    assert tiletree(*watch).code == 9  # an older copy of the same history


def test_a_certificate_larger_than_an_entry_of_ours(run: Run, tmp_path: Path) -> None:
    """Every command takes an entry of more than 65,535 bytes, which a log of certificates may have."""
    leaf = timestamped(0, cert=b"\x30" * 100_000)
    hash_ = leaf_hash(b"\0\0" + leaf)
    objects = {
        "tile/0/000.p/1": hash_,
        "tile/data/000.p/1": leaf + opaque(2, b""),
        "checkpoint": ct_checkpoint(TreeHead(1, hash_)),
    }
    log, entry, proof = put(tmp_path / "large", objects), str(tmp_path / "entry"), str(tmp_path / "proof")
    assert run("get", log, "0", *CT).json["kind"] == "certificate"
    run("get", log, "0", "-o", entry, *CT)
    run("prove", log, "--index", "0", "-o", proof, *CT)
    assert run("verify", entry, "--proof", proof, *CT).json["verified"]
    run("prove", log, entry, "-o", proof, *CT)
    assert run("verify", entry, "--proof", proof, *CT).json["verified"]
    assert run("audit", log, *CT).json["findings"] == []
    assert run("search", log, entry, *CT).json["hits"][0]["index"] == 0
    assert run("mirror", log, str(tmp_path / "copy"), *CT).json["objects"] == 2
    run("monitor", log, *CT, "--state", "watched", "--all", "--begin", "first")
    (kept,) = Path("watched").glob("*/matches.jsonl")
    assert json.loads(kept.read_text())["kind"] == "certificate"


def test_a_policy_of_a_log_of_certificates(run: Run, certificates: str, tmp_path: Path) -> None:
    """`policy check` says that the log has signed its tree head, and when; a damaged line does not verify."""
    policy, checkpoint = tmp_path / "policy", Path(certificates, "checkpoint")
    policy.write_text(f"log {ct_key().vkey}\nquorum none\n")
    for given in (checkpoint, Path(certificates)):
        found = run("policy", "check", str(policy), str(given)).json
        (line,) = found["signatures"]
        assert (found["accepted"], line["time"]) == (True, 1_772_323_300)
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data.replace(b"\n300\n", b"\n299\n"))
    assert run("policy", "check", str(policy), str(checkpoint), code=1).json["accepted"] is False


def test_how_a_vkey_is_made(run: Run, certificates: str) -> None:
    """What docs/other-logs.md says of a key in a list of logs prints a vkey that reads the log."""
    text = (ROOT / "docs" / "other-logs.md").read_text("utf-8")
    (code,) = re.findall(r"this prints the vkey:\n\n((?: {4}.*\n|\n)+)", text)
    code = re.sub('key = ".*"', f'key = "{log_list_key()}"', dedent(code))
    vkey = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert vkey == ct_key().vkey
    assert run("info", certificates, "--vkey", vkey).json["size"] == 300
