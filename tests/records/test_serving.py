"""What the objects of a log in a bucket tell browsers and caches: every one of a log that has had all done to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.bucket_logs import LOG, begin, contents, files
from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tiles.notes.policy import parse_policy
from tiles.page import install_page
from tiles.records.paths import index_head_path, run_file_path, run_tile_path
from tiles.records.serving import BYTES, DAILY, FRESH, IMMUTABLE, TEXT, headers_of, public_serving
from tiles.tree.layout import Tile
from tiles.user.places import public_store

KEPT = {
    r"checkpoint": (TEXT, FRESH),
    r"policy\.txt": (TEXT, DAILY),
    r"tile/[0-9]+/.*": (BYTES, IMMUTABLE),
    r"tile/entries/.*": (BYTES, IMMUTABLE),
    r"checkpoints/.*": (TEXT, IMMUTABLE),
    r"payload/sha256/[0-9a-f]{64}": (BYTES, IMMUTABLE),
    r"[a-z0-9-]+\.html": ("text/html; charset=utf-8", DAILY),
    r"(?:page|verifier)/[a-z0-9_]+\.js": ("text/javascript; charset=utf-8", DAILY),
    r"[a-z0-9-]+\.css": ("text/css; charset=utf-8", DAILY),
    r"[a-z0-9-]+\.svg": ("image/svg+xml", DAILY),
}
PARTS = (r"head", r"settings", r"staging/.*", r"policies/.*", r"rejected/.*", r"inbox/.*", r"set-aside/.*")


def is_kind(path: str, kinds: Iterator[str] | tuple[str, ...]) -> list[str]:
    """Return the kinds of objects that a path is of."""
    return [kind for kind in kinds if re.fullmatch(kind, path)]


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def grown(request: pytest.FixtureRequest, tiletree: Command, s3: ObjectServer) -> tuple[ObjectServer, bool]:
    """A log with full and partial tiles, a payload, refused and waiting submissions, a set-aside object, the page."""
    gzip: bool = request.param
    vkey = begin(tiletree, LOG, "s3://private/log", *(["--gzip"] if gzip else []), "--anchor", "s3://anchors/a")
    Path("lines").write_text("".join(f"{n}\n" for n in range(300)))
    tiletree.ok("add", LOG, "--lines", "lines")
    tiletree.ok("add", LOG, "--payload", *files("a"))
    s3.put("private", f"log/inbox/eve/{'0' * 32}-{'1' * 64}", b"this is no submission at all, it is far too odd")
    tiletree.ok("submit", LOG, "a", "--submitter", "ann")
    tiletree.ok("sequence", LOG)
    tiletree.ok("submit", LOG, "a", "--submitter", "ann")
    s3.put("public", "log/tile/0/001", b"something foreign at a place of later")
    tiletree.ok("repair", LOG, "--head", "--vkey", vkey)
    install_page(public_store(LOG), parse_policy(f"log {vkey}\nquorum none\n".encode()))
    return s3, gzip


@pytest.mark.usefixtures("whole_page")
def test_every_object(grown: tuple[ObjectServer, bool]) -> None:
    """Each public object has the type and the time to keep of its kind, each private one is kept by nobody."""
    server, gzip = grown
    found: set[str] = set()
    for bucket, objects in contents(server).items():
        for key in objects:
            path = key.partition("/")[2]
            headers = server.headers(bucket, key)
            said = headers["content-type"], headers.get("cache-control")
            if bucket == "public":
                (kind,) = {KEPT[each] for each in is_kind(path, tuple(KEPT))}
                found |= set(is_kind(path, tuple(KEPT)))
            else:
                kind = (BYTES, "no-store")
                found |= set(is_kind(path, PARTS))
                assert bucket == "anchors" or is_kind(path, PARTS), path
            assert said == kind, key
            is_encoded = headers.get("content-encoding") == "gzip"
            assert is_encoded == (gzip and bucket == "public" and path.startswith("tile/entries/")), key
            assert is_encoded == objects[key].startswith(b"\x1f\x8b"), key
    assert found >= set(KEPT) - {r"[a-z0-9-]+\.svg"}
    assert found >= {r"head", r"settings", r"policies/.*", r"rejected/.*", r"inbox/.*", r"set-aside/.*"}


def test_what_a_reader_is_told(grown: tuple[ObjectServer, bool]) -> None:
    """The same headers come with what a browser gets."""
    server, _ = grown
    for path, kind in (("checkpoint", KEPT["checkpoint"]), ("tile/0/000", KEPT[r"tile/[0-9]+/.*"])):
        with urlopen(f"{server.url}/public/log/{path}", timeout=10) as answer:
            assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index/sha256/00", (BYTES, IMMUTABLE)),
        ("index/leaf/1/head", (TEXT, FRESH)),
        ("index/leaf/1/0/000/000", (BYTES, IMMUTABLE)),
        ("pending", (TEXT, FRESH)),
        ("verify.html", ("text/html; charset=utf-8", DAILY)),
        ("style.css", ("text/css; charset=utf-8", DAILY)),
        ("data.json", ("application/json", DAILY)),
        ("unknown", (BYTES, DAILY)),
        ("unknown.exe", (BYTES, DAILY)),
        ("a.html/b", (BYTES, DAILY)),
        # hostile names: never what a browser would run
        ("payload/x.html", (BYTES, IMMUTABLE)),
        ("tile/entries/x.js", (BYTES, IMMUTABLE)),
        ("index/x.svg", (BYTES, IMMUTABLE)),
        ("checkpoints/x.html", (TEXT, IMMUTABLE)),
        ("index/x/head", (BYTES, IMMUTABLE)),
        (index_head_path("acme.build/12"), (TEXT, FRESH)),
        (run_file_path("leaf/1", 0, 1234, 3), (BYTES, IMMUTABLE)),
        (run_tile_path("leaf/1", 0, 1234, Tile(0, 0, 3)), (BYTES, IMMUTABLE)),
    ],
)
def test_kinds(path: str, kind: tuple[str, str]) -> None:
    """By path alone; below tile/ and payload/, and in runs of an index, there is nothing but bytes."""
    assert headers_of(path) == {"Content-Type": kind[0], "Cache-Control": kind[1]}


def test_nothing_of_an_index_is_encoded() -> None:
    """Runs are read in ranges, also where entry bundles are stored encoded."""
    serve = public_serving(gzip=True)
    assert serve("tile/entries/000").gzip
    assert not any(serve(path).gzip for path in (index_head_path("leaf/1"), run_file_path("leaf/1", 0, 0, 0)))


def test_the_table_of_the_document() -> None:
    """docs/hosting.md demands of every server what is stored with the objects of a log in a bucket."""
    page = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", page, flags=re.MULTILINE)[:5]]
    run = run_file_path("leaf/1", 0, 0, 0)
    samples = [
        ["checkpoint", "pending", index_head_path("leaf/1")],
        ["tile/0/000", "tile/entries/000.p/1", f"payload/sha256/{'0' * 64}", run],
        ["checkpoints/302", "checkpoints/days/2026-01-31"],
        ["policy.txt"],
        ["index.html", "page/app.js", "style.css", "icon.svg"],
    ]
    said = {FRESH: "`no-cache`, or at most 5 seconds", IMMUTABLE: f"`{IMMUTABLE}`", DAILY: "at most 5 minutes"}
    assert f"max-age={5 * 60}" in DAILY
    for (_, kind, keeping), paths in zip(rows, samples, strict=True):
        for path in paths:
            stored = headers_of(path)
            assert stored["Content-Type"].partition(";")[0] in kind, path
            assert said[stored["Cache-Control"]] in keeping, path
