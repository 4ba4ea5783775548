"""Witnesses of other makers, each started on a loopback port, and a log that three kinds of witnesses cosign.

`quorum_of_three` makes the log of the acceptance: policy, file, proof and checkpoint as files, and their keys.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.interop.peers import SOURCES, Program, build, run_tiletree
from tests.interop.pythons import python_3_13
from tests.interop.servers import BUCKET, Server, free_port, versitygw
from tests.support.signed_text import LOG
from tests.support.witness_requests import FOLDER
from tiles.notes.encoding import encode_base64
from tiles.notes.keys import SignatureType, signing_key
from tiles.tree.merkle import EMPTY_ROOT

AICS = "aics-witness==0.1.0"
OMNIWITNESS = "github.com/transparency-dev/witness"

OMNI_NAME = "omniwitness.example.com"
OMNI_KEYS = (
    signing_key(OMNI_NAME, b"\x21" * 32),  # it cosigns by a key that has the type of a log's, as 0x04
    signing_key(OMNI_NAME, b"\x22" * 32, SignatureType.MLDSA44),
)


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


@contextmanager
def serving_witness(directory: Path) -> Iterator[str]:
    """Run `tiletree witness serve` with the configuration w.conf, and give its address."""
    words = [sys.executable, "-m", "tiletree", "witness", "serve", "w.conf", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(words, cwd=directory, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()


# ---- litewitness and aics-witness


def build_litewitness(target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return litewitness, which needs a newer Go than its neighbours: the toolchain comes like a module."""
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    built = build("litewitness", target, "filippo.io/torchwood/cmd/litewitness")
    if not isinstance(built, Program):
        pytest.skip(f"NOT TESTED against litewitness: {built}")
    return target


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


# ---- omniwitness


def build_omniwitness(target: Path) -> Path:
    """Return omniwitness, as its module is pinned."""
    built = build("omniwitness", target, f"{OMNIWITNESS}/cmd/omniwitness")
    if not isinstance(built, Program):
        pytest.skip(f"NOT TESTED against omniwitness: {built}")
    return target


def build_feedwitness(target: Path, log_url: str) -> Path:
    """Return omniwitness's feeder, for one log of ours, which it reads at that address.

    Its list of logs is part of the program. So the module, as it is pinned, is copied, and only that list replaced.
    """
    build_omniwitness(target.with_name("omniwitness"))  # which has the modules, or says why not
    pinned = _go(SOURCES / "omniwitness", "list", "-m", "-f", "{{.Dir}}", OMNIWITNESS).strip()
    source = target.with_name("feedwitness-source")
    shutil.copytree(pinned, source, copy_function=shutil.copyfile)
    for path in [source, *source.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # modules are kept so that nobody writes there
    (source / "omniwitness" / "logs.yaml").write_text(_logs_yaml(log_url, "    Feeder: tiles\n"))
    _go(source, "build", "-o", str(target), "./cmd/feedwitness")
    return target


def _go(cwd: Path, *words: str) -> str:
    """Call go, on code as it was published: what fails is that modules cannot be had, and the test is skipped."""
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    done = subprocess.run(["go", *words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=900)
    if done.returncode:
        pytest.skip(f"NOT TESTED with omniwitness's feeder: {done.stderr.strip()[-500:]}")
    return done.stdout


@contextmanager
def running_omniwitness(program: Path, directory: Path) -> Iterator[tuple[list[str], int]]:
    """Run it with an Ed25519 and an ML-DSA-44 key, and give their vkeys and its port."""
    port = free_port()
    for number, key in enumerate(OMNI_KEYS):
        (directory / f"k{number}").write_text(key.skey)
    (directory / "logs.yaml").write_text(_logs_yaml("http://127.0.0.1:1"))  # it reads nothing there
    words = [str(program), "-listen", f"127.0.0.1:{port}", "-metrics_listen", "", "-additional_logs", "logs.yaml"]
    words += ["-db_file", "w.db", *(f"-private_key_path=k{number}" for number in range(len(OMNI_KEYS)))]
    with running(words, directory, port):
        first, second = OMNI_KEYS
        cosigner = signing_key(OMNI_NAME, first.seed, SignatureType.COSIGNATURE)
        yield [cosigner.verifier.vkey, second.verifier.vkey], port


def _logs_yaml(url: str, more: str = "") -> str:
    return f"Logs:\n  - Origin: {LOG.name}\n    URL: {url}\n    PublicKey: {LOG.verifier.vkey}\n{more}"


# ---- three kinds of witnesses


@dataclass(frozen=True)
class Quorum:
    """A log of which two of three witnesses have to cosign, and what a client needs to verify one of its files.

    directory    where all of it is
    policy       the policy: the log, the witnesses "lite" (litewitness, Ed25519), "aics" (aics-witness, Ed25519) and
                 "own" (`tiletree witness run` in a bucket, ML-DSA-44), and the quorum 2 of 3
    file, proof  a file of which the log has the digest as its entry, and its .tlog-proof, with all three cosignatures
    checkpoint   the log's checkpoint, the same
    log          the log's directory
    vkeys        by name: "log", and those of the witnesses
    servers      by name: what is closed to stop "lite" or "aics"; empty once they are not there any more
    """

    directory: Path
    log: Path
    policy: Path
    file: Path
    proof: Path
    checkpoint: Path
    vkeys: Mapping[str, str]
    servers: Mapping[str, ExitStack] = field(default_factory=dict)

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the command in the directory, however it ends."""
        command = [sys.executable, "-m", "tiletree", *words]
        return subprocess.run(command, cwd=self.directory, capture_output=True, text=True)

    def cosigners(self) -> set[str]:
        """Return who has cosigned what the log shows."""
        shown = run_tiletree(self.directory, "info", "log", "--policy", "policy")
        return {each.split(".")[0] for each in shown["cosigned_by"]}


@contextmanager
def quorum_of_three(litewitness: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quorum]:
    """Make the log, whose file is cosigned by all three, and give it while the witnesses are there.

    litewitness   the program (`build_litewitness`)
    What was given stays when they are not there any more.
    """
    for name in ("lite", "aics", "store"):
        (directory / name).mkdir()
    (directory / "k").write_text(f"{LOG.skey}\n")
    (directory / "k").chmod(0o600)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(ExitStack()) for name in ("lite", "aics")}
        aics, aics_port = servers["aics"].enter_context(running_aics_witness(directory / "aics"))
        lite, lite_port = servers["lite"].enter_context(running_litewitness(litewitness, directory / "lite"))
        server = stack.enter_context(versitygw(directory / "store"))
        served = _public_bucket(server, monkeypatch)
        own = _begin(directory)
        vkeys = {"log": LOG.verifier.vkey, "lite": lite, "aics": aics, "own": own}
        (directory / "policy").write_text(
            f"log {LOG.verifier.vkey}\n"
            f"witness lite {lite} http://127.0.0.1:{lite_port}\n"
            f"witness aics {aics} http://127.0.0.1:{aics_port}\n"
            f"witness own {own} {served}\n"
            "group g 2 lite aics own\nquorum g\n"
        )
        run_tiletree(directory, "init", "log", "--origin", LOG.name, "--key", "k", "--policy", "policy")
        places = [directory / name for name in ("log", "policy", "file", "file.tlog-proof", "log/checkpoint")]
        made = Quorum(directory, *places, vkeys, servers)
        for number in range(3):
            made.file.write_text(f"the file that three witnesses have seen in a log, {number}\n")
            run_tiletree(directory, "add", "log", "file", "--key", "k")
            assert made.cosigners() == {"litewitness", "aics"}  # the other one has not come yet
            run_tiletree(directory, "witness", "run", "w.conf")
            run_tiletree(directory, "refresh", "log", "--key", "k")
            assert made.cosigners() == {"litewitness", "aics", "own"}
        run_tiletree(directory, "prove", "log", "file", "-o", made.proof.name, "--policy", "policy")
        yield made


def record(made: Quorum) -> None:
    """Keep what a client needs to verify the file, for tests without any of these programs."""
    folder = FOLDER / "quorum"
    folder.mkdir(exist_ok=True)
    for path in (made.policy, made.file, made.proof, made.checkpoint):
        shutil.copyfile(path, folder / path.name)
    policy = (folder / "policy").read_text()
    (folder / "policy").write_text(re.sub(r" http://\S+$", "", policy, flags=re.MULTILINE))  # which are gone


def _public_bucket(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let anyone read single objects below `w` in the server's bucket, and name the owner's credentials.

    Returns where that is read: it is the S3 server itself, asked without any credentials.
    """
    boto3 = pytest.importorskip("boto3", reason="NOT TESTED with a witness in a bucket: boto3 is not installed")
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), server.environment.values(), strict=True))
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **keys)
    resource = f"arn:aws:s3:::{BUCKET}/w/*"
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [resource]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    for name, value in (
        *server.environment.items(),
        ("AWS_ENDPOINT_URL", server.endpoint),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    return f"{server.endpoint}/{BUCKET}/w"


def _begin(directory: Path) -> str:
    """Make our witness, which remembers and publishes in the bucket, and has begun the log; return its vkey."""
    state = ["--state", f"s3://{BUCKET}/w", "--kind", "ml-dsa-44"]
    own = run_tiletree(directory, "witness", "init", "w.conf", "--name", "own.example.com", *state)
    run_tiletree(directory, "witness", "begin", "w.conf", "log", "--vkey", LOG.verifier.vkey)
    return str(own["vkeys"][0])
