"""Looking after a log in a bucket, its entries gzip-encoded: import, repair, gc, payloads; as in a directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import anything, reading
from tiles.store import probe
from tiles.store.bounded_gzip import MAGIC, decode, encode

SIZE = 700
LOG, PRIVATE = "s3://public/log", "s3://private/log"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    """Serve two buckets."""
    pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")
    monkeypatch.setattr(probe, "ROUNDS", 1)  # tests of races have more
    access = {"owner": anything, "": reading("public")}
    with ObjectServer("s3", buckets=["public", "private"], access=access, page=50) as server:
        for name, value in server.environment("owner").items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def vkey(tiletree: Command, log: str, server: ObjectServer) -> str:
    """Return the vkey of a log in the bucket that was imported from one in a directory, in several steps."""
    made: str = tiletree.ok(
        "init", LOG, "--private", PRIVATE, "--gzip", "--origin", "log.example.com/copy", "--key", "k2"
    )["vkey"]
    size = 2
    for upto in (100, 300, 600, SIZE):
        lines = b"".join(b"line %d\n" % n for n in range(size, upto))
        tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=lines)
        done = tiletree.ok("import", "log", LOG, "--vkey", log)
        assert (done["first_index"], done["size"]) == (size if size > 2 else 0, upto)
        size = upto
    return made


def stored(server: ObjectServer, bucket: str = "public") -> dict[str, bytes]:
    """Return the objects of one part as they are stored."""
    return {key.removeprefix("log/"): data for key, data in server.objects[bucket].items() if key.startswith("log/")}


def test_import(tiletree: Command, log: str, vkey: str, server: ObjectServer) -> None:
    """The log in the bucket has the root of the one in the directory; its bundles are stored encoded."""
    assert tiletree.ok("info", LOG, "--vkey", vkey)["root"] == tiletree.ok("info", "log", "--vkey", log)["root"]
    assert stored(server)["tile/entries/000"].startswith(MAGIC)
    assert tiletree.ok("audit", LOG, "--vkey", vkey)["findings"] == []


def test_repair(tiletree: Command, log: str, vkey: str, server: ObjectServer) -> None:
    """What is lost or wrong in a bucket comes back, decoded the same; what was wrong is in the private bucket."""
    before = stored(server)
    server.remove("public", "log/tile/0/000")
    server.remove("public", "log/tile/entries/001")
    server.put("public", "log/tile/0/001", b"wrong")
    server.put("public", "log/tile/0/009", b"foreign")
    dry = tiletree("repair", LOG, "--from", "log", "--vkey", vkey, "--dry-run", "--json").json
    assert stored(server).keys() == (before.keys() - {"tile/0/000", "tile/entries/001"}) | {"tile/0/009"}
    done = tiletree("repair", LOG, "--from", "log", "--vkey", vkey, "--json").json
    assert done.pop("aside").startswith("set-aside/")
    assert {**done, "dry_run": True, "notes": dry["notes"]} == dry
    assert (done["put_back"], done["replaced"], done["set_aside"]) == (2, 1, 0)
    assert [finding["path"] for finding in done["findings"]] == ["tile/0/009"]
    done = tiletree.ok("repair", LOG, "--head", "--vkey", vkey)
    assert (done["head"]["size"], done["set_aside"], done["findings"]) == (SIZE, 1, [])
    after = stored(server)
    assert after.keys() == before.keys()
    for path, data in before.items():
        if path.startswith("tile/entries/"):
            assert decode(after[path], 1 << 20) == decode(data, 1 << 20)
        elif path.startswith("tile/"):
            assert after[path] == data
    aside = {path.split("/", 2)[2]: data for path, data in stored(server, "private").items() if "set-aside/" in path}
    assert aside == {"tile/0/001": b"wrong", "tile/0/009": b"foreign"}
    assert tiletree.ok("audit", LOG, "--vkey", vkey)["findings"] == []


def test_a_bundle_that_cannot_be_decoded(tiletree: Command, vkey: str, server: ObjectServer) -> None:
    """A bundle that is none, encoded or not, is replaced from the mirror."""
    path = "tile/entries/000"
    for wrong in (encode(b"no bundle"), b"no bundle"):
        server.put("public", f"log/{path}", wrong)
        done = tiletree.ok("repair", LOG, "--from", "log", "--vkey", vkey)
        assert done["replaced"] == 1
    assert tiletree.ok("audit", LOG, "--vkey", vkey)["findings"] == []


def test_gc(tiletree: Command, vkey: str, server: ObjectServer) -> None:
    """gc takes the partial tiles of earlier trees, and what trying out a bucket has left a day ago."""
    before = stored(server)
    found = tiletree.ok("gc", LOG, "--grace", 0)
    gone = before.keys() - stored(server).keys()
    assert {path for path in gone if not path.startswith("tile/")} == set()
    assert (found["tiles"], found["bundles"]) == (2, 2)
    assert len(gone) == 4
    assert tiletree.ok("audit", LOG, "--vkey", vkey)["findings"] == []


def test_payloads(tiletree: Command, vkey: str, server: ObjectServer) -> None:
    """Payloads go to the bucket, and come back."""
    index = tiletree.ok("add", LOG, "a", "--payload")["entries"][0]["index"]
    (path,) = [path for path in stored(server) if path.startswith("payload/")]
    assert stored(server)[path] == Path("a").read_bytes()
    tiletree.ok("get", LOG, index, "--payload", "-o", "out", "--vkey", vkey)
    assert Path("out").read_bytes() == Path("a").read_bytes()
