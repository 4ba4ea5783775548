"""Logs in buckets as a user of the command has them: an S3 server, its environment, and a log with something in it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.certificates import make_certificates
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tiles import retry
from tiles.store import open_bucket as url_module
from tiles.store import probe

LOG = "s3://public/log"
PRIVATE = "s3://private/log"


def owner_only(server: ObjectServer, *public: str) -> None:
    """Let the tester do everything, everyone get single objects of the buckets named, and nobody anything else."""
    server.access = {
        "tester": lambda _request: True,
        "": lambda request: request.kind in ("GET", "HEAD") and request.bucket in public,
    }


def use_environment(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Set these variables, and remove all others that the tools of S3, Google Cloud Storage and Azure know."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "AZURE_", "TILETREE_")):
            patch.delenv(name)
    for name, value in variables.items():
        patch.setenv(name, value)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    """An S3 server that the environment names; the public bucket can be read by anyone, the others by the tester."""
    pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")
    from tests.support.object_server_stores import RETRIES
    from tiles.store import bucket as objects

    monkeypatch.setattr(probe, "ROUNDS", 1)  # tests of races have more
    monkeypatch.setattr(probe, "RACERS", 3)
    monkeypatch.setattr(probe, "_BUSY", replace(probe._BUSY, longest=0))
    monkeypatch.setattr(probe, "_AGAIN", replace(probe._AGAIN, longest=0))
    monkeypatch.setattr(objects, "_COLLIDED", replace(objects._COLLIDED, longest=0))
    monkeypatch.setattr(objects.ObjectStore, "patience", 0.0)
    monkeypatch.setattr(retry, "OTHER_WRITERS", retry.Pauses(10, 0.001, 0.001))
    monkeypatch.setattr(url_module, "_RETRIES", RETRIES)
    with ObjectServer("s3") as server:
        owner_only(server, "public")
        use_environment(monkeypatch, server.environment())
        yield server


@contextmanager
def over_tls(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Path]:
    """Run an S3 server that speaks TLS and that the environment names; yield the file of who vouches for it."""
    bundle, chain = make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = ObjectServer("s3")
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    with server:
        use_environment(patch, server.environment())
        patch.setenv("AWS_ENDPOINT_URL", server.url.replace("http://", "https://"))
        yield bundle


def begin(tiletree: Command, log: str = LOG, private: str = PRIVATE, *more: object, origin: str = ORIGIN) -> str:
    """Begin a log, and return its vkey."""
    vkey: str = tiletree.ok("init", log, "--private", private, "--origin", origin, *more)["vkey"]
    return vkey


def files(*names: str) -> list[str]:
    """Make files of different contents."""
    for name in names:
        Path(name).write_bytes(f"content of {name}\n".encode())
    return list(names)


def contents(server: ObjectServer) -> dict[str, dict[str, bytes]]:
    """Return all objects, without buckets that are empty."""
    return {bucket: objects for bucket, objects in server.objects.items() if objects}
