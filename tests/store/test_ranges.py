"""Parts of objects: where a fetcher can read them, and where it reads the whole."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.support.faults import Passing
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.store.ranges import WORTH_A_RANGE, Part, fetch_range

DATA = bytes(range(256)) * 512


@dataclass
class Whole:
    """A fetcher that knows no ranges."""

    url: str = "memory://whole"
    parallel: int = 1
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def fetch(self, path: str, limit: int) -> bytes:
        """Return all of it."""
        assert path == "run"
        self.asked.append((limit,))
        return DATA[:limit]


class Ranged(Whole):
    """A fetcher that does."""

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return the part."""
        assert path == "run"
        self.asked.append((start, stop, size))
        return Part(start, DATA[start:stop])


@pytest.mark.parametrize(
    ("fetcher", "size", "expected", "asked"),
    [
        (Ranged(), len(DATA), Part(4096, DATA[4096:8192]), (4096, 8192, len(DATA))),
        (Ranged(), WORTH_A_RANGE, Part(0, DATA[:WORTH_A_RANGE]), (WORTH_A_RANGE,)),  # too short for a range
        (Whole(), len(DATA), Part(0, DATA), (len(DATA),)),
    ],
)
def test_fetch_range(fetcher: Whole, size: int, expected: Part, asked: tuple[int, ...]) -> None:
    """A part comes from who can read it, of an object that is long; otherwise all of it comes."""
    found = fetch_range(fetcher, "run", 4096, 8192, size)
    assert found == expected
    assert found.data[4096 - found.first : 8192 - found.first] == DATA[4096:8192]
    assert found.stop == expected.first + len(expected.data)
    assert fetcher.asked == [asked]


def test_parts_of_objects_in_a_store() -> None:
    """The fetcher of a store reads parts if the store can; of one that cannot, the whole."""
    store = MemoryStore()
    store.create({"run": DATA})
    assert fetch_range(StoreFetcher(store), "run", 4096, 8192, len(DATA)) == Part(4096, DATA[4096:8192])
    assert fetch_range(StoreFetcher(Passing(store, "")), "run", 4096, 8192, len(DATA)) == Part(0, DATA)
