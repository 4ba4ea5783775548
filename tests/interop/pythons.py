"""The Python that the function's package and the container are made for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def python_3_13() -> str:
    """Return the path of a Python 3.13 on a machine with x86-64; skips the test where there is none."""
    installed = sorted(map(str, Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13")))
    own = [sys.executable] if sys.version_info[:2] == (3, 13) else []
    for candidate in filter(None, [*own, *installed, shutil.which("python3.13")]):
        check = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    pytest.skip("NOT TESTED: there is no Python 3.13")
