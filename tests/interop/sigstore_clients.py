"""Clients of Sigstore in Go, and what an image needs: built once, kept, and run without a network where they verify.

cosign takes seven minutes of a processor to build. So it is kept where caches of a user are, by the versions it is made
of. `make interop` uses the one that is there; `make interop-full` builds it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.interop.peers import SOURCES, build, cache_place
from tests.support.sigstore_authority import ISSUER
from tests.support.sigstore_cases import Case

# folder under `go` → what is built of it, and how long that takes
PROGRAMS = {
    "cosign": ("cosign", "github.com/sigstore/cosign/v3/cmd/cosign"),
    "crane": ("registry", "github.com/google/go-containerregistry/cmd/crane"),
    "registry": ("registry", "github.com/google/go-containerregistry/cmd/registry"),
    "sigstore": ("sigstore", "."),
}
SLOW = {"cosign"}
PASSWORD = {"COSIGN_PASSWORD": ""}
TYPE = "slsaprovenance1"  # what cosign calls the predicate of the tests' statement


@cache
def program(name: str) -> Path:
    """Return a program, built; skip if it cannot be had, or takes minutes and nobody asked for that."""
    folder, package = PROGRAMS[name]
    target = _kept(name, folder)
    if target.exists():
        return target
    if name in SLOW and os.environ.get("INTEROP") != "full":
        pytest.skip(f"NOT TESTED against {name}: it is not built so far; `make interop-full` does that")
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f"{target.name}.{os.getpid()}")
    built = build(folder, made, package)
    if isinstance(built, str):
        pytest.skip(f"NOT TESTED against {name}: {built}")
    made.replace(target)
    return target


def _kept(name: str, folder: str) -> Path:
    """Return where a program is kept: named by all that it is made of."""
    sources = sorted(path for path in (SOURCES / folder).iterdir() if path.suffix in {".mod", ".sum", ".go"})
    version = subprocess.run(["go", "env", "GOVERSION", "GOOS", "GOARCH"], capture_output=True, cwd=SOURCES / folder)
    return cache_place(name, version.stdout + b"".join(path.read_bytes() for path in sources))


@cache
def without_network() -> tuple[str, ...]:
    """Return what a command begins with to have no network; () where that is not allowed."""
    for words in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if shutil.which(words[0]) and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    return ()


def run(command: list[object], directory: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return "" or what a program says is wrong."""
    home = {"HOME": str(directory), "TUF_ROOT": str(directory / "tuf")}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=directory, env={**os.environ, **home, **(environment or {})}, capture_output=True, timeout=300
    )
    said = (done.stderr or done.stdout).decode(errors="replace").strip()
    return "" if done.returncode == 0 else said or f"exit code {done.returncode}"


def write(case: Case, directory: Path) -> None:
    """Write a case as files."""
    (directory / "b.json").write_text(json.dumps(case.bundle))
    (directory / "root.json").write_text(json.dumps(case.root))
    (directory / "artifact").write_bytes(case.artifact)
    (directory / "key.pub").write_text(case.key)


def cosign(case: Case, directory: Path, *options: str) -> str:
    """Return what cosign says, without a network."""
    write(case, directory)
    whom = ["--key", "key.pub"] if case.key else _identity(case)
    files = ["--bundle", "b.json", "--trusted-root", "root.json"]
    command = ["verify-blob-attestation", "--type", TYPE] if "dsseEnvelope" in case.bundle else ["verify-blob"]
    return run([*without_network(), program("cosign"), *command, *whom, *files, *options, "artifact"], directory)


def sigstore_go(case: Case, directory: Path) -> str:
    """Return what a program made with sigstore-go says, without a network."""
    write(case, directory)
    words = ["b.json", "root.json", "artifact"]
    words = ["key", *words, "key.pub"] if case.key else ["identity", *words, case.identity, ISSUER]
    return run([*without_network(), program("sigstore"), *words], directory)


def _identity(case: Case) -> list[str]:
    return ["--certificate-identity", case.identity, "--certificate-oidc-issuer", ISSUER]
