"""docs/publish-ci.md, command by command, on an S3 server that keeps everyone to what they may do."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import anything, creating, reading
from tiles.signing.key_file import read_key

PAGE = Path(__file__).parents[2] / "docs" / "publish-ci.md"
HTTPS = "https://log-example.s3.amazonaws.com"


def commands() -> list[list[str]]:
    """Return the arguments of each `tiletree` command of the page, in the order in which they stand there."""
    lines = re.findall(r"^\$ (tiletree (?:.*\\\n)*.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [shlex.split(line.replace("\\\n", ""))[1:] for line in lines]


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    """S3: an owner, a submitter, and the public."""
    public = reading("log-example")
    access = {
        "owner": anything,
        "ci": lambda request: public(request) or creating("log-private", "releases/inbox/ci/")(request),
        "": public,
    }
    with ObjectServer("s3", buckets=["log-example", "log-private", "log-anchor"], access=access) as server:
        yield server


def wait_for_submission(server: ObjectServer) -> None:
    """Return once something is in the inbox."""
    deadline = time.monotonic() + 60
    while not any("/inbox/ci/" in key for key in server.objects["log-private"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_command(tiletree: Command, server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """init, add, audit, submit with hardly any rights, sequence, verify, status: in the order they stand there.

    sequence and status are run as on machines of their own, sequence with the variables of the page.
    """
    init, add, audit, submit, sequence, verify, status = commands()
    Path("dist").mkdir()
    for version in ("1.0", "1.1"):
        Path(f"dist/app-{version}.whl").write_bytes(version.encode())
    for name, value in server.environment("owner").items():
        monkeypatch.setenv(name, value)

    def run(arguments: list[str]) -> str:
        done = tiletree(*[each.replace("$VKEY", vkey) for each in arguments])
        assert done.code == 0, done
        return done.out

    vkey = ""
    assert "vkey     log.example.com+" in run(init)
    (show,) = re.findall(r'export VKEY="\$\(tiletree (.*)\)"', PAGE.read_text(encoding="utf-8"))
    vkey = run(show.split()).strip()
    assert vkey == read_key(next(Path("home").rglob("*.key"))).verifier.vkey
    assert "published log.example.com, size 1" in run(add)
    assert "no findings" in run(audit)
    assert server.headers("log-example", "releases/checkpoint")["content-type"] == "text/plain; charset=utf-8"
    assert set(server.objects["log-anchor"]) == {"releases/anchor"}
    assert "immutable" in server.headers("log-example", "releases/tile/entries/000.p/1")["cache-control"]

    filled = [each.replace("$VKEY", vkey).replace(HTTPS, f"{server.url}/log-example") for each in submit]
    environment = {**os.environ, **server.environment("ci"), "XDG_CONFIG_HOME": "/nowhere"}
    command = [sys.executable, "-m", "tiletree", *filled]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiting:
        wait_for_submission(server)
        with monkeypatch.context() as elsewhere:
            text = next(Path("home").rglob("*.key")).read_text()
            elsewhere.setenv("XDG_CONFIG_HOME", "/nowhere")
            elsewhere.setenv("TILETREE_PRIVATE_KEY", text)
            for name, value in re.findall(r"(TILETREE_\w+)=(\S+)", PAGE.read_text(encoding="utf-8")):
                elsewhere.setenv(name, value)
            assert "size 2" in run(sequence)
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, (out, err)
    assert out.startswith("1  ")
    run(verify)
    assert not any("/inbox/" in key for key in server.objects["log-private"])

    server.access["watcher"] = lambda request: request.kind in ("GET", "HEAD", "LIST")
    for name, value in {**server.environment("watcher"), "XDG_CONFIG_HOME": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    assert "key        not looked for" in run(status)


def test_a_submitter_can_do_nothing_else(
    tiletree: Command, server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a submitter's credentials no other command gets anywhere, and each says what is denied: exit code 3."""
    init, _, _, submit, sequence, *_ = commands()
    for name, value in server.environment("owner").items():
        monkeypatch.setenv(name, value)
    assert tiletree(*init).code == 0
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ci")
    before = {bucket: dict(objects) for bucket, objects in server.objects.items()}
    Path("dist").mkdir()
    Path("dist/app-1.1.whl").write_bytes(b"1.1")
    other = [
        each.replace(HTTPS, f"{server.url}/log-example").replace("ci", "other") for each in submit if each != "--wait"
    ]
    vkey = read_key(next(Path("home").rglob("*.key"))).verifier.vkey
    for arguments in (sequence, ["add", "s3://log-example/releases", "dist/app-1.1.whl"], other):
        done = tiletree(*[each.replace("$VKEY", vkey) for each in arguments])
        assert done.code == 3, done
        assert "AccessDenied" in done.err
        assert "owner" not in done.err
    assert {bucket: dict(objects) for bucket, objects in server.objects.items()} == before


def test_a_job_without_any_file(tiletree: Command, server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key itself, private part and anchor from the environment are enough; without an anchor it is refused."""
    init, _, _, _, sequence, *_ = commands()
    for name, value in server.environment("owner").items():
        monkeypatch.setenv(name, value)
    assert tiletree(*init, "--anchor", "s3://log-private/anchor").code == 0
    text = next(Path("home").rglob("*.key")).read_text()
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", text)
    monkeypatch.setenv("TILETREE_PRIVATE", "s3://log-private/releases")
    refused = tiletree(*sequence)
    assert refused.code == 2
    assert "TILETREE_ANCHOR" in refused.err
    monkeypatch.setenv("TILETREE_ANCHOR", "s3://log-private/anchor")
    done = tiletree(*sequence)
    assert done.code == 0, done
    assert tiletree("add", "s3://log-example/releases", PAGE, "--json").json["size"] == 1
    assert "PRIVATE+KEY" not in done.out + done.err + refused.err
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", "PRIVATE+KEY+x")
    broken = tiletree(*sequence)
    assert broken.code == 2
    assert "PRIVATE+KEY" not in broken.err.replace("TILETREE_PRIVATE_KEY", "")
