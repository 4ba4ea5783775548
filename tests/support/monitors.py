"""What monitors are told in tests, and monitors that look at objects in a dict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.support.readers import POLICY
from tiles.errors import AccessError, TilesError
from tiles.notes.policy import Policy
from tiles.store import Fetcher
from tiles.user.pinned import PINNED, Pinned
from tiles.watch import monitor as monitor_module
from tiles.watch.monitor import Monitor, Round, Watched
from tiles.watch.monitor_match import EVERY as EVERY_ENTRY
from tiles.watch.monitor_reading import Match, Unread
from tiles.watch.monitor_state import MATCHES, Begin

EVERY = Watched(EVERY_ENTRY, begin=Begin.FIRST)


@dataclass
class Told:
    """Takes down what it is told. refuses: it does not take the next line after so many; None: it takes all"""

    is_slow: bool = False
    refuses: int | None = None
    lines: list[bytes] = field(default_factory=list)
    troubles: list[TilesError] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def line(self, origin: str, found: Match | Unread) -> bytes:  # noqa: ARG002
        """Return a line."""
        if isinstance(found, Unread):
            return b"%d-%d\n" % (found.index, found.index + found.count - 1)
        return b"%d %s\n" % (found.index, json.dumps(found.entry.decode()).encode())

    def tell(self, line: bytes) -> None:
        """Take it, or not."""
        self.before()
        if self.refuses == len(self.lines):
            raise AccessError("not taken")
        self.lines.append(line)

    def trouble(self, error: TilesError) -> None:
        """Take it down."""
        self.troubles.append(error)


class Places:
    """Opens fetchers by their addresses, for the monitor module."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        self.directory = directory / "state"
        self.there: dict[str, Fetcher] = {}
        self.troubles: list[TilesError] = []  # of the last round
        patch.setattr(monitor_module, "open_log", self.open)
        patch.setattr(monitor_module, "open_place", self.open)

    def open(self, url: str) -> Fetcher:
        """Return what is there."""
        return self.there[url]

    def monitor(self, watched: Watched = EVERY, policy: Policy = POLICY, url: str = "log") -> Monitor:
        """Return what watches the log at an address."""
        return Monitor(url, lambda *_: Pinned(policy, PINNED), self.directory, watched)

    def round(self, told: Told | None = None, watched: Watched = EVERY, policy: Policy = POLICY) -> Round:
        """Do one round of the log at "log"."""
        told = told or Told()
        self.troubles = told.troubles
        return self.monitor(watched, policy).round(told)

    def compare(self, *urls: str, alone: bool = True) -> Round:
        """Do one round that compares."""
        return self.round(watched=replace(EVERY, compare=urls, alone=alone))

    @property
    def folder(self) -> Path:
        """Where the state of the one log is."""
        (found,) = (path for path in self.directory.iterdir() if path.name != "forks")
        return found

    @property
    def kept(self) -> list[bytes]:
        """The lines that are kept."""
        path = self.folder / MATCHES
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []

    def evidence(self) -> dict[str, bytes]:
        """Return the one piece of evidence that was saved."""
        (found,) = (self.directory / "forks").iterdir()
        return {path.name: path.read_bytes() for path in found.iterdir()}


def tampered(objects: Mapping[str, bytes], **changes: bytes | None) -> dict[str, bytes]:
    """Return objects with some changed, or gone."""
    return {path: data for path, data in {**objects, **changes}.items() if data is not None}
