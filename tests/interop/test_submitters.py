"""A log in a bucket of a real S3 server, with a submitter who can only create below its own inbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.interop.peers import ORIGIN, run_tiletree
from tests.interop.servers import Server, versitygw, versitygw_account
from tiles.errors import AccessError, NotFound
from tiles.store.open_bucket import open_object_store

pytestmark = pytest.mark.interop

PUBLIC, PRIVATE = "s3://public-logs/log", "s3://private-logs/log"
As = Callable[[str], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's files are."""
    return tmp_path_factory.mktemp("versitygw")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Server]:
    """versitygw."""
    with versitygw(place) as running:
        yield running


@pytest.fixture(scope="module")
def credentials(place: Path, server: Server) -> dict[str, dict[str, str]]:
    """Two buckets, and the credentials of those who use them: the owner, and alice."""
    boto3 = pytest.importorskip("boto3", reason="NOT TESTED with accounts: boto3 is not installed")
    both = {"owner": dict(server.environment), "alice": versitygw_account(place, server, "alice")}
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), both["owner"].values(), strict=True))
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **keys)
    for bucket, who, action, path in (
        ("public-logs", "*", "s3:GetObject", "log/*"),
        ("private-logs", {"AWS": ["alice"]}, "s3:PutObject", "log/inbox/alice/*"),
    ):
        client.create_bucket(Bucket=bucket)
        resource = f"arn:aws:s3:::{bucket}/{path}"
        statement = {"Effect": "Allow", "Principal": who, "Action": [action], "Resource": [resource]}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return both


@pytest.fixture
def act(credentials: dict[str, dict[str, str]], server: Server, monkeypatch: pytest.MonkeyPatch) -> As:
    """What says whose credentials are in the environment from now on: "owner" or "alice"."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def act(name: str) -> None:
        for variable, value in credentials[name].items():
            monkeypatch.setenv(variable, value)

    return act


def submitting(directory: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start `tiletree submit --wait` as a user of its own."""
    home = {name: str(directory / "home" / name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "tiletree", "submit", PUBLIC, "--wait", "--json", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=directory, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **home})


def sequence_until(owner: Path, waits: subprocess.Popen[str]) -> dict[str, Any]:
    """Sequence until the other process has its answer; return that."""
    until = time.monotonic() + 60
    while waits.poll() is None and time.monotonic() < until:
        run_tiletree(owner, "sequence", PUBLIC, "--key", "key")
        time.sleep(0.2)
    out, err = waits.communicate(timeout=60)
    assert waits.returncode == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


def test_submit_sequence_verify(act: As, server: Server, tmp_path: Path) -> None:
    """What alice submits is logged, proven to her, and read over plain HTTP by anyone; she can do nothing else."""
    owner, alice = tmp_path / "owner", tmp_path / "alice"
    for folder in (owner, alice):
        folder.mkdir()
        (folder / "file").write_text(f"of {folder.name}\n")
    act("owner")
    vkey = run_tiletree(owner, "init", PUBLIC, "--private", PRIVATE, "--origin", ORIGIN, "--key", "key")["vkey"]
    run_tiletree(owner, "add", PUBLIC, "file", "--key", "key")

    act("alice")
    who = ("--private", PRIVATE, "--submitter", "alice", "--vkey", vkey, "--timeout", 60)
    with submitting(alice, *who, "file") as waits:
        act("owner")
        answer = sequence_until(owner, waits)
    assert answer["logged"]

    served = f"{server.endpoint}/public-logs/log"
    assert urllib3.request("GET", f"{served}/checkpoint", timeout=10).status == 200
    verified = run_tiletree(alice, "verify", "file", "--proof", "file.tlog-proof", "--vkey", vkey)
    assert verified["index"] == 1
    assert run_tiletree(alice, "audit", served, "--vkey", vkey)["findings"] == []


def test_a_submitter_can_do_nothing_else(act: As) -> None:
    """Reading, listing and writing outside its inbox is denied, and is not mistaken for something that is not there."""
    act("alice")
    private = open_object_store(PRIVATE)
    private.create({"inbox/alice/one": b"1"})
    for denied in (
        lambda: private.read("head"),
        lambda: private.read("inbox/alice/one"),
        lambda: list(private.list("inbox/alice/")),
        lambda: private.create({"inbox/bob/one": b"1"}),
        lambda: private.swap("head", b"", None),
        lambda: private.delete(["inbox/alice/one"]),
        lambda: open_object_store(PUBLIC).swap("checkpoint", b"", None),
    ):
        with pytest.raises(AccessError) as caught:
            denied()
        assert not isinstance(caught.value, NotFound)
