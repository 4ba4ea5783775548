"""The contestants that others have written: where they come from, or why one of them cannot be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.bench.processes import ROOT

GO = Path(__file__).parent / "go" / "peers"
TESSERA, TORCHWOOD, SUMDB = "github.com/transparency-dev/tessera", "filippo.io/torchwood", "golang.org/x/mod"

# what holds of a log in a directory once the program has answered
SAFE = "crash-safe, locked, synced, anchored"
OF_TESSERA = (
    "crash-safe, locked, synced; no anchor; a checkpoint each 100 ms, entries are handed over without waiting for it"
)
OF_AICS = "each file synced; no lock, no anchor"
OF_AICS_FIRST = "each file synced, the entries before, so the caller can go on after a crash; no lock, no anchor"
OF_SCALES = "files synced, but not crash-safe, by its own README; no lock, no anchor"


@dataclass(frozen=True)
class Ours:
    """A way to run tiletree. environment: what chooses it; jobs: how many cores it may use"""

    name: str
    environment: dict[str, str]


def ours() -> list[Ours]:
    """Return the ways to run tiletree that there are here."""
    found = [Ours("tiletree", {"TILETREE_NATIVE": "0"})]
    return [*found, Ours("tiletree[native]", {"TILETREE_NATIVE": "1"})] if not no_native() else found


def no_native() -> dict[str, str]:
    """Return why there is no native part, as what is left out."""
    if find_spec("tiletree_native") is None:
        return {"tiletree[native]": "tiletree-native is not installed; `make native` builds it"}
    return {}


def no_scales() -> dict[str, str]:
    """Return why there is no tlog-scales."""
    return {} if find_spec("tlog_scales") else {"tlog-scales": "the extra `bench` is not installed"}


def aics_pin() -> str:
    """Return the release that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra: list[str] = project["optional-dependencies"]["bench"]
    return next(name.partition(";")[0] for name in extra if name.startswith("aics-tlog"))


@cache
def aics_python() -> str:
    """Return the interpreter that has aics-tlog, which needs Python 3.12; "" if there is none. It may be made first."""
    if find_spec("aics_tlog") is not None:
        return sys.executable
    place = Path(sys.prefix) / "aics-tlog"
    python = place / "bin" / "python"
    if _works([str(python), "-c", "import aics_tlog"]):
        return str(python)
    for newer in _newer_pythons():
        if _works([newer, "-m", "venv", "--clear", str(place)]) and _works(
            [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", aics_pin()]
        ):
            return str(python)
    return ""


def _newer_pythons() -> Iterator[str]:
    names = [f"python3.{minor}" for minor in range(14, 11, -1)]
    yield from (found for name in names if (found := shutil.which(name)))
    for name in names:
        version = name.removeprefix("python")
        yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python3")))


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def no_aics() -> dict[str, str]:
    """Return why there is no aics-tlog."""
    return {} if aics_python() else {"aics-tlog": "it needs Python 3.12 or later, or cannot be had"}


def aics_version() -> str:
    """Return which release on which interpreter."""
    code = "import platform; print(platform.python_version())"
    done = subprocess.run([aics_python(), "-c", code], capture_output=True, text=True, check=True)
    return f"{aics_pin().partition('==')[2]} (Python {done.stdout.strip()})"


@cache
def go_program() -> tuple[str, str]:
    """Return the program that runs the contestants in Go, or "" and why there is none. It is kept in .venv."""
    if shutil.which("go") is None:
        return "", "there is no Go toolchain"
    program = Path(sys.prefix) / "bench-peers"
    environment = os.environ | {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    command = ["go", "build", "-o", str(program), "."]
    done = subprocess.run(command, cwd=GO, env=environment, capture_output=True, text=True, check=False)
    return (str(program), "") if done.returncode == 0 else ("", f"it does not build: {done.stderr.strip()[-300:]}")


def no_go(*names: str) -> dict[str, str]:
    """Return why these contestants in Go are not there."""
    program, why = go_program()
    return {} if program else dict.fromkeys(names, why)


@cache
def go_version(module: str) -> str:
    """Return the version of a module that is pinned."""
    text = (GO / "go.mod").read_text(encoding="utf-8")
    return next(line.split()[1] for line in text.splitlines() if line.strip().startswith(module))


@cache
def toolchain() -> str:
    """Return which Go there is; "" for none."""
    if shutil.which("go") is None:
        return ""
    done = subprocess.run(["go", "env", "-json", "GOVERSION"], capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, str] = json.loads(done.stdout)
    return found["GOVERSION"].removeprefix("go")
