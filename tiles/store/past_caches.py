"""Asking for an object once more, past every cache between us and the log.

A cache keeps what it was told to keep for ever: the damaged tile that was mended since, the error page of an hour ago,
the login page of a hotel. So what is missing or will not do is asked for once more where no cache answers, and only
what comes then is the log's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from tiles.errors import AccessError, LogError, NotFound, TooLong
from tiles.store import Fetcher

T = TypeVar("T")


@runtime_checkable
class PastCaches(Protocol):
    """A fetcher that others' caches may answer instead of the log's server."""

    def fetch_anew(self, path: str, limit: int, rejected: bytes | None) -> bytes:
        """Return an object as the log's own server has it now.

        rejected   what `fetch` returned and will not do; None if it said that nothing is there, or too much
        Raises what `fetch` raises.
        """
        ...


def fetch_for(fetcher: Fetcher, path: str, limit: int, use: Callable[[bytes], T]) -> T:
    """Return what `use` makes of an object, which is fetched once more if it is missing or will not do.

    use   raises LogError or AccessError for bytes that will not do; it is called once or twice
    Raises what `fetch` and `use` raise of the last try.
    """
    rejected = None
    try:
        rejected = fetcher.fetch(path, limit)
    except (NotFound, TooLong):
        if not isinstance(fetcher, PastCaches):
            raise
    else:
        try:
            return use(rejected)
        except (LogError, AccessError):
            if not isinstance(fetcher, PastCaches):
                raise
    return use(fetcher.fetch_anew(path, limit, rejected))
