"""Parts of objects through fsspec: of files, and of what object stores give out; the whole where it has to be."""

from __future__ import annotations

import itertools
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_server import body, serving
from tiles.errors import AccessError, NotFound, TooLong
from tiles.read.fsspec_fetcher import FsspecFetcher
from tiles.store.ranges import Part

fsspec = pytest.importorskip("fsspec")

RUN = "index/leaf/1/0/000/000"
DATA = bytes(range(256)) * 384
SIZE = len(DATA)
START, STOP = 4096, 8192
NAMES = itertools.count()


@pytest.fixture
def memory() -> str:
    """Return a place in fsspec's memory with a file of an index."""
    url = f"memory://ranges{next(NAMES)}"
    fs, root = fsspec.url_to_fs(url)
    fs.pipe_file(f"{root}/{RUN}", DATA)
    return url


def test_parts_of_files(memory: str, tmp_path: Path) -> None:
    """Of a file, wherever it is, the part is read; of a shorter one, what there is."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(RUN, DATA)
    (tmp_path / RUN).parent.mkdir(parents=True)
    (tmp_path / RUN).write_bytes(DATA)
    for url in (memory, f"zip://::{tmp_path}/a.zip", f"fsspec+file://{tmp_path}"):
        fetcher = FsspecFetcher(url)
        assert fetcher.fetch_range(RUN, START, STOP, SIZE) == Part(START, DATA[START:STOP])
        assert fetcher.fetch_range(RUN, SIZE - 1, SIZE + 9, SIZE + 9) == Part(SIZE - 1, DATA[-1:])
        with pytest.raises(NotFound):
            fetcher.fetch_range("index/leaf/1/0/001/000", START, STOP, SIZE)


def test_parts_over_http() -> None:
    """The whole is asked for: what would come of a part does not say that it is one."""
    with serving({RUN: DATA}) as server:
        fetcher = FsspecFetcher(f"fsspec+{server.url}")
        assert fetcher.fetch_range(RUN, START, STOP, SIZE) == Part(0, DATA)
        assert {headers["Range"] for _, headers in server.requests} == {None}
        server.script[f"/{RUN}"] = [body(DATA + b"x")]
        with pytest.raises(TooLong):
            fetcher.fetch_range(RUN, START, STOP, SIZE)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (DATA[START:STOP], Part(START, DATA[START:STOP])),
        (b"", Part(START, b"")),
        (DATA, Part(0, DATA)),
        (ValueError("s3cret: no such range"), Part(0, DATA)),
        (OSError("s3cret"), Part(0, DATA)),
        (FileNotFoundError("s3cret"), NotFound),
        (PermissionError("s3cret"), NotFound),
    ],
)
def test_parts_of_stores(monkeypatch: pytest.MonkeyPatch, memory: str, given: Any, found: Any) -> None:
    """The library of an object store is asked for the part; if it cannot, or gives more, the whole is read."""
    fetcher = FsspecFetcher(memory)

    def cat_file(name: str, start: int, end: int) -> bytes:
        assert (name.endswith(RUN), start, end) == (True, START, STOP)
        if isinstance(given, Exception):
            raise given
        return bytes(given)

    monkeypatch.setattr(type(fetcher._fs), "async_impl", True)
    monkeypatch.setattr(type(fetcher._fs), "cat_file", staticmethod(cat_file))
    monkeypatch.setattr(fetcher, "_protocols", {"s3"})
    monkeypatch.setattr(fetcher, "_fetch", lambda _path, _limit: DATA)
    if isinstance(found, Part):
        assert fetcher.fetch_range(RUN, START, STOP, SIZE) == found
        return
    with pytest.raises(found) as caught:
        fetcher.fetch_range(RUN, START, STOP, SIZE)
    assert isinstance(caught.value, AccessError)
    assert "s3cret" not in str(caught.value)


def test_other_stores_are_read_whole(monkeypatch: pytest.MonkeyPatch, memory: str) -> None:
    """Whoever is not known to answer with parts only is not asked for one."""
    fetcher = FsspecFetcher(memory)
    monkeypatch.setattr(type(fetcher._fs), "async_impl", True)
    monkeypatch.setattr(fetcher, "_protocols", {"http", "https"})
    monkeypatch.setattr(fetcher, "_fetch", lambda _path, _limit: DATA)
    assert fetcher.fetch_range(RUN, START, STOP, SIZE) == Part(0, DATA)
