"""Asking for an object once more: past every cache between us and the log, or at another address of the log.

A cache keeps what it was told to keep for ever: the damaged tile that was mended since, the error page of an hour ago,
the login page of a hotel. So what is missing or will not do is asked for once more where no cache answers, and only
what comes then is the log's own. Where a log has several addresses, each of them is asked before an object counts as
missing or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from tiles.errors import AccessError, LogError, NotFound, TilesError, TooLong
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


@runtime_checkable
class Several(Protocol):
    """A fetcher of one log that is read at several addresses. Threads may share it."""

    def places(self) -> Sequence[Fetcher]:
        """Return those that are worth asking, at least one, in the order in which they are asked."""
        ...

    def took(self, place: Fetcher, path: str) -> None:
        """Note that an object was taken from a place."""
        ...

    def failed(self, place: Fetcher, path: str, why: TilesError | None) -> None:
        """Note that a place did not have an object that would do. why: None if what it had does not verify."""
        ...

    def taken_from(self, path: str) -> Fetcher:
        """Return the place from which an object was taken last."""
        ...


def gravest(errors: Sequence[TilesError]) -> TilesError:
    """Return the error that says most of an object that no address has; one at least is given, in their order.

    What is wrong at the first address says more than what could not be reached, and that more than what is wrong at
    another address: of a log that could not be reached nobody knows that it is wrong. What is missing says least.
    """
    reached = [error for error in errors if not isinstance(error, NotFound)]
    if not reached or isinstance(errors[0], LogError):
        return errors[0]
    return next((error for error in reached if isinstance(error, AccessError)), reached[0])


def fetch_for(fetcher: Fetcher, path: str, limit: int, use: Callable[[bytes], T]) -> T:
    """Return what `use` makes of an object, which is fetched once more if it is missing or will not do.

    use   raises LogError or AccessError for bytes that will not do; it is called once or twice for each address
    Raises what `fetch` and `use` raise of the last try; of several addresses, the gravest error.
    """
    if not isinstance(fetcher, Several):
        return _fetch_for(fetcher, path, limit, use)
    errors: list[TilesError] = []
    for place in fetcher.places():
        try:
            found = _fetch_for(place, path, limit, use)
        except (LogError, AccessError) as error:
            _move(error, f"{fetcher.url}/{path}", f"{place.url}/{path}")
            fetcher.failed(place, path, error)
            errors.append(error)
        else:
            fetcher.took(place, path)
            return found
    raise gravest(errors)


def _move(error: TilesError, named: str, where: str) -> None:
    """Let an error name the address where the object was read: `use` knows only the log's first one."""
    if error.message.startswith(named):
        error.message = where + error.message.removeprefix(named)
        error.args = (error.message,)


def _fetch_for(fetcher: Fetcher, path: str, limit: int, use: Callable[[bytes], T]) -> T:
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
