"""fsspec, its libraries and servers when they misbehave: our errors, in time, without a secret."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support import fault_server as answers
from tests.support.command_line import Command
from tests.support.encodings import READ, REFUSED, encoded
from tests.support.fault_server import Server, serving
from tiles.errors import AccessError, NotFound, UsageError
from tiles.read.fetcher import open_log
from tiles.read.fsspec_fetcher import ALLOWED, FsspecFetcher
from tiles.tree.layout import CHECKPOINT

fsspec = pytest.importorskip("fsspec")
registry = pytest.importorskip("fsspec.registry")
LIMIT = 1000
NAMES = itertools.count()
SECRET = "s3cret"


@pytest.fixture
def memory() -> str:
    """Return a new place in fsspec's memory."""
    return f"memory://troubled{next(NAMES)}"


# ---- servers that do what they want


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve what fsspec reads over HTTP."""
    pytest.importorskip("aiohttp")
    with serving({}) as server:
        yield server


def test_a_server_that_does_not_stop(server: Server) -> None:
    """Of an answer without an end, no more is read than may be; what comes after the path stays behind it."""

    def endless(handler: answers.Handler) -> None:
        handler.send(200, b"x" * 50_000, Content_Length="", Connection="close")
        if handler.command == "GET":
            for _ in range(100):
                handler.wfile.write(b"x" * 1_000_000)

    server.script[f"/log/{CHECKPOINT}"] = [answers.status(404), endless]
    fetcher = open_log(f"fsspec+{server.url}/log?token={SECRET}")
    with pytest.raises(AccessError, match=f"longer than {LIMIT} bytes"):
        fetcher.fetch(CHECKPOINT, LIMIT)
    assert {path for path, _ in server.requests} == {f"/log/{CHECKPOINT}?token={SECRET}"}


@pytest.mark.parametrize("path", [CHECKPOINT, "tile/0/000", "tile/entries/000"])
def test_encodings(server: Server, path: str) -> None:
    """Over HTTP, encodings that mean nothing are passed over, and gzip is undone, whatever the object."""
    fetcher = open_log(f"fsspec+{server.url}/log")
    data = (b"some content" * 90)[:LIMIT]
    for header, times in READ.items():
        server.script[f"/log/{path}"] = [answers.body(encoded(data, times), Content_Encoding=header)]
        assert fetcher.fetch(path, LIMIT) == data, header
        with pytest.raises(AccessError, match=f"longer than {LIMIT - 1} bytes"):
            fetcher.fetch(path, LIMIT - 1)


@pytest.mark.parametrize(("header", "name"), REFUSED.items())
def test_encodings_that_are_refused(server: Server, header: str, name: str) -> None:
    """Any other encoding is named."""
    server.script[f"/log/{CHECKPOINT}"] = [answers.body(b"data", Content_Encoding=header)]
    with pytest.raises(AccessError, match=f"/log/{CHECKPOINT}: sent in the encoding '{name}'"):
        open_log(f"fsspec+{server.url}/log").fetch(CHECKPOINT, LIMIT)


class Hostile(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A file system whose every object is what the test says."""

    protocol = "hostile"
    cachable = False
    opened: Callable[[str], Any]

    def _open(self, path: str, *_: object, **__: object) -> Any:
        return type(self).opened(path)


class Endless:
    """A file that never ends; takes down how much was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __enter__(self) -> Endless:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def read(self, size: int) -> bytes:
        self.asked += size
        return bytes(size)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hostile]]:
    """Register a kind of URL whose objects are what the test says."""
    monkeypatch.setattr("tiles.read.fsspec_fetcher.ALLOWED", {*ALLOWED, "hostile"})
    fsspec.register_implementation("hostile", Hostile, clobber=True)
    yield Hostile
    registry._registry.pop("hostile")


def raising(error: BaseException) -> Callable[[str], Any]:
    """Return what opens no file."""

    def opened(_: str) -> Any:
        raise error

    return opened


def test_a_file_that_does_not_end(hostile: type[Hostile]) -> None:
    """No more is asked for than one byte beyond what may be there."""
    file = Endless()
    hostile.opened = lambda _: file
    with pytest.raises(AccessError, match="longer than"):
        open_log("hostile://x").fetch("tile/0/000", 123_456)
    assert file.asked == 123_457


def test_a_file_that_does_not_come(hostile: type[Hostile]) -> None:
    """A library that hangs is given up on."""
    over = Event()
    hostile.opened = lambda _: over.wait(10)
    with pytest.raises(AccessError, match=r"hostile://x/tile/0/000: no whole answer within 0\.05 seconds"):
        FsspecFetcher("hostile://x", deadline=0.05).fetch("tile/0/000", LIMIT)
    over.set()


def test_one_thread_at_a_time(hostile: type[Hostile]) -> None:
    """A library that may not be used by several threads at once is not."""
    inside: list[str] = []

    def opened(path: str) -> Any:
        inside.append(path)
        Event().wait(0.01)
        assert inside == [path]
        inside.clear()
        raise FileNotFoundError

    hostile.opened = opened
    fetcher = open_log("hostile://x")
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(fetcher.fetch, f"tile/0/00{n}", LIMIT) for n in range(4)]:
            with pytest.raises(NotFound):
                future.result()


SAYS = f"GET https://me:{SECRET}@host/?token={SECRET}"


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (FileNotFoundError(SAYS), NotFound, "not found$"),
        (IsADirectoryError(SAYS), NotFound, "not found$"),
        (PermissionError(SAYS), NotFound, "not found"),
        (OSError(5, SAYS), AccessError, f"OSError: {os.strerror(5)}$"),
        (OSError(SAYS), AccessError, "OSError$"),
        (TimeoutError(SAYS), AccessError, "TimeoutError$"),
        (ValueError(SAYS), AccessError, "ValueError$"),
        (RuntimeError(SAYS), AccessError, "RuntimeError$"),
        (ModuleNotFoundError(SAYS, name="libx.y"), UsageError, "not installed$"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_show_no_credentials(hostile: type[Hostile], error: Exception, kind: type[Exception], says: str) -> None:
    """An error says where, and of what kind; nothing a library said is in it or attached to it."""
    hostile.opened = raising(error)
    fetcher = open_log(f"hostile://me:{SECRET}@host/log?token={SECRET}")
    assert fetcher.url == "hostile://host/log"
    with pytest.raises(kind, match=f"^hostile://host/log/tile/0/000.*{says}") as caught:
        fetcher.fetch("tile/0/000", LIMIT)
    assert type(caught.value) is kind
    at: BaseException | None = caught.value
    while at is not None:
        assert SECRET not in f"{at} {at!r} {getattr(at, 'hint', '')}"
        at = at.__cause__ or at.__context__


def test_access_denied(hostile: type[Hostile]) -> None:
    """A tile that may not be read is as good as not there; the checkpoint is there, in every log."""
    hostile.opened = raising(PermissionError(SAYS))
    fetcher = open_log("hostile://x")
    with pytest.raises(NotFound):
        fetcher.fetch("tile/0/000", LIMIT)
    with pytest.raises(AccessError, match=r"checkpoint: access is denied$") as caught:
        fetcher.fetch(CHECKPOINT, LIMIT)
    assert type(caught.value) is AccessError
    assert "check the URL" in caught.value.hint


# ---- the command


def test_commands(tiletree: Command, log: str, memory: str) -> None:
    """Commands that read take the URL, audit too; what is remembered of it holds no secret."""
    fs, root = fsspec.url_to_fs(memory)
    fs.put("log", root, recursive=True)
    assert tiletree.ok("info", memory, "--vkey", log)["size"] == 2
    assert tiletree.ok("get", memory, 1, "--vkey", log)["index"] == 1
    assert tiletree.ok("audit", memory, "--vkey", log)["findings"] == []
    tiletree.ok("key", "trust", f"{memory}/?token={SECRET}", log)
    assert tiletree.ok("info", f"fsspec+{memory}", "--vkey", log)["trust"] == "pinned"
    assert tiletree.ok("info", memory)["trust"] == "remembered"
    assert not [path for path in Path("home").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


# ---- what cannot be opened


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fsspec, the message says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match="memory://log is read with fsspec, which is not installed") as caught:
        open_log("memory://log")
    assert caught.value.hint == "pip install fsspec"


def test_without_the_package_for_a_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package behind a kind of URL, the message says which to install."""
    monkeypatch.setattr("tiles.read.fsspec_fetcher.ALLOWED", {*ALLOWED, "faraway"})
    monkeypatch.setitem(
        registry.known_implementations, "faraway", {"class": "no_such_package.fs.FS", "err": f"see {SECRET}"}
    )
    for url in ("faraway://host/log", "zip://log::faraway://host/a.zip", f"fsspec+faraway://me:{SECRET}@host/log"):
        with pytest.raises(UsageError, match=r"^faraway:// needs a package that is not installed$") as caught:
            open_log(url)
        assert caught.value.hint == "pip install no_such_package"
        assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    "url", ["nosuch://host/log", "fsspec+nosuch://host", "zip://log::nosuch://host", "fsspec+://host", "sftp2://x"]
)
def test_unknown_protocols(url: str) -> None:
    """A kind of URL that fsspec does not know is a wrong call."""
    with pytest.raises(UsageError, match="fsspec does not know it"):
        open_log(url)


@pytest.mark.parametrize("keeping", ["simplecache", "filecache", "cached", "blockcache"])
def test_no_caches(keeping: str) -> None:
    """A log is read as it is now, never from copies that fsspec keeps."""
    with pytest.raises(UsageError, match="keeps copies"):
        open_log(f"{keeping}::memory://log")


def test_what_opening_finds(tmp_path: Path, hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that is not there, may not be read, or is none of the kind, is worded by whose trouble it is."""
    with pytest.raises(NotFound):
        open_log(f"zip://log::{tmp_path}/absent.zip")
    (tmp_path / "text.zip").write_bytes(b"no zip")
    with pytest.raises(AccessError, match="BadZipFile"):
        open_log(f"zip://log::{tmp_path}/text.zip")
    for error, kind in ((TypeError(SAYS), UsageError), (PermissionError(SAYS), AccessError)):
        monkeypatch.setattr(hostile, "__init__", lambda *_, error=error, **__: raising(error)(""))
        with pytest.raises(kind) as caught:
            open_log("hostile://x")
        assert SECRET not in f"{caught.value!r}{caught.value.__context__!r}"


def test_only_when_asked_for() -> None:
    """Whoever reads something else does not import fsspec."""
    code = "import sys, tiles.read.fsspec_fetcher, tiles.read.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fsspec", "s3fs", "obstore"} & set(loaded)
