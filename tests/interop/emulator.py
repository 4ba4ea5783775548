"""ministack, which emulates AWS: installed once, kept, and run on a loopback port with TLS and with rights enforced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop.environments import installed
from tests.interop.pythons import python_3_13
from tests.interop.servers import free_port, running
from tests.support.certificates import make_certificates

REGION = "eu-west-1"
ACCOUNT = "000000000000"
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_PROGRAM = Path(__file__).parent / "emulated_aws.py"


@dataclass(frozen=True)
class Request:
    """A request that the emulator answered.

    access_key   whose it was; "" for requests that were not signed
    query        the names of what its query has
    """

    service: str
    operation: str
    method: str
    host: str
    path: str
    query: tuple[str, ...]
    access_key: str
    status: int


@dataclass(frozen=True)
class Emulator:
    """ministack, running.

    port         where it answers by TLS
    plain_port   where it answers without
    authority    the file with the certificate that its own is by
    """

    directory: Path
    port: int
    plain_port: int
    authority: Path

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def plain_endpoint(self) -> str:
        """Where it answers without TLS."""
        return f"http://127.0.0.1:{self.plain_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What programs find it by, without credentials."""
        region = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_CA_BUNDLE": str(self.authority), **region}

    def requests(self) -> list[Request]:
        """Return all that it answered so far."""
        lines = (self.directory / "requests").read_text().splitlines()
        return [Request(**{**document, "query": tuple(document["query"])}) for document in map(json.loads, lines)]

    def kill_before(self, write: int, *spared: str) -> None:
        """Kill the function that makes the Nth write from now on, counting none by these access keys."""
        (self.directory / "deaths").write_text(" ".join([str(write), *spared]))

    def forgive(self) -> bool:
        """Kill nothing any more. Return whether something was to be killed, and was not."""
        deaths = self.directory / "deaths"
        waits = deaths.exists()
        deaths.unlink(missing_ok=True)
        return waits

    def client(self, service: str, credentials: Mapping[str, str] = ROOT, endpoint: str = "") -> Any:
        """Return boto3's client of a service; of the account itself without credentials."""
        boto3 = pytest.importorskip("boto3")
        from botocore.config import Config  # type: ignore[import-untyped]

        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        keys = {name: credentials.get(name.upper()) for name in names}
        config = Config(retries={"max_attempts": 1}, read_timeout=180, s3={"addressing_style": "path"})
        return boto3.client(
            service,
            endpoint_url=endpoint or self.endpoint,
            verify=str(self.authority),
            region_name=REGION,
            config=config,
            **keys,
        )

    def assume(self, role: str) -> dict[str, str]:
        """Return credentials of a role, as the environment variables that hold them."""
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        names = {
            "AccessKeyId": "ACCESS_KEY_ID",
            "SecretAccessKey": "SECRET_ACCESS_KEY",
            "SessionToken": "SESSION_TOKEN",
        }
        return {f"AWS_{variable}": given[name] for name, variable in names.items()}


@contextmanager
def ministack(directory: Path) -> Iterator[Emulator]:
    """Run ministack in an empty directory until the end of the context."""
    program, runtime = installed("ministack"), installed("lambda_runtime", python_3_13())
    both, chain = make_certificates(directory, "*.cloudfront.net")
    authority = directory / "authority.pem"  # without the other one of the same name, which confuses OpenSSL
    authority.write_text("-----BEGIN" + both.read_text().rpartition("-----BEGIN")[2])
    emulator = Emulator(directory, free_port(), free_port(), authority)
    (directory / "requests").touch()
    settings = {
        **emulator.environment,
        **ROOT,
        "AUTH": "true",  # rights are enforced
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(chain),
        "MINISTACK_SSL_KEY": str(chain),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(emulator.port),
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(directory),
        "TILETREE_REQUESTS": str(directory / "requests"),
        "TILETREE_DEATHS": str(directory / "deaths"),
        "TILETREE_PLAIN": f"127.0.0.1:{emulator.plain_port}",
        "TILETREE_RUNTIME": str(runtime),
        "PYTHONPATH": "",  # functions see their package, and nothing of ours
        "SSL_CERT_FILE": "",
    }
    with running([str(program), str(_PROGRAM)], settings, directory, emulator.port):
        yield emulator
