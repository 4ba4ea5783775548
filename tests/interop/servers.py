"""Object stores of other makers, each started on a loopback port with its data in a directory of its own."""

from __future__ import annotations

import hmac
import os
import shutil
import socket
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest
import urllib3

from tests.interop.peers import build

BUCKET = "log-bucket"

_ROOT = ("interop-root", "interop-root-secret")
_ACCOUNT = "devstoreaccount1"  # the one that Azurite has, and its key, which its documentation names
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_PACKAGES = Path(__file__).parent / "node"
_PATIENCE = 60.0  # seconds for a server to be ready, or to end


@dataclass(frozen=True)
class Server:
    """A server that is ready, with one bucket.

    endpoint      where it answers
    scheme        of the URLs that name it
    options       of those URLs
    environment   the credentials, where `open_object_store` looks for them
    """

    name: str
    endpoint: str
    scheme: str
    options: str
    environment: Mapping[str, str]

    def url(self, prefix: str) -> str:
        """Return the URL of a prefix of its bucket."""
        return f"{self.scheme}://{BUCKET}/{prefix}?{self.options}"


@contextmanager
def versitygw(directory: Path) -> Iterator[Server]:
    """Run versitygw, which keeps objects as files."""
    program = build("versitygw", directory / "versitygw", "github.com/versity/versitygw/cmd/versitygw")
    if isinstance(program, str):
        pytest.skip(f"NOT TESTED on versitygw: {program}")
    (directory / "data" / BUCKET).mkdir(parents=True)  # a folder is a bucket
    (directory / "accounts").mkdir()
    port = free_port()
    options = ["--port", f"127.0.0.1:{port}", "--iam-dir", str(directory / "accounts"), "--quiet", "--keep-alive"]
    command = [str(directory / "versitygw"), *options, "posix", str(directory / "data")]
    environment = {"ROOT_ACCESS_KEY": _ROOT[0], "ROOT_SECRET_KEY": _ROOT[1]}
    with running(command, environment, directory, port):
        yield _s3("versitygw", port)


def versitygw_account(directory: Path, server: Server, name: str) -> dict[str, str]:
    """Make an account on the versitygw that runs there, which may do nothing yet; return its credentials."""
    credentials = {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": f"{name}-secret"}
    admin = ["admin", "--endpoint-url", server.endpoint, "--access", _ROOT[0], "--secret", _ROOT[1]]
    made = ["create-user", "--access", name, "--secret", f"{name}-secret", "--role", "user"]
    subprocess.run([str(directory / "versitygw"), *admin, *made], check=True, capture_output=True, timeout=_PATIENCE)
    return credentials


@contextmanager
def minio(directory: Path) -> Iterator[Server]:
    """Run MinIO: the one that is installed, or else one that is built, which takes minutes the first time."""
    program = shutil.which("minio") or str(directory / "minio")
    if not Path(program).exists():
        built = build("minio", Path(program), "github.com/minio/minio")
        if isinstance(built, str):
            pytest.skip(f"NOT TESTED on MinIO: {built}")
    (directory / "data" / BUCKET).mkdir(parents=True)
    port, console = free_port(), free_port()
    addresses = ["--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console}"]
    environment = {"MINIO_ROOT_USER": _ROOT[0], "MINIO_ROOT_PASSWORD": _ROOT[1]}
    with running([program, "server", *addresses, str(directory / "data")], environment, directory, port):
        yield _s3("minio", port)


@contextmanager
def azurite(directory: Path) -> Iterator[Server]:
    """Run Azurite, which speaks like Azure Blob Storage."""
    if shutil.which("npm") is None:
        pytest.skip("NOT TESTED on Azurite: there is no npm")
    package = directory / "package"
    shutil.copytree(_PACKAGES / "azurite", package)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=package, capture_output=True, text=True, timeout=900)
    if done.returncode:
        if "EINTEGRITY" in done.stderr or "EUSAGE" in done.stderr:
            pytest.fail(f"azurite does not install:\n{done.stderr}")
        pytest.skip(f"NOT TESTED on Azurite: its packages cannot be had: {done.stderr.strip()[-500:]}")
    port = free_port()
    main = package / "node_modules/azurite/dist/src/blob/main.js"
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(directory / "data")]
    # the version check refuses clients that are newer than this Azurite
    command = ["node", str(main), *where, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with running(command, {}, directory, port):
        endpoint = f"http://127.0.0.1:{port}/{_ACCOUNT}"
        _make_container(endpoint)
        environment = {"AZURE_STORAGE_ACCOUNT_KEY": _ACCOUNT_KEY}
        yield Server("azurite", endpoint, "az", f"account={_ACCOUNT}&endpoint={endpoint}", environment)


SERVERS: dict[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "versitygw": versitygw,
    "azurite": azurite,
    "minio": minio,
}


@contextmanager
def in_use(name: str, directory: Path) -> Iterator[Server]:
    """Run one of SERVERS, and put its credentials where they are looked for."""
    with pytest.MonkeyPatch.context() as patch, SERVERS[name](directory) as server:
        for variable, value in server.environment.items():
            patch.setenv(variable, value)
        yield server


def _s3(name: str, port: int) -> Server:
    endpoint = f"http://127.0.0.1:{port}"
    environment = {"AWS_ACCESS_KEY_ID": _ROOT[0], "AWS_SECRET_ACCESS_KEY": _ROOT[1]}
    return Server(name, endpoint, "s3", f"endpoint={endpoint}&region=us-east-1&path_style=true", environment)


def _make_container(endpoint: str) -> None:
    """Make the container: Azure's "Create Container", signed with the account's key."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    signed = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    text = "PUT" + "\n" * 12 + signed + f"/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}\nrestype:container"
    signature = b64encode(hmac.digest(b64decode(_ACCOUNT_KEY), text.encode(), "sha256")).decode()
    headers |= {"Authorization": f"SharedKey {_ACCOUNT}:{signature}", "Content-Length": "0"}
    answer = urllib3.request("PUT", f"{endpoint}/{BUCKET}?restype=container", headers=headers, timeout=_PATIENCE)
    assert answer.status == 201, answer.data


def free_port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str], directory: Path, port: int) -> Iterator[None]:
    """Run a server until the end of the context; it listens on the port from the beginning of it on."""
    log = directory / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | environment
        )
    try:
        until = time.monotonic() + _PATIENCE
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} does not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
        assert process.poll() is None, f"the server ended: {log.read_text(errors='replace')[-2000:]}"
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
