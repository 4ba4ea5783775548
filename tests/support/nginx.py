"""A log that nginx serves, configured as docs/hosting.md has it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
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
    written = _page("In `http").replace("/srv/log", str(folder / "log"))
    return _whole(folder, written.replace("server {", f"server {{ listen 127.0.0.1:{port}; {more}"), around)


def before_a_bucket(folder: Path, port: int, bucket: str) -> str:
    """Return what the document says of nginx before a bucket, for a bucket at another address."""
    server, asked = re.subn(r"https://log-example[^;]*/releases/(?=;)", bucket, _page("knows. It may keep"))
    assert asked == 1
    maps = _page("In `http").partition("server {")[0]
    written = server.replace("/var/cache/nginx/log", str(folder / "cache"))
    return _whole(folder, maps + written.replace("server {", f"server {{ listen 127.0.0.1:{port};"))


def _page(start: str) -> str:
    """Return the block of the document that follows the paragraph with a line that starts so."""
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(start)}.*\n(?:.+\n)*\n((?:    .*\n)+)", text, re.MULTILINE)
    assert found is not None
    return found[1]


def _whole(folder: Path, written: str, around: str = "") -> str:
    """Return a whole file of configuration."""
    places = " ".join(f"{name}_temp_path {folder}/{name};" for name in PLACES.split())
    user = "user root root;" if os.geteuid() == 0 else ""
    before = f"daemon off; {user} pid {folder}/pid; error_log {folder}/errors; events {{}}\n"
    return f"{before}http {{ access_log off; {TYPES} {places} {around}\n{written}}}\n"


@contextmanager
def nginx(folder: Path, objects: Mapping[str, bytes], more: str = "", around: str = "") -> Iterator[str]:
    """Serve a log, whose files are put below `folder/log`; return its address. Skips as `serving` does.

    more, around   see `configuration`
    """
    put(folder / "log", objects)
    with serving(folder, lambda port: configuration(folder, port, more, around)) as url:
        yield url


@contextmanager
def serving(folder: Path, configured: Callable[[int], str]) -> Iterator[str]:
    """Run nginx on a free port, with what is configured for it; return its address. Skip, loudly, if there is none."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("NOT TESTED with nginx: docs/hosting.md: there is no nginx on PATH")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(configured(port))
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
