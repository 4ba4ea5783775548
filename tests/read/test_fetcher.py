from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tiles.read.http_post  # noqa: F401  otherwise loaded when it is needed
from tests.support import fault_server as answers
from tests.support.fault_server import Server, gzip, serving
from tests.support.readers import POLICY, entry, make_log
from tiles.errors import AccessError, NotFound, UsageError
from tiles.read.client import LogClient
from tiles.read.fetcher import is_local, open_log
from tiles.store import Fetcher, StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import leaf_hash

DATA = bytes(range(256)) * 32
LIMIT = len(DATA)
TILE = "tile/0/000"


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one tile and something in place of a checkpoint."""
    with serving({TILE: DATA, CHECKPOINT: DATA}) as server:
        yield server


NO_URL = ["http://", "http:///x", "https://a b/", "http://a:99999/", "http://[::1/", "http://a/\n", "http://a/#b"]


@pytest.mark.parametrize("url", NO_URL)
def test_what_is_no_url(url: str) -> None:
    """What is no URL of a log is a wrong call."""
    with pytest.raises(UsageError):
        open_log(url)


# ---- directories


def write_log(folder: Path, objects: dict[str, bytes]) -> None:
    """Write objects into files."""
    for path, data in objects.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
def test_open_directory(tmp_path: Path, form: str) -> None:
    """A directory is opened by its path or its file:// URL."""
    write_log(tmp_path, {CHECKPOINT: DATA})
    reader = open_log(form.format(tmp_path))
    assert reader.fetch(CHECKPOINT, LIMIT) == DATA
    with pytest.raises(NotFound):
        reader.fetch(TILE, LIMIT)
    with pytest.raises(AccessError, match="longer than"):
        reader.fetch(CHECKPOINT, LIMIT - 1)


def test_open_what_is_no_log(tmp_path: Path) -> None:
    """A path that is no directory, or holds no checkpoint, says so; nothing is made there."""
    with pytest.raises(NotFound, match="no such directory"):
        open_log(str(tmp_path / "absent"))
    with pytest.raises(NotFound, match="there is no log here"):
        open_log(str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotFound, match="no such directory"):
        open_log(str(tmp_path / "file"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("url", ["nosuch://bucket/log", "simplecache::memory://log", "://x", "", "a\0b"])
def test_open_what_cannot_be_read(url: str) -> None:
    """A URL of another kind is a wrong call; the message says which can be read."""
    with pytest.raises(UsageError):
        open_log(url)


def test_what_is_local(tmp_path: Path, server: Server) -> None:
    """Only a directory is: a bucket and a server are read several objects at a time, and their tiles kept here."""
    write_log(tmp_path, {CHECKPOINT: DATA})
    assert is_local(open_log(str(tmp_path)))
    assert not is_local(open_log(server.url))
    assert not is_local(StoreFetcher(MemoryStore(), 32))


def test_object_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3://, gs:// and az:// are read as object stores, many objects at a time, however the scheme is written."""
    opened = []
    monkeypatch.setattr("tiles.read.fetcher.public_store", lambda url: opened.append(url) or MemoryStore())
    for url in ("s3://bucket/log", "gs://bucket/log", "az://container", "S3://bucket?region=x"):
        reader = open_log(url)
        assert isinstance(reader, StoreFetcher)
        assert reader.parallel == 32
        assert opened.pop() == url


def test_store_fetcher() -> None:
    """Any store is read by its own URL."""
    store = MemoryStore("a-log")
    store.create({TILE: DATA})
    reader: Fetcher = StoreFetcher(store)
    assert reader.url == "memory://a-log"
    assert reader.fetch(TILE, LIMIT) == DATA


# ---- all of it


@pytest.mark.parametrize("size", [1, 256, 600])
def test_directory_and_http_are_equal(tmp_path: Path, server: Server, size: int) -> None:
    """A log reads the same from a directory and from a server, plain and compressed."""
    objects = make_log(size)
    write_log(tmp_path, objects)
    server.objects = dict(objects)
    for path, data in objects.items():
        if "entries" in path:
            server.script[f"/{path}"] = [answers.body(gzip(data), Content_Encoding="gzip")]
    results = []
    for reader in (open_log(str(tmp_path)), open_log(server.url)):
        client = LogClient(reader, POLICY)
        proofs = [client.prove(index) for index in range(0, size, 50)]
        results.append((client.visit(), proofs, list(client.entries(0, size)), client.find(leaf_hash(entry(0)))))
    assert results[0] == results[1]


def test_who_knows_urllib3() -> None:
    """urllib3 is known where a URL is asked for, and every error of it is translated there; where one is parsed it is
    imported when it is needed."""
    users = []
    for name, module in list(sys.modules.items()):
        if name.startswith("tiles."):
            origins = [getattr(value, "__module__", None) or "" for value in vars(module).values()]
            users += [name] * any(origin.startswith("urllib3") for origin in origins)
    reading = ("connections", "fsspec_http", "http_answers", "http_fetcher", "http_post", "http_stream", "redirects")
    assert sorted(users) == [f"tiles.read.{name}" for name in reading]
