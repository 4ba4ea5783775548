"""The commands with the rights that the module gives, on a server that enforces its policies: what they need, they may.

So a right that the code needs and no policy gives is found here, and so is a role that can do what it should not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bucket_logs import files, use_environment
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Request
from tests.terraform.deployment import Deploy, Deployment
from tiles.errors import AccessError
from tiles.notes.keys import SeedKey
from tiles.store import probe
from tiletree.ui import exit_code

pytestmark = pytest.mark.interop

ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
CONDITIONS = ("if-none-match", "if-match")
DENIED = exit_code(AccessError(""))


class Rights:
    """The policies of a deployment, for a server on which each role has its name as its access key."""

    def __init__(self, deployment: Deployment, server: ObjectServer, patch: pytest.MonkeyPatch) -> None:
        self._deployment, self._server, self._patch = deployment, server, patch
        self._denied: list[str] = []
        self.places = {part: f"s3://{bucket}" for part, bucket in deployment.buckets.items()}
        self.roles = ("sequencer", "operator", "submit-release", "submit-nightly")
        server.access = dict.fromkeys(self.roles, self.may)

    def may(self, request: Request) -> bool:
        """Whether the policies allow a request; one that they do not is taken down."""
        allowed = self._allow(request)
        if not allowed:
            self._denied.append(f"{request.kind} {request.where}")
        return allowed

    def _allow(self, request: Request) -> bool:
        who = self._deployment.role(request.who)
        if request.kind == "LIST":
            return self._deployment.may(who, "s3:ListBucket", request.bucket)
        said = {name.replace("-", "_"): request.headers[name] for name in CONDITIONS if name in request.headers}
        return self._deployment.may(who, ACTIONS[request.kind], request.bucket, request.key, **said)

    def use(self, who: str) -> list[bytes]:
        """Let commands be called by somebody from now on; return a list of what they sign."""
        for name, value in self._server.environment(who).items():
            self._patch.setenv(name, value)
        signed: list[bytes] = []
        sign = SeedKey.sign
        self._patch.setattr(SeedKey, "sign", lambda key, text, *more: (signed.append(text), sign(key, text, *more))[1])
        return signed

    def spoil(self, path: str) -> None:
        """Put something wrong in the place of an object of the public part."""
        self._server.put(self._deployment.buckets["public"], path, b"wrong")

    def denied(self) -> list[str]:
        """Return what was denied since this was asked last, and forget it."""
        denied, self._denied = self._denied, []
        return denied


@pytest.fixture
def rights(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rights]:
    """Return a server with the policies of the example."""
    pytest.importorskip("obstore", reason="NOT TESTED: obstore is not installed")
    monkeypatch.setattr(probe, "ROUNDS", 1)
    monkeypatch.setattr(probe, "RACERS", 3)
    deployment = deploy()
    with ObjectServer("s3", buckets=deployment.buckets.values()) as server:
        use_environment(monkeypatch, server.environment())
        yield Rights(deployment, server, monkeypatch)


def test_a_year_of_a_log(rights: Rights, tiletree: Command) -> None:
    """Begin, submit, sequence, look after, repair, end: what is needed is allowed, and the operator signs nothing."""
    log, private, anchor = (rights.places[part] for part in ("public", "private", "anchor"))
    writer = ("--private", private, "--anchor", anchor, "--key", "k")
    signed = rights.use("sequencer")
    tiletree.ok("key", "generate", ORIGIN, "--out", "k")
    Path("policy").write_text("tiletree-admission/v1\nmax-payload-bytes 1000\n", encoding="ascii")
    tiletree.ok("init", log, "--origin", ORIGIN, "--no-page", "--admission", "policy", *writer)
    assert rights.denied() == []
    assert signed

    rights.use("operator")
    assert tiletree.ok("page", log)
    assert rights.denied() == []

    rights.use("submit-release")
    for name, more in zip(files("a", "b"), ((), ("--payload",)), strict=True):
        tiletree.ok("submit", log, name, "--private", private, "--submitter", "release", *more)
    needless = rights.denied()  # a submitter looks into the log first, and goes on without
    assert all(re.match(r"(GET|HEAD|LIST) ", each) for each in needless), needless

    rights.use("sequencer")
    assert tiletree.ok("sequence", log, *writer)["size"] == 2
    Path("lines").write_text("".join(f"{number}\n" for number in range(300)), encoding="utf-8")
    tiletree.ok("add", log, "--lines", "lines", *writer)
    tiletree.ok("index", "build", log, "--kind", "leaf/1", *writer)
    assert tiletree.ok("sequence", log, *writer)["size"] == 302
    assert rights.denied() == []

    signed = rights.use("operator")
    tiletree.ok("status", log, *writer)
    assert tiletree.ok("gc", log, "--private", private, "--grace", 0)["tiles"]
    rights.spoil("tile/0/000")
    tiletree.ok("repair", log, *writer)
    tiletree.ok("repair", log, "--head", *writer)
    tiletree.ok("audit", log)
    tiletree.ok("freeze", log, "--yes", *writer)
    assert rights.denied() == []
    assert signed == []


def test_a_submitter_reaches_its_own_folder_only(rights: Rights, tiletree: Command) -> None:
    """One submitter cannot submit under the name of another, read, list or delete, nor write to the log."""
    log, private, anchor = (rights.places[part] for part in ("public", "private", "anchor"))
    writer = ("--private", private, "--anchor", anchor, "--key", "k")
    rights.use("sequencer")
    tiletree.ok("key", "generate", ORIGIN, "--out", "k")
    tiletree.ok("init", log, "--origin", ORIGIN, "--no-page", *writer)
    rights.denied()
    rights.use("submit-release")
    files("a")
    for call in (
        ("submit", log, "a", "--private", private, "--submitter", "nightly"),
        ("add", log, "a", *writer),
        ("sequence", log, *writer),
        ("gc", log, "--private", private),
        ("page", log),
    ):
        assert tiletree(*call).code == DENIED, call
        assert rights.denied()
