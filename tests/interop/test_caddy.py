"""The configuration of Caddy in docs/hosting.md, run by Caddy: its headers are those of the page's tables."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.interop.peers import build
from tests.interop.servers import free_port, running
from tests.support.nginx import put
from tests.support.node import ROOT
from tests.support.web_logs import PLAIN
from tests.support.web_server import PAGE
from tiles.read.http_fetcher import HttpFetcher
from tiles.records.serving import BYTES, IMMUTABLE, TEXT, headers_of
from tiles.store.ranges import Part

pytestmark = [pytest.mark.interop, pytest.mark.slow]  # it takes minutes to build

RUN_PATH = "index/leaf/1/0/000/000"
RUN = bytes(range(256)) * 300
INDEX = {"index/leaf/1/head": b"tiletree/index/v1\n", RUN_PATH: RUN}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a log that Caddy serves."""
    folder = tmp_path_factory.mktemp("caddy")
    built = build("caddy", folder / "caddy", "github.com/caddyserver/caddy/v2/cmd/caddy")
    if isinstance(built, str):
        pytest.skip(f"NOT TESTED with Caddy: docs/hosting.md: {built}")
    put(folder / "log", {**PAGE, **PLAIN, **INDEX, "checkpoints/302": b"x"})
    (written,) = re.findall(
        r"^```caddy\n(.*?)^```$", (ROOT / "docs" / "hosting.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    port = free_port()
    place = written.replace("log.example.com {", f"http://127.0.0.1:{port} {{").replace("/srv/log", str(folder / "log"))
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{place}")
    command = [str(folder / "caddy"), "run", "--config", str(folder / "Caddyfile")]
    home = {name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    with running(command, home, folder, port):
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    ("path", "kind", "keeping"),
    [
        ("checkpoint", TEXT, "no-cache"),
        ("checkpoints/302", TEXT, IMMUTABLE),
        ("tile/0/000", BYTES, IMMUTABLE),
        ("tile/entries/001.p/46", BYTES, IMMUTABLE),
        ("tile/0/999", None, "no-store"),
        ("index/leaf/1/head", TEXT, "no-cache"),
        (RUN_PATH, BYTES, IMMUTABLE),
        ("index/leaf/1/0/001/000", None, "no-store"),
        ("policy.txt", TEXT, "no-cache"),
        ("page/app.js", "text/javascript; charset=utf-8", "no-cache"),
        ("", "text/html; charset=utf-8", "no-cache"),
    ],
)
def test_headers(served: str, path: str, kind: str | None, keeping: str) -> None:
    """Objects are kept as the table says, and an answer without the object is not kept at all."""
    request = urllib.request.Request(served + path, headers={"Accept-Encoding": "gzip"})
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert answer.status == (404 if kind is None else 200)
        assert answer.headers["Cache-Control"] == keeping
        assert kind in (None, answer.headers["Content-Type"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert bool(answer.headers["Content-Security-Policy"]) == (path == "")
        assert answer.headers["Content-Encoding"] is None or not path.startswith("index/")
    if kind is not None and path.startswith(("checkpoint", "tile/", "index/")):
        assert headers_of(path)["Content-Type"] == kind


def test_parts_of_an_index(served: str) -> None:
    """A part of a run comes as it is."""
    assert HttpFetcher(served).fetch_range(RUN_PATH, 4096, 8192, len(RUN)) == Part(4096, RUN[4096:8192])
