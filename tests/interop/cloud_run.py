"""What terraform/gcp makes, on one machine: three buckets, in which everyone may do what the module's table says, and
the service and the job of Cloud Run as processes, with the environment that the module gives them.

The buckets are on our own object server, which speaks as Google Cloud Storage does: a log can be on no server of others
that keeps generations (docs/storage.md). So is the KMS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.cloud_kms import CloudKms
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Request
from tests.support.object_server_rules import Rule, anything
from tests.support.object_server_stores import open_on
from tests.terraform.gcp_rights import TABLE, granted
from tiles.inbox.submit import submit
from tiles.notes.keys import signing_key

KEY = signing_key("log.example.com", b"\x07" * 32)
SEQUENCER, OPERATOR, SUBMITTER = "sequencer@example.com", "operator@example.com", "ci@example.com"
MAINTENANCE = "maintenance@example.com"
EVERYONE = ""
_READING = ("GET", "HEAD")
_PATIENCE = 60.0  # seconds


def _part(request: Request) -> str:
    return request.bucket.rpartition("-")[2]


def sequencer(request: Request) -> bool:
    """Allow what the table allows (a rule). An overwrite is asked for as PUT and as DELETE."""
    may = granted(_part(request), request.key)
    return request.kind in (*_READING, "LIST") or {"PUT": "create", "DELETE": "delete"}.get(request.kind) in may


def submitter(request: Request) -> bool:
    """Allow to create in a folder of the inbox, and to read what is public (a rule)."""
    own = _part(request) == "private" and request.key.startswith("inbox/ci/")
    return everyone(request) or (request.kind == "PUT" and own)


def everyone(request: Request) -> bool:
    """Allow to read what is public, by name (a rule)."""
    return request.kind in _READING and _part(request) == "public"


def operator(request: Request) -> bool:
    """Allow everything but to write the anchor (a rule)."""
    return request.kind in (*_READING, "LIST") or _part(request) != "anchor"


RULES: Mapping[str, Rule] = {
    SEQUENCER: sequencer,
    MAINTENANCE: anything,
    SUBMITTER: submitter,
    OPERATOR: operator,
    EVERYONE: everyone,
}


@dataclass
class Cloud:
    """The buckets and the programs.

    home      a folder for what programs remember
    project   the first part of the buckets' names
    moments   how many requests were begun or answered so far
    """

    home: str
    project: str = "project-1"
    doomed: subprocess.Popen[str] | None = None
    left: int = 0  # moments until it is killed
    moments: int = 0
    server: ObjectServer = field(init=False)
    kms: CloudKms = field(init=False)

    @property
    def buckets(self) -> dict[str, str]:
        """The buckets, by the part of the log that they hold."""
        return {part: f"{self.project}-demo-{part}" for part in TABLE}

    @property
    def log(self) -> str:
        """The log's address."""
        return f"gs://{self.buckets['public']}"

    @property
    def key(self) -> str:
        """The version of the key that signs, as the module names it."""
        return f"projects/{self.project}/locations/europe-west1/keyRings/demo/cryptoKeys/log/cryptoKeyVersions/1"

    @property
    def _credentials(self) -> Path:
        return Path(self.home) / "sequencer.json"

    def __enter__(self) -> Self:
        self.server = ObjectServer("gcs", buckets=self.buckets.values(), access=RULES, held=self._held)
        self.server.__enter__()
        self.kms = CloudKms()
        self.kms.keys[self.key] = Ed25519PrivateKey.from_private_bytes(KEY.seed)
        self.kms.write_credentials(self._credentials)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kms.close()
        self.server.__exit__(kind, error, at)

    def _held(self, _request: Request, _moment: str) -> None:
        with self.server.lock:
            self.moments += 1
            if self.doomed is None:
                return
            self.left -= 1
            if self.left < 0:
                self.doomed.kill()
                self.doomed = None

    def environment(self, who: str) -> dict[str, str]:
        """Return the environment of a program that runs as somebody. The KMS knows those who sign."""
        signs = {}
        if who in (SEQUENCER, MAINTENANCE):
            signs["TILETREE_KEY"] = self.kms.place(self.key)
            signs["GOOGLE_APPLICATION_CREDENTIALS"] = str(self._credentials)
        path = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        places = {f"TILETREE_{part.upper()}": f"gs://{bucket}" for part, bucket in self.buckets.items()}
        places["TILETREE_LOG"] = places.pop("TILETREE_PUBLIC")
        return {**path, **self.server.environment(who), **places, **signs, "HOME": self.home}

    def tiletree(self, who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as somebody."""
        command = [sys.executable, "-m", "tiletree", *arguments]
        return subprocess.run(command, env=self.environment(who), capture_output=True, text=True, timeout=_PATIENCE)

    def ok(self, who: str, *arguments: str) -> Any:
        """Run the command as somebody, and return its document."""
        done = self.tiletree(who, *arguments, "--json")
        assert done.returncode == 0, (arguments, done)
        return json.loads(done.stdout)

    def request(self, who: str, method: str, where: str) -> int:
        """Send a request about an object as somebody, without a condition, and return the status."""
        claims = urlsafe_b64encode(json.dumps({"iss": who}).encode()).decode().rstrip("=")
        headers = {"Authorization": f"Bearer e30.{claims}."} if who else {}
        url = f"{self.server.url}/{quote(where)}"
        return urllib3.request(method, url, headers=headers, body=b"by somebody", timeout=_PATIENCE).status

    def submit(self, lines: Sequence[str]) -> None:
        """Submit lines, as one submission."""
        inbox = open_on(self.server, self.buckets["private"], who=SUBMITTER, public=False, retry=False)
        submit(inbox, "ci", [line.encode() for line in lines], token_bytes(16), log=self.log)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """Run the service until the end of the context."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tiletree.jobs.http"],
            env={**self.environment(SEQUENCER), "PORT": "0"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            began = json.loads(process.stdout.readline())
            yield Service(process, f"http://127.0.0.1:{began['port']}/")
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE)

    def doom(self, service: Service, moments: int) -> None:
        """Have a service killed after so many more moments, at each of which a request is begun or answered."""
        with self.server.lock:
            self.doomed, self.left = service.process, moments


@dataclass(frozen=True)
class Service:
    """A service that listens."""

    process: subprocess.Popen[str]
    url: str

    def call(self) -> int:
        """Call it as Cloud Scheduler does, and return the status, 0 if there is no answer."""
        try:
            return urllib3.request("POST", self.url, body=b"{}", retries=False, timeout=_PATIENCE).status
        except urllib3.exceptions.HTTPError:
            return 0
