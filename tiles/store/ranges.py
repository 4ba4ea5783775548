"""Reading a part of an object, where that is less than reading all of it.

Not every store or server can do that, and none has to: whoever reads takes what comes, which may be the whole object.

A part is asked for once, and not past caches. Whoever finds that it will not do, or is told NotFound or TooLong, reads
the whole object with `tiles.store.past_caches.fetch_for`, which asks past them.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tiles.store import Fetcher, Part

__all__ = ["WORTH_A_RANGE", "Part", "ReadsRanges", "fetch_range"]

WORTH_A_RANGE = 65_536  # bytes: a shorter object is fetched whole


@runtime_checkable
class ReadsRanges(Protocol):
    """A fetcher that can read part of an object."""

    def fetch_range(self, path: str, start: int, stop: int, size: int) -> Part:
        """Return what of an object contains the bytes [start, stop), or all that the store has of it.

        size   of the whole object, in bytes: 0 ≤ start < stop ≤ size, and no more than that is read
        Raises NotFound; AccessError; TooLong if the object is seen to be longer than `size` bytes.
        """
        ...


def fetch_range(fetcher: Fetcher, path: str, start: int, stop: int, size: int) -> Part:
    """Return bytes that contain [start, stop) of an object of `size` bytes: a part of it, or the whole.

    They may be fewer, and contain nothing of it: what is stored may be shorter than it should be.
    Raises NotFound; AccessError; TooLong if the object is seen to be longer than `size` bytes.
    """
    if size > WORTH_A_RANGE and isinstance(fetcher, ReadsRanges):
        return fetcher.fetch_range(path, start, stop, size)
    return Part(0, fetcher.fetch(path, size))
