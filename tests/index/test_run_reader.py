"""Reading a run: whatever is changed, what is read are the records of the root, or an error that names the object."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from tests.support.reference import flipped
from tests.support.sampling import one_in, quickly
from tiles.errors import NotFound, TileError, TooLong
from tiles.index.run import FILE_RECORDS, FILE_SIZE, build_run
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import Run
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_ROOT, Hash

KIND = "sha256/1"


def some(count: int) -> list[bytes]:
    """Return sorted records."""
    return sorted(sha256(b"%d" % number).digest()[:16] for number in range(count))


def reader(objects: dict[str, bytes], run: Run) -> RunReader:
    """Return what reads a run from these objects."""
    store = MemoryStore()
    store.create(objects)
    return RunReader(StoreFetcher(store), KIND, run)


@pytest.mark.parametrize("count", quickly([0, 1, 256, 300, FILE_RECORDS, FILE_RECORDS + 1, 2 * FILE_RECORDS + 700],
                                          [0, 1, 300, FILE_RECORDS + 1]))  # fmt: skip
def test_all_records(count: int) -> None:
    """They come a file at a time, in order."""
    records = some(count)
    run, objects = build_run(KIND, 1, 2, records)
    files = list(reader(objects, run).files())
    assert b"".join(files) == b"".join(records)
    assert [len(file) for file in files[:-1]] == [FILE_SIZE] * (len(files) - 1)


@pytest.mark.parametrize("count", quickly([300, FILE_RECORDS + 600], [300]))
def test_whatever_is_changed(count: int) -> None:
    """Any bit of any object, an object that is cut, longer or gone, and objects that changed places."""
    records = some(count)
    run, objects = build_run(KIND, 1, 2, records)
    rng = random.Random(count)
    for path, data in objects.items():
        bits = (
            one_in(16, range(8 * len(data))) if len(data) < 2000 else [rng.randrange(8 * len(data)) for _ in range(50)]
        )
        for changed in (*(flipped(data, bit) for bit in bits), data[:-1], data[:-16], data[16:], b""):
            with pytest.raises(TileError, match=path):
                list(reader({**objects, path: changed}, run).files())
        without = {name: content for name, content in objects.items() if name != path}
        with pytest.raises(NotFound, match=path):
            list(reader(without, run).files())
        with pytest.raises((TooLong, TileError)):
            list(reader({**objects, path: data + bytes(1 << 20)}, run).files())
        for other in set(objects.values()) - {data}:
            with pytest.raises((TooLong, TileError)):
                list(reader({**objects, path: other}, run).files())


def test_another_run() -> None:
    """The objects of a run lead to its root only, and to its count of records."""
    run, objects = build_run(KIND, 0, 0, some(300))
    for other in (Run(0, 0, 300, Hash(bytes(32))), Run(0, 0, 556, run.root), Run(0, 0, 200, run.root)):
        with pytest.raises((TileError, NotFound)):
            list(reader(objects, other).files())
    assert list(reader(objects, Run(0, 0, 0, EMPTY_ROOT)).files()) == []
