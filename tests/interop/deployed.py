"""A log that terraform/aws deployed in the emulator, and those who use it: operator, submitter, reader."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.interop.emulator import ACCOUNT, REGION, ROOT, Emulator, ministack
from tests.interop.environments import machine, make_package
from tests.support.proxy_server import Proxy, proxying
from tests.terraform.mirror import configuration
from tests.terraform.modules import Failed, call
from tests.terraform.tools import Unavailable
from tiles.notes.keys import SignatureType, VerifierKey

REPOSITORY = Path(__file__).resolve().parents[2]
ORIGIN = "log.example.com"
SUBMITTER = "alice"

_HOOKS = Path(__file__).with_name("emulator_hooks.py")
ANYBODY_HERE = f"arn:aws:iam::{ACCOUNT}:root"
_HELD = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR")  # what programs keep of our environment


class AnswerError(Exception):
    """A server answered with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Actor:
    """Somebody with a home directory and an environment, in which there are no other credentials."""

    home: Path
    environment: Mapping[str, str]

    def run(self, command: list[str], stdin: bytes = b"") -> bytes:
        """Run a program; it has to succeed. Return its standard output."""
        done = self.start(command)
        out, err = done.communicate(stdin, timeout=300)
        assert done.returncode == 0, f"{command}: {err.decode()}{out.decode()}"
        return out

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a program, which is to be given what it reads."""
        held = {name: os.environ[name] for name in _HELD if name in os.environ}
        variables = {**held, "HOME": str(self.home), **self.environment}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.home, env=variables, stdin=pipe, stdout=pipe, stderr=pipe)

    def tiletree(self, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
        """Run the command; return its JSON document."""
        document: dict[str, Any] = json.loads(self.run(tiletree(*arguments), stdin))
        return document


def tiletree(*arguments: object) -> list[str]:
    """Return how the command is called here."""
    return [sys.executable, "-m", "tiletree", *map(str, arguments), "--json"]


@dataclass
class Deployment:
    """The log, and all that Terraform made for it."""

    emulator: Emulator
    proxy: Proxy
    folder: Path
    variables: dict[str, Any]
    outputs: dict[str, Any] = field(default_factory=dict)

    # ---- Terraform

    def terraform(self, *arguments: str) -> str:
        """Call Terraform on the root module. Raises Failed."""
        told = {**self.emulator.environment, **ROOT, "TERRAFORM_HOOKS": str(_HOOKS)}
        return call(self.folder / "root", configuration(), *arguments, "-input=false", "-no-color", **told)

    def apply(self, **variables: Any) -> str:
        """Make it as these variables of the module say, and those that were given before."""
        self.variables |= variables
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        module = {"source": str(REPOSITORY / "terraform/aws"), **self.variables}
        document = {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
            "provider": {"aws": {"region": REGION}},
            "module": {"log": module},
            "output": {"log": {"value": "${module.log}"}},
        }
        (root / "main.tf.json").write_text(json.dumps(document, indent=1))
        self.terraform("init")
        said = self.terraform("apply", "-auto-approve")
        output = call(root, configuration(), "output", "-json")
        self.outputs = json.loads(output)["log"]["value"]
        return said.rpartition("Apply complete!")[2].partition("\n")[0].strip()

    def plan(self) -> str:
        """Return what a plan would change; "" for nothing. It is compared with what is in the emulator."""
        try:
            self.terraform("plan", "-detailed-exitcode")
        except Failed as planned:
            return str(planned)
        return ""

    # ---- who uses it

    def _home(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir(exist_ok=True)
        return home

    @cached_property
    def operator(self) -> Actor:
        """Whoever has the profiles that the module puts out, and credentials of the account."""
        home = self._home("operator")
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text(self.outputs["aws_config"])
        names = ("aws_access_key_id", "aws_secret_access_key")
        lines = "".join(f"{name} = {ROOT[name.upper()]}\n" for name in names)
        (home / ".aws/credentials").write_text(f"[default]\n{lines}")
        programs = self._home("programs")
        (programs / "tiletree").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tiletree "$@"\n')
        (programs / "tiletree").chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        return Actor(home, {**self.emulator.environment, "PATH": path})

    def with_role(self, role: str) -> Actor:
        """Return the operator, in a role of the module: by the profile that it puts out."""
        return Actor(
            self.operator.home, {**self.operator.environment, "AWS_PROFILE": f"{self.variables['name']}-{role}"}
        )

    def operator_variables(self) -> dict[str, str]:
        """Return variables by which this process is the operator, until the credentials expire."""
        return {**self.emulator.environment, **self.emulator.assume(self.outputs["operator_role_arn"])}

    @cached_property
    def submitter(self) -> Actor:
        """Whoever may submit, and has credentials for nothing else; it reads as everyone does."""
        credentials = self.emulator.assume(self.outputs["submitter_role_arns"][SUBMITTER])
        environment = {**self.emulator.environment, **self._way, **credentials}
        return Actor(self._home("submitter"), environment)

    @cached_property
    def reader(self) -> Actor:
        """Whoever has no credentials at all."""
        return Actor(self._home("reader"), self._way)

    @property
    def _way(self) -> dict[str, str]:
        """By what names of the CDN are found: a proxy, for which each is this machine."""
        return {
            "https_proxy": self.proxy.url,
            "no_proxy": "127.0.0.1",
            "AWS_CA_BUNDLE": str(self.emulator.authority),
        }

    # ---- the log

    @property
    def url(self) -> str:
        """Where the CDN serves the log; the emulator is behind a port of its own."""
        return f"{self.outputs['url']}:{self.emulator.port}"

    def ask(self, method: str, url: str) -> urllib3.BaseHTTPResponse:
        """Send a request without credentials; names of the CDN are found. Raises AnswerError for a refusal."""
        context = ssl.create_default_context(cafile=self.emulator.authority)
        is_cdn = url.startswith(self.outputs["url"])
        options: dict[str, Any] = {"ssl_context": context, "retries": False, "timeout": 60}
        with urllib3.ProxyManager(self.proxy.url, **options) if is_cdn else urllib3.PoolManager(**options) as pool:
            answer = pool.request(method, url, redirect=False, headers={"Origin": "https://elsewhere.example.org"})
        if answer.status >= 300:
            raise AnswerError(answer.status)
        return answer

    def status(self, url: str) -> int:
        """Return the status that a reader gets for a URL."""
        try:
            return self.ask("GET", url).status
        except AnswerError as refused:
            return refused.status

    @cached_property
    def verifier(self) -> VerifierKey:
        """The key that the checkpoints are to be signed by: what KMS says is the public half."""
        public = self.emulator.client("kms").get_public_key(KeyId=self.key_id)["PublicKey"]
        return VerifierKey(ORIGIN, SignatureType.ED25519, public[-32:])  # the end of its SubjectPublicKeyInfo

    @property
    def key_id(self) -> str:
        """What KMS calls the key."""
        return str(self.outputs["key"].removeprefix("awskms:///"))

    def bucket(self, part: str) -> str:
        """Return the name of a bucket, by the output that has its address: log, private, anchor."""
        return str(self.outputs[part].removeprefix("s3://").partition("?")[0])

    def submit(self, lines: bytes) -> None:
        """Submit lines, as the submitter."""
        words = ["--private", self.outputs["private"], "--submitter", SUBMITTER, "--stdin-lines"]
        self.submitter.tiletree("submit", self.url, *words, stdin=lines)

    def invoke(self) -> tuple[bool, dict[str, Any]]:
        """Run the function once, as its schedule does. Return whether it did not fail, and what it answered."""
        payload = json.dumps({"source": "schedule"})
        answer = self.emulator.client("lambda").invoke(FunctionName=self.outputs["function_name"], Payload=payload)
        return "FunctionError" not in answer, json.loads(answer["Payload"].read())

    def set_schedule(self, state: str) -> None:
        """Let the schedule fire or rest: "ENABLED" or "DISABLED"."""
        client, name, group = self.emulator.client("scheduler"), "sequencer", self.variables["name"]
        found = client.get_schedule(Name=name, GroupName=group)
        names = ("ScheduleExpression", "FlexibleTimeWindow", "Target")
        client.update_schedule(Name=name, GroupName=group, State=state, **{name: found[name] for name in names})


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Deploy a log with the package that `make package` makes, and begin it; until the end of the context."""
    try:
        configuration()
    except Unavailable as error:
        pytest.skip(f"NOT TESTED: {error}")
    (folder / "emulator").mkdir()
    variables = {
        "name": "demo",
        "origin": ORIGIN,
        "package_path": str(make_package(folder / "dist")),
        "architecture": machine(),
        "submitters": {SUBMITTER: [ANYBODY_HERE]},
        "operator_principals": [ANYBODY_HERE],
        "deletion_protection": False,
    }
    with ministack(folder / "emulator") as emulator, proxying() as proxy:
        made = Deployment(emulator, proxy, folder, variables)
        print(made.apply())
        made.operator.run(["sh", "-c", made.outputs["begin"]])
        yield made
