"""The configuration of nginx before a bucket in docs/hosting.md, run: a whole log is read through it."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tests.support.command_line import Command
from tests.support.nginx import before_a_bucket, serving
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import anything, reading

FOREVER = "public, max-age=31536000, immutable"


def test_nginx_before_a_bucket(tiletree: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It adds the headers that a bucket cannot store, has the page at /, and keeps nothing that is not to be kept."""
    access = {"owner": anything, "": reading("log-example")}
    with ObjectServer("s3", buckets=["log-example", "log-private"], access=access) as server:
        for name, value in server.environment("owner").items():
            monkeypatch.setenv(name, value)
        log = "s3://log-example/releases"
        tiletree.ok("init", log, "--private", "s3://log-private/releases", "--origin", "log.example.com")
        Path("one").write_bytes(b"one")
        tiletree.ok("add", log, "one")
        vkey = tiletree("key", "show", log).out.strip()
        bucket = f"{server.url}/log-example/releases/"
        with serving(tmp_path, lambda port: before_a_bucket(tmp_path, port, bucket)) as url:
            for path, kind, keeping in (
                ("", "text/html; charset=utf-8", "max-age=300"),
                ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
                ("tile/0/000.p/1", "application/octet-stream", FOREVER),
            ):
                with urllib.request.urlopen(url + path, timeout=20) as answer:
                    assert answer.headers["Content-Type"] == kind
                    assert keeping in answer.headers["Cache-Control"]
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    assert answer.headers["Access-Control-Allow-Origin"] == "*"
                    assert bool(answer.headers["Content-Security-Policy"]) == (path == "")
            assert tiletree.ok("audit", url, "--vkey", vkey)["size"] == 1
            asked = len(server.requests)
            assert tiletree.ok("audit", url, "--vkey", vkey)["size"] == 1
            Path("two").write_bytes(b"two")
            tiletree.ok("add", log, "two")
            assert tiletree.ok("audit", url, "--vkey", vkey)["size"] == 2
            assert len(server.requests) > asked
