"""Node.js for tests: where it is, and one process that runs many scripts with the verifier's names at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Script = Callable[..., str]
ROOT = Path(__file__).resolve().parents[2]
SESSION = ROOT / "tests" / "web" / "session.mjs"


def node() -> str:
    """Return where Node is; skip, loudly, where it is not."""
    found = shutil.which("node")
    if not found:
        pytest.skip("NOT TESTED: web/*.js, the JavaScript verifier: there is no node on PATH")
    return found


class Session:
    """One process of Node that runs scripts one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([node(), SESSION], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, body: str) -> str:
        """Return what the body of an async function prints with `print`, or the code of its error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(body) + "\n")
        self._process.stdin.flush()
        return str(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)
