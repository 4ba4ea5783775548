"""Witnesses of others answer our requests as they did when that was recorded (tests/vectors/witnesses)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.interop.peers import Program, build
from tests.interop.pythons import python_3_13
from tests.support.browser import start_chromium
from tests.support.command_line import Command
from tests.support.opened_offline import judge_offline
from tests.support.signed_text import LOG
from tests.support.witness_requests import FOLDER, asked, recorded, requests, write
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.encoding import encode_base64
from tiles.notes.keys import parse_vkey
from tiles.notes.witness_messages import parse_add_checkpoint, parse_signatures
from tiles.tree.merkle import EMPTY_ROOT

pytestmark = pytest.mark.interop

AICS = "aics-witness==0.1.0"
RECORD = "TILETREE_RECORD_WITNESSES"  # set it to record anew


@contextmanager
def running(words: list[str], directory: Path, port: int = 0, **environment: str) -> Iterator[None]:
    """Run a server, and wait until its port, if it has one, answers."""
    with (directory / "err").open("wb") as err:
        server = subprocess.Popen(words, cwd=directory, stderr=err, stdout=err, env={**os.environ, **environment})
        try:
            for _ in range(200 if port else 5):
                assert server.poll() is None, (directory / "err").read_text()
                time.sleep(0.1)
                with closing(socket.socket()) as one:
                    if port and one.connect_ex(("127.0.0.1", port)) == 0:
                        break
            yield
        finally:
            server.terminate()
            server.wait()


def free_port() -> int:
    """Return a port that is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def check(name: str, vkey: str, port: int) -> None:
    """Require that the witness answers as it did, and that its cosignatures are right."""
    answers = asked("127.0.0.1", port)
    if os.environ.get(RECORD):
        write(FOLDER / f"{name}.json", vkey, answers)
    _, before = recorded(FOLDER / f"{name}.json")
    assert [(each.name, each.status, each.type) for each in answers] == [
        (each.name, each.status, each.type) for each in before
    ]
    sent = dict(requests())
    for each in answers:
        if each.status == 200:
            (line,) = parse_signatures(each.body.encode())
            checkpoint = parse_add_checkpoint(sent[each.name]).signed.checkpoint
            assert verify_cosignature(checkpoint, line, parse_vkey(vkey)).timestamp


@pytest.fixture
def litewitness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return litewitness, which needs a newer Go than its neighbours: the toolchain comes like a module."""
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    built = build("litewitness", tmp_path / "litewitness", "filippo.io/torchwood/cmd/litewitness")
    if not isinstance(built, Program):
        pytest.skip(f"NOT TESTED against litewitness: {built}")
    return tmp_path / "litewitness"


@contextmanager
def running_litewitness(program: Path, directory: Path) -> Iterator[tuple[str, int]]:
    """Run it, and give its vkey and port. Its logs are put into its database, as its own witnessctl does; its key is in
    an agent."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("NOT TESTED against litewitness: there is no ssh-agent")
    call: Callable[..., subprocess.CompletedProcess[str]] = lambda *words, **more: subprocess.run(  # noqa: E731
        words, cwd=directory, check=True, capture_output=True, text=True, **more
    )
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k")
    fingerprint = call("ssh-keygen", "-lf", "k.pub").stdout.split()[1]
    with closing(sqlite3.connect(directory / "w.db")) as database:
        database.executescript(
            "CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);"
            "CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));"
        )
        database.execute("INSERT INTO log VALUES (?, 0, ?)", (LOG.name, encode_base64(EMPTY_ROOT)))
        database.execute("INSERT INTO key VALUES (?, ?)", (LOG.name, LOG.verifier.vkey))
        database.commit()
    port = free_port()
    (directory / "agent").mkdir()
    with running(["ssh-agent", "-D", "-a", str(directory / "a.sock")], directory / "agent"):
        call("ssh-add", "k", env={**os.environ, "SSH_AUTH_SOCK": str(directory / "a.sock")})
        words = [str(program), "-name", "litewitness.example.com", "-db", "w.db", "-ssh-agent", "a.sock"]
        with running([*words, "-key", fingerprint, "-listen", f"127.0.0.1:{port}"], directory, port):
            found = re.search(r'vkey="?([^"\s]+)', (directory / "err").read_text())
            assert found is not None
            yield found[1], port


@contextmanager
def running_aics_witness(directory: Path) -> Iterator[tuple[str, int]]:
    """Run it, and give its vkey and port. It needs a newer Python than ours may be."""
    python = python_3_13()
    subprocess.run([python, "-m", "venv", str(directory / "venv")], check=True)
    pip = [str(directory / "venv/bin/python"), "-m", "pip", "install", "-q", AICS]
    if (done := subprocess.run(pip, capture_output=True, text=True)).returncode:
        pytest.skip(f"NOT TESTED against aics-witness: {done.stderr.strip()[-300:]}")
    own, port = str(directory / "venv/bin/aics-witness"), free_port()
    name = ["init", "-c", "w.json", "--name", "aics.example.com", "--listen", f"127.0.0.1:{port}"]
    log = ["add-log", "-c", "w.json", "--origin", LOG.name, "--vkey", LOG.verifier.vkey]
    said = [subprocess.run([own, *words], cwd=directory, check=True, capture_output=True, text=True).stdout
            for words in (name, log)]  # fmt: skip
    with running([own, "serve", "-c", "w.json"], directory, port):
        yield said[0].split()[0], port


def test_litewitness(litewitness: Path, tmp_path: Path) -> None:
    """It answers as it did."""
    with running_litewitness(litewitness, tmp_path) as (vkey, port):
        check("litewitness", vkey, port)


def test_aics_witness(tmp_path: Path) -> None:
    """It answers as it did."""
    with running_aics_witness(tmp_path) as (vkey, port):
        check("aics-witness", vkey, port)


def test_a_quorum_of_three_kinds(litewitness: Path, tmp_path: Path, tiletree: Command) -> None:
    """Two of litewitness, aics-witness and our own, which has an ML-DSA-44 key and no server, cosign a log."""
    for name in ("lite", "aics"):
        (tmp_path / name).mkdir()
    Path("k").write_text(f"{LOG.skey}\n")
    Path("k").chmod(0o600)
    own = tiletree.ok(
        "witness", "init", "w.conf", "--name", "own.example.com", "--state", "seen", "--kind", "ml-dsa-44"
    )
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", LOG.verifier.vkey)

    def cosigners() -> set[str]:
        return {each.split(".")[0] for each in tiletree.ok("info", "log", "--policy", "policy")["cosigned_by"]}

    with (
        running_aics_witness(tmp_path / "aics") as (aics, aics_port),
        running_litewitness(litewitness, tmp_path / "lite") as (lite, lite_port),
    ):
        Path("policy").write_text(
            f"log {LOG.verifier.vkey}\n"
            f"witness lite {lite} http://127.0.0.1:{lite_port}\n"
            f"witness aics {aics} http://127.0.0.1:{aics_port}\n"
            f"witness own {own['vkeys'][0]} {Path('seen').absolute()}\n"
            "group g 2 lite aics own\nquorum g\n"
        )
        tiletree.ok("init", "log", "--origin", LOG.name, "--key", "k", "--policy", "policy")
        for number in range(3):
            Path("f").write_text(f"{number}\n")
            tiletree.ok("add", "log", "f", "--key", "k")
            assert cosigners() == {"litewitness", "aics"}
            tiletree.ok("witness", "run", "w.conf")
            tiletree.ok("refresh", "log", "--key", "k")
            assert cosigners() == {"litewitness", "aics", "own"}
        tiletree.ok("prove", "log", "f", "-o", "p", "--policy", "policy")
        assert len(tiletree.ok("verify", "f", "--proof", "p", "--policy", "policy")["cosigned_by"]) == 3
    Path("g").write_text("more\n")
    refused = tiletree("add", "log", "g", "--key", "k")
    assert (refused.code, "lite: " in refused.err, "aics: " in refused.err) == (5, True, True), refused
    opened_in_chromium(tmp_path, "lite, aics, own")


def opened_in_chromium(folder: Path, counted: str) -> None:
    """Open verify.html of the policy in a browser, and drop the file `f` and its proof `p`: all three have counted.

    It is the last step of a test, because it skips where there is no browser.
    """
    file = ("f", Path("f").read_bytes())
    for browser in start_chromium():
        judge_offline(browser, folder, Path("policy").read_bytes(), file, Path("p").read_bytes(), counted)
