"""The configuration of nginx in docs/hosting.md, run: its headers are those of the table, and what was wrong passes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.browser import Chromium, site
from tests.support.node import ROOT
from tests.support.web_logs import PLAIN, flip
from tests.support.web_server import PAGE

pytest_plugins = ["tests.support.browser_fixture"]

FOREVER = "public, max-age=31536000, immutable"
PLACES = "client_body proxy fastcgi uwsgi scgi"
TYPES = "types { text/html html; text/css css; text/javascript js; image/svg+xml svg; text/plain txt; }"


def put(root: Path, name: str, data: bytes) -> None:
    """Write a file of a log."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def configuration(root: Path, port: int) -> str:
    """Return what the document says, with what stands around it on any machine."""
    text = (ROOT / "docs" / "hosting.md").read_text()
    found = re.search(r"nginx, in `http .*\n\n((?:    .*\n)+)", text)
    assert found is not None
    written = found[1].replace("/srv/log", str(root / "log")).replace("server {", f"server {{ listen 127.0.0.1:{port};")
    places = " ".join(f"{name}_temp_path {root}/{name};" for name in PLACES.split())
    user = "user root root;" if os.geteuid() == 0 else ""
    before = f"daemon off; {user} pid {root}/pid; error_log {root}/errors; events {{}}\n"
    return f"{before}http {{ access_log off; {TYPES} {places}\n{written}}}\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return the address of a log that nginx serves, and its directory."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("NOT TESTED with nginx: docs/hosting.md: there is no nginx on PATH")
    for name, data in {**PAGE, **PLAIN, "checkpoints/302": b"x", "favicon.ico": b""}.items():
        put(tmp_path / "log", name, data)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(configuration(tmp_path, port))
    with subprocess.Popen([program, "-e", f"{tmp_path}/errors", "-c", f"{tmp_path}/nginx.conf"]) as running:
        for _ in range(100):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            with pytest.raises(subprocess.TimeoutExpired):  # it would end if it could not start
                running.wait(0.1)
        yield f"http://127.0.0.1:{port}/", tmp_path / "log"
        running.terminate()


@pytest.mark.parametrize(
    ("path", "kind", "keeping"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("checkpoints/302", "text/plain; charset=utf-8", FOREVER),
        ("tile/0/000", "application/octet-stream", FOREVER),
        ("tile/entries/001.p/46", "application/octet-stream", FOREVER),
        ("tile/0/999", None, "no-store"),
        ("policy.txt", "text/plain", "no-cache"),
        ("page/app.js", "text/javascript", "no-cache"),
        ("", "text/html", "no-cache"),
    ],
)
def test_headers(served: tuple[str, Path], path: str, kind: str | None, keeping: str) -> None:
    """Objects are kept as the table says, and an answer without the object is not kept at all."""
    try:
        answer = urllib.request.urlopen(served[0] + path, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.headers["Cache-Control"] == keeping
        assert kind in (None, answer.headers["Content-Type"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert bool(answer.headers["Content-Security-Policy"]) == (path == "")


def test_what_was_wrong_once(chromium: Chromium, served: tuple[str, Path]) -> None:
    """Tiles that were damaged or gone, under these headers, are read once they are right."""
    url, root = served
    put(root, "tile/0/000", flip(PLAIN["tile/0/000"], 9))
    (root / "tile/entries/000").unlink()
    with site(chromium, {}, faults=True, own=True) as one:
        one.server.url = url
        one.open()
        one.ask("9")
        assert one.said()[0] == "tile"
        put(root, "tile/0/000", PLAIN["tile/0/000"])
        one.ask("9")
        assert one.said()[0] == "network"
        put(root, "tile/entries/000", PLAIN["tile/entries/000"])
        for _ in range(2):
            one.ask("9")
            assert one.said()[1] == "In the log: entry 9 of 302"
            one.reload()
