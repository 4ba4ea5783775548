"""Environments of Python with packages that only one test needs, made once and kept; and the function's package."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.interop.peers import cache_place

_REQUIREMENTS = Path(__file__).parent / "python"
_PACKAGE = Path(__file__).resolve().parents[2] / "deploy/lambda/package.py"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install", "--only-binary=:all:")


@cache
def installed(name: str, python: str = sys.executable) -> Path:
    """Return the Python of an environment that has what `python/NAME.txt` lists, made on first use.

    Skips the test if the packages cannot be had.
    """
    listed = _REQUIREMENTS / f"{name}.txt"
    version = subprocess.run([python, "--version"], capture_output=True, check=True).stdout
    place = cache_place(name, version + listed.read_bytes())
    if not (place / "made").exists():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(place)], check=True)
        install = [str(place / "bin/python"), *_PIP, "--requirement", str(listed)]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT TESTED with {name}: its packages cannot be had: {done.stderr.strip()[-500:]}")
        (place / "made").touch()
    return place / "bin/python"


def machine() -> str:
    """Return what Lambda calls a machine such as this one; skips the test if it has none."""
    if platform.machine() not in _MACHINES:
        pytest.skip(f"NOT TESTED: Lambda has no {platform.machine()}, for which the package could be made")
    return _MACHINES[platform.machine()]


def make_package(folder: Path) -> Path:
    """Make the package that `make package` makes for this machine; skips the test if its wheels cannot be had."""
    build = [sys.executable, str(_PACKAGE), "build", str(folder), machine()]
    done = subprocess.run(build, capture_output=True, text=True)
    if "pip cannot get the wheels" in done.stderr and "HASH" not in done.stderr.upper():
        pytest.skip(f"NOT TESTED: {done.stderr.strip()[-500:]}")
    assert done.returncode == 0, done.stderr
    return folder / f"tiletree-lambda-{machine()}.zip"
