"""Logs of certificates by TesseraCT and Sunlight, read by every command; Sunlight's client reads the same."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.interop.ct_logs import LOGS, ORIGIN, Running, Sct, objects_of
from tests.interop.peers import Build, run_tiletree
from tests.support.fault_server import Handler, serving
from tiles.errors import LogError
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.layouts import STATIC_CT
from tiles.store.bounded_gzip import MAGIC
from tiles.tree.ct_bundle import parse_ct_entry
from tiles.tree.merkle import leaf_hash
from tiles.user.seen_checkpoints import Visits

pytestmark = pytest.mark.interop

SIZES = (1, 255, 256, 300, 513)


@dataclass(frozen=True)
class Theirs:
    """One log, as it was at each of SIZES: a copy of its public directory each.

    key    verifies its tree heads
    scts   what it answered to each submission
    """

    folder: Path
    key: VerifierKey
    scts: tuple[Sct, ...]

    @property
    def pins(self) -> tuple[str, str]:
        """The options that pin it."""
        return "--vkey", self.key.vkey

    def at(self, size: int) -> Path:
        """Return the log of that size; not to be changed."""
        return self.folder / f"log-{size}"


def _copied(log: Running, folder: Path, size: int) -> None:
    """Keep the log of a size, once it shows that: Sunlight answers before its checkpoint is in the directory."""
    until = time.monotonic() + 30
    while (log.folder / "checkpoint").read_text().split("\n")[1] != str(size):
        assert time.monotonic() < until
        time.sleep(0.1)
    for path, data in objects_of(log.folder).items():
        target = folder / f"log-{size}" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@pytest.fixture(scope="module", params=["tesseract", pytest.param("sunlight", marks=pytest.mark.slow)])
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    """Return a log of certificates and precertificates that one of their programs has written."""
    folder = tmp_path_factory.mktemp(request.param)
    scts: list[Sct] = []
    with LOGS[request.param](folder) as log:
        for size in SIZES:
            scts += log.add(len(scts), size)
            _copied(log, folder, size)
    return Theirs(folder, log.key, tuple(scts))


@contextmanager
def served(log: Path) -> Iterator[str]:
    """Serve a log; what it keeps gzip-encoded is sent so."""

    def encoded(handler: Handler, data: bytes) -> None:
        handler.send(200, data, Content_Encoding="gzip")

    objects = objects_of(log)
    with serving(objects) as server:
        for path, data in objects.items():
            if data.startswith(MAGIC):
                server.script[f"/{path}"] = [partial(encoded, data=data)]
        yield server.url


def test_every_entry(theirs: Theirs, tmp_path: Path) -> None:
    """At each size it extends what was seen before; each entry is what was submitted, and its SCT is over it."""
    policy, visits = policy_for(theirs.key), Visits(tmp_path)
    for size in SIZES:
        client = LogClient(open_log(str(theirs.at(size))), policy, visits=visits, log_format=STATIC_CT)
        assert client.visit().signed.tree.size == size
        assert sum(1 for _ in client.entries(0, size)) == size
    entries = dict(client.entries(0, SIZES[-1]))
    kinds = set()
    for sct in theirs.scts:
        entry = parse_ct_entry(entries[sct.index])
        theirs.key.verify(entries[sct.index], sct.signature)  # RFC 6962, 3.2: what is signed is the MerkleTreeLeaf
        assert (entry.index, entry.timestamp, entry.is_precert) == (sct.index, sct.timestamp, sct.submitted.is_precert)
        assert entry.certificate == sct.submitted.logged
        kinds.add((entry.is_precert, len(sct.submitted.chain)))
    assert kinds == {(False, 2), (True, 2), (True, 3)}


@pytest.mark.parametrize("size", SIZES)
def test_audit(theirs: Theirs, tmp_path: Path, size: int) -> None:
    """Nothing is found at any size, in the directory and over HTTP."""
    with served(theirs.at(size)) as url:
        for log in (theirs.at(size), url):
            report = run_tiletree(tmp_path, "audit", log, *theirs.pins)
            assert (report["origin"], report["size"], report["findings"]) == (ORIGIN, size, [])


@pytest.mark.parametrize("over_http", [False, True], ids=["directory", "http"])
def test_commands(theirs: Theirs, tmp_path: Path, *, over_http: bool) -> None:
    """`info`, `get`, `prove`, `verify`, `logproof` and `monitor` do for it what they do for a log of ours."""
    run = partial(run_tiletree, tmp_path)
    sct = theirs.scts[4]
    assert sct.submitted.is_precert

    (tmp_path / "policy").write_text(f"log {theirs.key.vkey}\nquorum none\n")

    def read(log: object, *more: object) -> None:
        info = run("info", log, *theirs.pins, *more)
        assert (info["origin"], info["size"], info["trust"]) == (ORIGIN, 513, "pinned")
        got = run("get", log, sct.index, *theirs.pins, *more)
        said = {(each["label"], each["text"]) for each in got["says"]}
        wanted = {("Kind", "precertificate"), ("Name", sct.submitted.name), ("Subject", f"CN={sct.submitted.name}")}
        assert said >= wanted | {("Index", str(sct.index)), ("Issuer", "CN=issuer")}
        run("get", log, sct.index, "-o", "entry", *theirs.pins, *more)
        for number, what in enumerate((["--index", sct.index], ["entry"])):
            run("prove", log, *what, "-o", f"proof-{number}", *theirs.pins, *more)
            verified = run("verify", "entry", "--proof", f"proof-{number}", *theirs.pins)
            assert (verified["index"], verified["size"]) == (sct.index, 513)
        found = run("policy", "check", "policy", log)
        times = [each["time"] for each in found["signatures"] if "time" in each]  # among lines that mean nothing
        assert (found["accepted"], min(times) > 1_790_000_000) == (True, True)
        assert len(run("logproof", log, "--first-size", 255, *theirs.pins, *more)["hashes"]) > 0
        assert run("audit", log, *theirs.pins, *more)["findings"] == []

    if not over_http:
        read(theirs.at(513))
        read(theirs.at(513), "--layout", "static-ct")
        return
    with served(theirs.at(513)) as url:
        read(url)
        run("key", "trust", url, theirs.key.vkey)
        assert run("info", url)["trust"] == "remembered"


def test_monitor(theirs: Theirs, tmp_path: Path) -> None:
    """A monitor reads every entry once while the log grows, and an older copy of it is an alarm."""

    def watch(log: object, *more: object, code: int = 0, every: bool = True) -> None:
        told = ["--state", "watched", "--all"] if every else []
        command = [sys.executable, "-m", "tiletree", "monitor", log, *theirs.pins, *told, *more]
        home = {"XDG_STATE_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **home}
        )
        assert done.returncode == code, done.stderr

    log = tmp_path / "log"
    for size, more in ((255, ("--begin", "first")), (300, ()), (513, ())):
        shutil.rmtree(log, ignore_errors=True)
        shutil.copytree(theirs.at(size), log)
        watch(log, *more)
    (kept,) = tmp_path.glob("watched/*/matches.jsonl")
    assert [json.loads(line)["index"] for line in kept.read_text().splitlines()] == list(range(513))
    shutil.copyfile(theirs.at(300) / "checkpoint", log / "checkpoint")
    watch(log, code=9)
    watch(theirs.at(513), "--state", "matched", "--begin", "first", "--match", "dns=www.host-4.*", every=False)
    (kept,) = tmp_path.glob("matched/*/matches.jsonl")
    (found,) = map(json.loads, kept.read_text().splitlines())
    assert (found["index"], found["kind"]) == (theirs.scts[4].index, "certificate")


# ---- their client


def checked(program: Build, theirs: Theirs, log: str) -> dict[str, Any]:
    """Return what Sunlight's client finds in a log."""
    log_id = sha256(theirs.key.public).digest()
    scts = [
        b"\0" + log_id + sct.timestamp.to_bytes(8, "big") + b"\0\x08\0\0\5" + sct.index.to_bytes(5, "big") + b"\4\3"
        + len(sct.signature).to_bytes(2, "big") + sct.signature
        for sct in theirs.scts
    ]  # fmt: skip
    lines = b"".join(b64encode(sct) + b"\n" for sct in scts)
    found = program("sunlight")("check", log, b64encode(theirs.key.public).decode(), stdin=lines)
    document: dict[str, Any] = json.loads(found)
    return document


def test_their_client_reads_the_same(program: Build, theirs: Theirs) -> None:
    """Sunlight's client finds the entries that ours finds, and no fault in our reading of SCTs."""
    client = LogClient(open_log(str(theirs.at(513))), policy_for(theirs.key), log_format=STATIC_CT)
    leaves = sha256(b"".join(leaf_hash(entry) for _, entry in client.entries(0, client.tree.size)))
    with served(theirs.at(513)) as url:
        found = checked(program, theirs, url)
    precertificates = sum(sct.submitted.is_precert for sct in theirs.scts)
    assert found == {
        "size": 513, "precertificates": precertificates, "issuers": 3, "leaves": leaves.hexdigest(), "scts": 513
    }  # fmt: skip


# ---- what is wrong with it


@pytest.mark.parametrize(
    "path", ["tile/data/000", "tile/data/002.p/1", "tile/0/000", "tile/0/002.p/1", "tile/1/000.p/2"]
)
def test_a_damaged_copy(theirs: Theirs, tmp_path: Path, path: str) -> None:
    """Whatever is damaged is named by its path, by `audit` and by whoever reads it."""
    log = tmp_path / "log"
    shutil.copytree(theirs.at(513), log)
    data = (log / path).read_bytes()
    (log / path).write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
    command = [sys.executable, "-m", "tiletree", "audit", str(log), *theirs.pins, "--json"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "XDG_STATE_HOME": str(tmp_path)})
    assert done.returncode == 1, done.stderr
    assert path in json.dumps(json.loads(done.stdout)["findings"])
    client = LogClient(open_log(str(log)), policy_for(parse_vkey(theirs.key.vkey)), log_format=STATIC_CT)

    def read() -> None:
        for index in (0, 512):
            client.prove(index)
        list(client.entries(0, 513))

    with pytest.raises(LogError, match=path):
        read()


# ---- a copy of it


def test_a_mirror(program: Build, theirs: Theirs, tmp_path: Path) -> None:
    """A mirror that follows the log has its objects, as they are served; their client reads it as it reads the log."""
    for size in SIZES[1:]:
        with served(theirs.at(size)) as url:
            done = run_tiletree(tmp_path, "mirror", url, "mirror", *theirs.pins)
        assert (done["layout"], done["size"], done["published"]) == ("static-ct", size, True)
    again = run_tiletree(tmp_path, "mirror", theirs.at(513), "mirror", *theirs.pins)
    assert (again["objects"], again["issuers"], again["published"]) == (0, 0, False)
    copy = objects_of(tmp_path / "mirror")
    full = {path: data for path, data in objects_of(theirs.at(513)).items() if "names" not in path}
    needed = {path for path in full if ".p/" not in path} | {"tile/0/002.p/1", "tile/data/002.p/1", "tile/1/000.p/2"}
    assert {path: copy[path] for path in needed} == {path: decoded(full[path]) for path in needed}
    with serving(copy) as server, served(theirs.at(513)) as url:
        assert checked(program, theirs, server.url) == checked(program, theirs, url)
        assert run_tiletree(tmp_path, "audit", server.url, *theirs.pins)["findings"] == []


def decoded(data: bytes) -> bytes:
    """Return an object as it is served, to whoever accepts no encoding."""
    return gzip.decompress(data) if data.startswith(MAGIC) else data
