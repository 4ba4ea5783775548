"""The real command in a process of its own, whose memory is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

ORIGIN = "log.example.com"
MEMORY = 300 * 1000 * 1000  # bytes
# A process counts the memory of the one that started it into its own peak, so a small one starts the command.
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
sys.stdout.buffer.write(b"%d\\n" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss + done.stdout)
sys.exit(done.returncode)
"""


def command(
    directory: Path, *arguments: object, stdin: IO[bytes] | None = None, lines: bool = False
) -> tuple[dict[str, Any], int]:
    """Run the command in a process of its own; return its document and the process's peak memory in bytes.

    lines   it prints several documents, of which the last is returned
    """
    environment = os.environ | {f"XDG_{kind}_HOME": str(directory / "home") for kind in ("CONFIG", "STATE", "CACHE")}
    words = [sys.executable, "-c", _MEASURED, sys.executable, "-m", "tiletree", *map(str, arguments), "--json"]
    done = subprocess.run(words, stdin=stdin, stdout=subprocess.PIPE, cwd=directory, env=environment)
    assert done.returncode == 0, done.stdout
    peak, document = done.stdout.split(b"\n", 1)
    last = document.splitlines()[-1] if lines else document
    return json.loads(last), int(peak) * (1 if sys.platform == "darwin" else 1024)
