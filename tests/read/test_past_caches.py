"""What a cache keeps, and what is asked for once more past it: missing, malformed, and what does not verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import fault_server as answers
from tests.support.caches import LONG_PAGE, PAGE, WRONG, Cache, Everything
from tests.support.fault_server import Server, serving
from tests.support.http_fetching import Sleeper, fetcher
from tests.support.readers import OTHER_KEY, POLICY, Objects, entry, make_log
from tests.support.sampling import quickly
from tiles.entries.file_digest import digest_entry
from tiles.entries.payload import fetch_payload
from tiles.errors import AccessError, LogError, NotFound, SignatureError, TileError, VerificationError
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.trust import resolve
from tiles.records.paths import POLICY as POLICY_PATH
from tiles.records.paths import payload_path
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash
from tiles.user.trusted_keys import Trust

SIZE = 600
PATHS = ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/000", "tile/entries/002.p/88", CHECKPOINT]
EDGE = {"tile/0/002.p/88", "tile/1/000.p/2"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve a log."""
    with serving(make_log(SIZE)) as server:
        yield server


def read_all(url: str) -> None:
    """Read all of a log, and check that it is right."""
    client = LogClient(fetcher(url), POLICY)
    assert client.find(leaf_hash(entry(599))) == [599]
    assert list(client.entries(0, SIZE)) == [(index, entry(index)) for index in range(SIZE)]


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("obeys", quickly([True, False], [False]), ids=["obeys", "ignores no-cache"])
def test_what_a_cache_has_kept(server: Server, path: str, obeys: bool, change: Callable[[bytes], bytes | None]) -> None:
    """What is wrong in a cache only is read from the log's server; what was right in it is not asked for again."""
    cache = Cache(server, obeys=obeys)
    cache.kept[path] = change(server.objects[path])
    read_all(server.url)
    again = [at for at, headers in server.requests if headers.get("Cache-Control") == "no-cache"]
    allowed = {path}
    if path in EDGE:  # together they lead to the root, so any of them may be the wrong one, and a full one may be there
        allowed |= EDGE | {one.partition(".")[0] for one in EDGE}
    assert {at.partition("?")[0].removeprefix("/") for at in again} <= allowed | {path.partition(".")[0]}
    own = [at for at in again if at.partition("?")[0] == f"/{path}"]
    assert own
    assert any("?" in at for at in own) is (not obeys)


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("path", PATHS)
def test_then_it_is_the_logs_fault(server: Server, path: str, change: Callable[[bytes], bytes | None]) -> None:
    """What the log's own server has wrong is told once it was asked for again, and then by another query."""
    data = change(server.objects.pop(path))
    if data is not None:
        server.objects[path] = data
    with pytest.raises((LogError, AccessError)) as caught:
        read_all(server.url)
    assert f"{server.url}/{path}" in caught.value.message or "neither" in caught.value.message
    requests = [at.partition("?") for at, _ in server.requests]
    assert [query for at, _, query in requests if at == f"/{path}"][:2] == ["", ""]
    assert len([at for at, _, _ in requests if at == f"/{path}"]) == 3


def test_a_server_that_refuses_a_query(server: Server) -> None:
    """Where another query is refused, what came without it counts."""

    def strict(handler: answers.Handler) -> None:
        data = server.objects.get(handler.path.removeprefix("/"))
        handler.send(403 if "?" in handler.path else 404 if data is None else 200, data or b"")

    server.objects["tile/0/000"] = bytes(8192)
    server.script = Everything(strict)
    with pytest.raises(TileError, match="tile/0/000: hashes to"):
        read_all(server.url)
    del server.objects["tile/0/000"]
    with pytest.raises(NotFound):
        read_all(server.url)


def test_a_query_of_the_log(server: Server) -> None:
    """A log whose address has a query keeps it, in front of the other one."""
    cache = Cache(server, obeys=False)
    cache.kept["tile/0/000?token=t"] = PAGE
    client = LogClient(fetcher(f"{server.url}?token=t"), POLICY)
    assert client.entry(3) == entry(3)
    assert [at for at, _ in server.requests if at.startswith("/tile/0/000?token=t&past=")]


def test_what_cannot_be_asked_again(server: Server) -> None:
    """A server that is gone by the second request is a broken way, not a wrong log."""
    server.script["/tile/0/000"] = [answers.body(bytes(8192)), answers.status(503)]
    with pytest.raises(AccessError, match="tile/0/000: the server answers 503"):
        read_all(server.url)


# ---- a host that answers every address


@pytest.mark.parametrize("page", [PAGE, LONG_PAGE], ids=["short", "long"])
def test_partial_tiles_that_were_collected(page: bytes) -> None:
    """Where each address has a page, a partial tile that is gone is cut from the full one; nothing is asked anew."""
    objects = {path: data for path, data in make_log(300, SIZE).items() if ".p/44" not in path}
    objects[CHECKPOINT] = make_log(300)[CHECKPOINT]
    with serving(objects) as server:
        server.script = Everything(
            lambda handler: handler.send(200, server.objects.get(handler.path.removeprefix("/"), page))
        )
        client = LogClient(fetcher(server.url), POLICY)
        assert list(client.entries(0, 300)) == [(index, entry(index)) for index in range(300)]
        assert not [at for at, headers in server.requests if "Cache-Control" in headers or "?" in at]


@pytest.mark.parametrize(
    "wrong", [lambda data: data[:71], lambda data: data[::-1], lambda _data: b"", lambda data: data + data]
)
@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44"])
def test_a_partial_tile_that_is_wrong(path: str, wrong: Callable[[bytes], bytes]) -> None:
    """A partial tile or bundle that is wrong in any way is asked for as the full one, also where no cache can be."""
    objects = make_log(300, SIZE)
    objects |= {CHECKPOINT: make_log(300)[CHECKPOINT], path: wrong(objects[path])}
    log = Objects(objects)
    client = LogClient(log, POLICY)
    assert list(client.entries(0, 300)) == [(index, entry(index)) for index in range(300)]
    assert path.partition(".")[0] in log.asked


def test_a_partial_tile_that_is_wrong_and_no_full_one() -> None:
    """Without a full one, the partial one is what is told."""
    objects = make_log(300)
    objects["tile/0/001.p/44"] = b"x" * 71
    with pytest.raises(TileError, match=r"^test://log/tile/0/001\.p/44: 71 bytes instead of 1408$"):
        LogClient(Objects(objects), POLICY).find(leaf_hash(b""))


# ---- other objects


@pytest.mark.parametrize("path", [POLICY_PATH, CHECKPOINT])
@pytest.mark.parametrize("wrong", [PAGE, b"", LONG_PAGE[:1_200_000], None, b"log nonsense\n"])
def test_first_use(server: Server, tmp_path: Path, path: str, wrong: bytes | None) -> None:
    """On first use too, what a cache has kept is asked for again."""
    Cache(server, obeys=True).kept[path] = wrong
    pinned = resolve(server.url, fetcher(server.url), Trust(tmp_path / "config"))
    assert pinned.is_first_use


def test_a_checkpoint_of_another_key(server: Server) -> None:
    """A checkpoint in a cache that another key has signed is asked for again; one that the server has is refused."""
    other = make_log(SIZE, key=OTHER_KEY)[CHECKPOINT]
    Cache(server, obeys=True).kept[CHECKPOINT] = other
    read_all(server.url)
    server.objects[CHECKPOINT] = other
    server.script = {}
    with pytest.raises(SignatureError):
        read_all(server.url)


@pytest.mark.parametrize("wrong", [PAGE, b"another", None, b"x" * 5000])
def test_a_payload(server: Server, wrong: bytes | None) -> None:
    """A payload that is wrong in a cache is read from the log's server; one that is wrong there is refused."""
    content = b"content"
    digest = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    path = payload_path(digest)
    server.objects[path] = content
    Cache(server, obeys=False).kept[path] = wrong
    assert fetch_payload(fetcher(server.url), digest_entry(digest, len(content))) == content
    server.objects[path] = b"CONTENT"
    server.script = {}
    with pytest.raises(VerificationError, match=f"^{server.url}/{path} has SHA-256"):
        fetch_payload(fetcher(server.url), digest_entry(digest, len(content)))


def test_pauses_are_for_servers_only(server: Server) -> None:
    """Nothing is waited for before an object is asked for again."""
    server.objects["tile/0/000"] = b""
    sleeper = Sleeper()
    with pytest.raises(AccessError):
        LogClient(fetcher(server.url, sleeper), POLICY).prove(0)
    assert sleeper.slept == []


def test_fsspec_over_http(server: Server) -> None:
    """What fsspec reads over HTTP is asked for again in the same way."""
    pytest.importorskip("aiohttp")
    Cache(server, obeys=True).kept["tile/0/000"] = PAGE
    client = LogClient(open_log(f"fsspec+{server.url}"), POLICY)
    assert client.entry(3) == entry(3)
