"""The configuration of nginx in docs/hosting.md, run: its headers are those of the table, and what was wrong passes."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Chromium, site
from tests.support.nginx import nginx, put
from tests.support.web_logs import PLAIN, flip
from tests.support.web_server import PAGE
from tiles.read.http_fetcher import HttpFetcher
from tiles.store.ranges import Part

pytest_plugins = ["tests.support.browser_fixture"]

RUN_PATH = "index/leaf/1/0/000/000"
RUN = bytes(range(256)) * 300
INDEX = {"index/leaf/1/head": b"tiletree/index/v1\n", RUN_PATH: RUN}
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return the address of a log that nginx serves, and its directory."""
    objects = {**PAGE, **PLAIN, **INDEX, "checkpoints/302": b"x", "favicon.ico": b""}
    # a machine on which all that can be is compressed
    with nginx(tmp_path, objects, around="gzip on; gzip_types *; gzip_min_length 0;") as url:
        yield url, tmp_path / "log"


@pytest.mark.parametrize(
    ("path", "kind", "keeping"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("checkpoints/302", "text/plain; charset=utf-8", FOREVER),
        ("tile/0/000", "application/octet-stream", FOREVER),
        ("tile/entries/001.p/46", "application/octet-stream", FOREVER),
        ("tile/0/999", None, "no-store"),
        ("index/leaf/1/head", "text/plain; charset=utf-8", "no-cache"),
        (RUN_PATH, "application/octet-stream", FOREVER),
        ("index/leaf/1/0/001/000", None, "no-store"),
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


@pytest.mark.parametrize(("path", "encoding"), [(RUN_PATH, None), ("tile/0/000", "gzip")])
def test_what_may_be_compressed(served: tuple[str, Path], path: str, encoding: str | None) -> None:
    """Of an index nothing is, whatever the rest of the configuration says."""
    request = urllib.request.Request(served[0] + path, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.headers["Content-Encoding"] == encoding


def test_parts_of_an_index(served: tuple[str, Path]) -> None:
    """A part of a run comes as it is, and may be kept as the run may."""
    headers = {"Range": "bytes=4096-8191", "Accept-Encoding": "gzip"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{served[0]}{RUN_PATH}", headers=headers), timeout=20
    ) as answer:
        assert (answer.status, answer.read()) == (206, RUN[4096:8192])
        assert (answer.headers["Content-Encoding"], answer.headers["Cache-Control"]) == (None, FOREVER)
    assert HttpFetcher(served[0]).fetch_range(RUN_PATH, 4096, 8192, len(RUN)) == Part(4096, RUN[4096:8192])


def test_what_was_wrong_once(chromium: Chromium, served: tuple[str, Path]) -> None:
    """Tiles that were damaged or gone, under these headers, are read once they are right."""
    url, root = served
    put(root, {"tile/0/000": flip(PLAIN["tile/0/000"], 9)})
    (root / "tile/entries/000").unlink()
    with site(chromium, {}, faults=True, own=True) as one:
        one.server.url = url
        one.open()
        one.ask("9")
        assert one.said()[0] == "tile"
        put(root, {"tile/0/000": PLAIN["tile/0/000"]})
        one.ask("9")
        assert one.said()[0] == "network"
        put(root, {"tile/entries/000": PLAIN["tile/entries/000"]})
        for _ in range(2):
            one.ask("9")
            assert one.said()[1] == "In the log: entry 9 of 302"
            one.reload()


@pytest.mark.slow
def test_what_a_log_withholds_is_denied(tmp_path: Path) -> None:
    """The lines of docs/operations.md deny the bundle that they name, and nothing else."""
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    lines = re.findall(r"`(location [^`]+)`", page)
    assert len(lines) == 2
    paths = ["tile/entries/000", "tile/entries/000.p/3", "tile/entries/000.p/255", "tile/0/000", "tile/entries/001.p/3"]
    with nginx(tmp_path, dict.fromkeys(paths, b"x"), " ".join(lines)) as url:
        answered = {}
        for path in paths:
            try:
                with urllib.request.urlopen(f"{url}{path}", timeout=10) as answer:
                    answered[path] = answer.status
            except urllib.error.HTTPError as error:
                answered[path] = error.code
    assert list(answered.values()) == [404, 404, 404, 200, 200]
