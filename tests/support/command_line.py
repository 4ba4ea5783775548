"""The command, as tests call it: in this process for speed, its output and exit code returned."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import pytest

from tests.support import outcomes
from tests.support.templates import Template
from tiles import page
from tiles.entries import own_kinds
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.policy import Policy
from tiles.page import page_files
from tiles.read import http_fetcher
from tiletree.cli import run


@dataclass(frozen=True)
class Done:
    """What one call came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document


T = TypeVar("T")

PAGE = ("404.html", "index.html", "page/app.js", "page/entry.js", page.VERIFY)

_PREPARED: dict[Callable[[Command], Any], tuple[Template, Any]] = {}


def few_page_files(policy: Policy) -> dict[str, bytes]:
    """Return some files of the page of a log: to write and sync all takes longer than all else that `init` does."""
    return {name: data for name, data in page_files(policy).items() if name in PAGE}


class Command:
    """Calls `tiletree` with the directories of a user of its own."""

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self._capture = capture
        self._patch = patch
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(directory / "home" / variable))
        patch.setattr(http_fetcher, "PAUSES", replace(http_fetcher.PAUSES, first=0.01, longest=0.01))
        patch.setattr(page, "page_files", few_page_files)
        patch.chdir(directory)

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Done:
        """Run one command."""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capture.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = self._capture.readouterr()
        assert "Traceback" not in captured.err
        outcomes.check([str(argument) for argument in arguments], code, captured.out)
        return Done(code, captured.out, captured.err)

    def ok(self, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
        """Run one command with --json that has to succeed, and return its document."""
        done = self(*arguments, "--json", stdin=stdin)
        assert done.code == 0, done
        return done.json

    def prepared(self, make: Callable[[Command], T]) -> T:
        """Have in this directory what a function of a test file makes by commands, and return what it returns.

        It is called once in a process, in a directory of its own, and what it made is copied. So it must be a function
        that depends on nothing a test has changed, and what it returns must name no place.
        """
        if make not in _PREPARED:
            with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
                directory = Path(place).resolve()
                known = make(Command(directory, self._capture, patch))
                _PREPARED[make] = Template.of(directory), known
        template, known = _PREPARED[make]
        template.write(self.directory)
        return cast("T", known)


@pytest.fixture
def whole_page(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command write all files of the page, as it does where no test calls it."""
    monkeypatch.setattr(page, "page_files", page_files)


@pytest.fixture
def tiletree(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, run in an empty directory by a user who has never run it."""
    return Command(tmp_path, capsys, monkeypatch)


def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `add` log entries of Rekor whose signatures do not hold, as a log that somebody else writes may have them."""
    monkeypatch.setattr(own_kinds, "REKOR", replace(own_kinds.REKOR, check=len))


ORIGIN = "log.example.com"
# what the document of `init` has, in this order, with the anchor beside the key
INIT_FIELDS = ["origin", "vkey", "vkeys", "size", "public", "private", "key", "anchor", "trust", "one_machine"]
WITNESS = signing_key("witness.example.com", bytes(32), SignatureType.COSIGNATURE)


@pytest.fixture
def log(tiletree: Command) -> str:
    """Return the vkey of a log at `log`, with key `k`; it holds the files `a` and `b`, and `p` proves the first.

    Its key is forgotten again: to who reads it, it is a log that somebody else has begun.
    """
    return tiletree.prepared(begin_log)


def begin_log(tiletree: Command) -> str:
    """Make what `log` returns the vkey of."""
    vkey: str = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")["vkey"]
    tiletree.ok("key", "forget", "log")
    Path("a").write_bytes(b"content of a\n")
    Path("b").write_bytes(b"content of b\n")
    tiletree.ok("add", "log", "a", "b", "--key", "k")
    tiletree.ok("prove", "log", "--index", 0, "-o", "p")
    return vkey
