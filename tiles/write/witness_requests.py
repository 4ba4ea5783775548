"""How one witness is reached: a request to its server, or a look at what it has published.

A policy's witness line has a URL. At http(s):// it is the submission prefix of https://c2sp.org/tlog-witness. Any other
place that a log can be read from, a directory or a bucket, is of a witness that comes by itself, and what it has
cosigned is looked up there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.witness_messages import ADD_CHECKPOINT, MAX_ANSWER_SIZE, seen_path
from tiles.store.address import Kind, kind_of

if TYPE_CHECKING:
    from tiles.read.http_post import HttpPoster, Posted

WITNESSES = 64  # asked at a time


class Ways(Protocol):
    """How witnesses are reached. parallel: how many at a time; 1: one after the other, in the caller's thread"""

    parallel: int

    def answers(self, url: str) -> bool:
        """Whether a witness can be asked, or is only looked at."""

    def ask(self, url: str, body: bytes, seconds: float) -> Posted:
        """Send an add-checkpoint request, and return the answer. Raises AccessError, UsageError."""

    def look(self, url: str, origin: str, seconds: float) -> bytes:
        """Return the checkpoint that a witness shows of a log. Raises NotFound, AccessError, UsageError."""


@dataclass
class OverNetwork:
    """The witnesses that there are."""

    parallel: int = WITNESSES
    _posters: dict[str, HttpPoster] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answers(self, url: str) -> bool:
        """Whether it is a server (`Ways`)."""
        return kind_of(url) is Kind.HTTP

    def ask(self, url: str, body: bytes, seconds: float) -> Posted:
        """Send a request (`Ways`), over a connection that is kept."""
        from tiles.read.http_post import HttpPoster  # slow to import, and needed for witnesses only

        with self._lock:
            poster = self._posters.get(url) or self._posters.setdefault(url, HttpPoster(url))
        return poster.post(ADD_CHECKPOINT, body, MAX_ANSWER_SIZE, seconds)

    def look(self, url: str, origin: str, seconds: float) -> bytes:
        """Return what it shows (`Ways`)."""
        from tiles.read.fetcher import open_place
        from tiles.read.http_fetcher import HttpFetcher, Patience

        if self.answers(url):
            return HttpFetcher(url, patience=Patience(seconds, seconds, seconds)).fetch(
                seen_path(origin), MAX_NOTE_SIZE
            )
        return open_place(url).fetch(seen_path(origin), MAX_NOTE_SIZE)
