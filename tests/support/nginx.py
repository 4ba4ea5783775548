"""A log that nginx serves, configured as docs/hosting.md has it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.node import ROOT

PLACES = "client_body proxy fastcgi uwsgi scgi"
TYPES = "types { text/html html; text/css css; text/javascript js; image/svg+xml svg; text/plain txt; }"


def put(root: Path, objects: Mapping[str, bytes]) -> None:
    """Write files of a log."""
    for name, data in objects.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def configuration(folder: Path, port: int, more: str = "", around: str = "") -> str:
    """Return what the document says, with what stands around it on any machine.

    more     what else is said of the server
    around   what else is said outside it
    """
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    found = re.search(r"In `http .*\n\n((?:    .*\n)+)", text)
    assert found is not None
    root = str(folder / "log")
    written = found[1].replace("/srv/log", root).replace("server {", f"server {{ listen 127.0.0.1:{port}; {more}")
    places = " ".join(f"{name}_temp_path {folder}/{name};" for name in PLACES.split())
    user = "user root root;" if os.geteuid() == 0 else ""
    before = f"daemon off; {user} pid {folder}/pid; error_log {folder}/errors; events {{}}\n"
    return f"{before}http {{ access_log off; {TYPES} {places} {around}\n{written}}}\n"


@contextmanager
def nginx(folder: Path, objects: Mapping[str, bytes], more: str = "", around: str = "") -> Iterator[str]:
    """Serve a log, whose files are put below `folder/log`; return its address. Skip, loudly, where there is no nginx.

    more, around   see `configuration`
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("NOT TESTED with nginx: docs/hosting.md: there is no nginx on PATH")
    put(folder / "log", objects)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(configuration(folder, port, more, around))
    with subprocess.Popen([program, "-e", f"{folder}/errors", "-c", f"{folder}/nginx.conf"]) as running:
        try:
            wait_for(port, running)
            yield f"http://127.0.0.1:{port}/"
        finally:
            running.terminate()


def wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    """Return once the server answers; fail if it has ended, or does not answer in 20 seconds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert running.poll() is None, f"nginx ended with exit code {running.returncode}"
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx does not answer")
