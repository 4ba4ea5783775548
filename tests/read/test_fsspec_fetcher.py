"""Reading a log through fsspec: what comes is the log's, within its limits; what goes wrong is worded here."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support import fault_server as answers
from tests.support.command_line import Command
from tests.support.fault_server import Server, serving
from tests.support.readers import POLICY, entry, make_log
from tiles.errors import AccessError, NotFound, UsageError
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.fsspec_fetcher import FsspecFetcher
from tiles.store import Fetcher
from tiles.store.bounded_gzip import encode
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT

fsspec = pytest.importorskip("fsspec")
registry = pytest.importorskip("fsspec.registry")

SIZE = 600
LIMIT = 1000
NAMES = itertools.count()
SECRET = "s3cret"


def filled(write: Callable[[str, bytes], object], *, gzip: bool = False) -> None:
    """Write a log, its bundles perhaps gzip-encoded."""
    for path, data in make_log(SIZE).items():
        write(path, encode(data, 9) if gzip and path.startswith("tile/entries/") else data)


def check_log(fetcher: Fetcher) -> None:
    """Read all of the log."""
    client = LogClient(fetcher, POLICY)
    assert client.visit().signed.tree.size == SIZE
    assert [data for _, data in client.entries(0, SIZE)] == [entry(index) for index in range(SIZE)]
    with pytest.raises(NotFound, match=r"tile/0/999: not found$"):
        fetcher.fetch("tile/0/999", LIMIT)


@pytest.fixture
def memory() -> str:
    """Return a new place in fsspec's memory."""
    return f"memory://log{next(NAMES)}"


def pipe(url: str, path: str, data: bytes) -> None:
    """Write an object by fsspec."""
    fs, root = fsspec.url_to_fs(url)
    fs.pipe_file(f"{root}/{path}", data)


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("form", ["{}", "{}/", "fsspec+{}", "FSSPEC+{}"])
def test_memory(memory: str, form: str, gzip: bool) -> None:
    """A log in fsspec's memory reads like any other, its bundles encoded or not."""
    filled(lambda path, data: pipe(memory, path, data), gzip=gzip)
    check_log(open_log(form.format(memory)))


@pytest.mark.parametrize("inside", ["", "some/log"])
def test_zip(tmp_path: Path, inside: str) -> None:
    """A log in a zip file, at its root or below, which one thread at a time reads."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        filled(lambda path, data: archive.writestr(f"{inside}/{path}".lstrip("/"), data))
    fetcher = open_log(f"zip://{inside}::{tmp_path}/a.zip")
    assert fetcher.parallel == 1
    check_log(fetcher)


def test_local(tmp_path: Path) -> None:
    """fsspec's own way to local files, when asked for; a directory is no object."""
    for path, data in make_log(SIZE).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    fetcher = open_log(f"fsspec+file://{tmp_path}")
    assert fetcher.parallel == 8
    check_log(fetcher)
    for path in ("tile", "checkpoint/x"):
        with pytest.raises(NotFound):
            fetcher.fetch(path, LIMIT)


def test_nothing_is_kept(memory: str) -> None:
    """What changes, appears or goes is seen by a fetcher that has read it before."""
    fetcher = open_log(memory)
    with pytest.raises(NotFound):
        fetcher.fetch(CHECKPOINT, LIMIT)
    for content in (b"one", b"another"):
        pipe(memory, CHECKPOINT, content)
        assert fetcher.fetch(CHECKPOINT, LIMIT) == content
    fs, root = fsspec.url_to_fs(memory)
    fs.rm_file(f"{root}/{CHECKPOINT}")
    with pytest.raises(NotFound):
        fetcher.fetch(CHECKPOINT, LIMIT)


# ---- gzip


BUNDLE = "tile/entries/000.p/3"
PLAIN = encode_entries([b"one", b"", b"three"])
# as a bundle: three entries, of which the first is 0x1f8b bytes long
LIKE_GZIP = encode_entries([b"\x08" + bytes(0x1F8A), b"", b"x"])


@pytest.mark.parametrize(
    ("path", "stored", "read"),
    [
        (BUNDLE, encode(PLAIN, 1), PLAIN),
        (BUNDLE, PLAIN, PLAIN),
        (BUNDLE, LIKE_GZIP, LIKE_GZIP),
        (BUNDLE, encode(LIKE_GZIP, 9), LIKE_GZIP),
        (BUNDLE, encode(PLAIN, 1)[:-1], encode(PLAIN, 1)[:-1]),
        (BUNDLE, encode(bytes(10_000_000), 9), encode(bytes(10_000_000), 9)),
        ("tile/0/000", encode(PLAIN, 1), encode(PLAIN, 1)),
    ],
    ids=["encoded", "plain", "like gzip", "like gzip, encoded", "cut short", "bomb", "no bundle"],
)
def test_bundles_may_be_encoded(memory: str, path: str, stored: bytes, read: bytes) -> None:
    """A bundle is decoded if it is none as it is stored and gzip within the limit; nothing else ever is."""
    pipe(memory, path, stored)
    assert open_log(memory).fetch(path, 20_000) == read


def test_a_bundle_that_gzip_makes_longer(memory: str) -> None:
    """The limit is for the bundle, not for how it is stored."""
    plain = encode_entries([random.Random(1).randbytes(60_000) for _ in range(3)])
    pipe(memory, BUNDLE, encode(plain, 0))
    assert open_log(memory).fetch(BUNDLE, len(plain)) == plain
    with pytest.raises(AccessError, match="longer than"):
        open_log(memory).fetch(BUNDLE, len(plain) - 1)


def test_every_fetcher_has_its_own(memory: str) -> None:
    """No file system is shared with others, who may have listed it, and none keeps listings."""
    first, second = FsspecFetcher(memory), FsspecFetcher(memory)
    shared = fsspec.filesystem("memory")
    assert len({id(fs) for fs in (first._fs, second._fs, shared)}) == 3
    assert not first._fs.dircache.use_listings_cache
    assert shared.dircache.use_listings_cache


@pytest.mark.parametrize("path", [BUNDLE, CHECKPOINT])
def test_limits(memory: str, path: str) -> None:
    """An object of exactly the limit is read, one byte more is too long, encoded or not."""
    fetcher = open_log(memory)
    pipe(memory, path, bytes(LIMIT))
    assert fetcher.fetch(path, LIMIT) == bytes(LIMIT)
    for size in (LIMIT + 1, LIMIT + 4099, 10 * LIMIT):
        pipe(memory, path, bytes(size))
        with pytest.raises(AccessError, match=f"{path}: longer than {LIMIT} bytes"):
            fetcher.fetch(path, LIMIT)


# ---- s3fs


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Serve S3."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a new bucket, which s3fs finds by its usual settings."""
    pytest.importorskip("s3fs")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    name = f"bucket{next(NAMES)}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return name


@pytest.mark.parametrize("gzip", [False, True])
def test_s3fs(bucket: str, gzip: bool) -> None:
    """fsspec+s3:// is read by s3fs, several objects at a time."""
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    headers = {"ContentEncoding": "gzip"} if gzip else {}
    filled(
        lambda path, data: fs.pipe_file(
            f"{bucket}/a/log/{path}", data, **(headers if path.startswith("tile/entries/") else {})
        ),
        gzip=gzip,
    )
    fetcher = open_log(f"fsspec+s3://{bucket}/a/log/")
    assert isinstance(fetcher, FsspecFetcher)
    assert (fetcher.url, fetcher.parallel) == (f"fsspec+s3://{bucket}/a/log", 8)
    check_log(fetcher)


def test_s3fs_limits_and_changes(bucket: str) -> None:
    """The limit holds, and no listing or content of before is taken for what is there."""
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fetcher = FsspecFetcher(f"fsspec+s3://{bucket}")
    assert FsspecFetcher(f"fsspec+s3://{bucket}")._fs is not fetcher._fs
    for size in (LIMIT, LIMIT + 1, 10_000_000):
        fs.pipe_file(f"{bucket}/{CHECKPOINT}", bytes(size))
        if size == LIMIT:
            assert fetcher.fetch(CHECKPOINT, LIMIT) == bytes(LIMIT)
        else:
            with pytest.raises(AccessError, match="longer than"):
                fetcher.fetch(CHECKPOINT, LIMIT)
    fs.rm_file(f"{bucket}/{CHECKPOINT}")
    with pytest.raises(NotFound):
        fetcher.fetch(CHECKPOINT, LIMIT)
    with pytest.raises(NotFound):
        open_log("fsspec+s3://no-such-bucket/log").fetch(CHECKPOINT, LIMIT)


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
def hostile() -> Iterator[type[Hostile]]:
    """Register a kind of URL whose objects are what the test says."""
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
    code = "import sys, tiles.read.fetcher, tiles.read.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tiles.read.fsspec_fetcher" in loaded
    assert not {"fsspec", "s3fs", "obstore"} & set(loaded)
