"""Reading a log through fsspec: what comes is the log's, within its limits; what goes wrong is worded here."""

from __future__ import annotations

import itertools
import os
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.encodings import READ, encoded
from tests.support.readers import POLICY, entry, make_log
from tiles.errors import AccessError, NotFound
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


def test_s3fs_encodings(bucket: str) -> None:
    """Under whatever harmless encoding an object is stored, s3fs's reader reads it, and refuses others by name."""
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fetcher = open_log(f"fsspec+s3://{bucket}")
    data = b"some content" * 50
    for header, times in READ.items():
        if header.strip(","):
            fs.pipe_file(f"{bucket}/{CHECKPOINT}", encoded(data, times), ContentEncoding=header.strip())
            assert fetcher.fetch(CHECKPOINT, LIMIT) == data, header
    fs.pipe_file(f"{bucket}/{CHECKPOINT}", data, ContentEncoding="br")
    with pytest.raises(AccessError, match=f"{CHECKPOINT}: sent in the encoding 'br'"):
        fetcher.fetch(CHECKPOINT, LIMIT)


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
