"""A log in real directories that is written by the real command, in processes that may be killed."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.support.check_log import committed, published
from tests.support.world import ORIGIN
from tiles.notes.keys import VerifierKey
from tiles.signing.key_file import read_key
from tiles.store.directory import DirectoryStore
from tiletree.cli import run

_ADDED = re.compile(r"([0-9]+)  ([0-9a-f]{64})  .*:([0-9]+)")


@contextmanager
def ground(otherwise: Path) -> Iterator[Path]:
    """Give a folder in memory where that is to be had: what is shown here does not need a disk, and a disk is slow."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield otherwise
        return
    with TemporaryDirectory(dir=memory, prefix="tiletree-test-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Answer:
    """What a command has said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


class RealLog:
    """A log below a folder: `log`, `log.private`, the key and what else the command keeps for its user.

    acknowledged   (index, entry) of all that a command has said to be in the log
    unsaid         entries of runs that had published them, and died before they could say so
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "log"
        self.environment = {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.acknowledged: list[tuple[int, bytes]] = []
        self.unsaid: list[bytes] = []

    def create(self) -> RealLog:
        """Begin the log; return it."""
        assert self.inside("init", str(self.path), "--origin", ORIGIN).code == 0
        return self

    def copy(self, folder: Path) -> RealLog:
        """Return an equal log that goes on by itself, in the place of what may be there."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        other = RealLog(folder)
        other.acknowledged, other.unsaid = list(self.acknowledged), list(self.unsaid)
        return other

    @property
    def verifier(self) -> VerifierKey:
        """The log's key."""
        return read_key(next((self.folder / "config").rglob("*.key"))).verifier

    def command(self, *arguments: str) -> list[str]:
        """Return what runs the command."""
        return [sys.executable, "-m", "tiletree", *arguments]

    def start(self, *arguments: str, under: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the command in a process of its own. under: a program that starts it, with its arguments."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*under, *self.command(*arguments)],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=os.environ | self.environment,
        )

    def inside(self, *arguments: str) -> Answer:
        """Run the command in this process, which is quicker."""
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, self.environment), redirect_stdout(out), redirect_stderr(err):
            code = run(list(arguments))
        return Answer(code, out.getvalue(), err.getvalue())

    def add(self, entries: Sequence[bytes], *options: str) -> Answer:
        """Add entries by a run in this process, and take down what it says; it must succeed."""
        answer = self.inside("add", str(self.path), "--lines", self.file(entries), *options)
        assert answer.code == 0, answer
        self.take_down(answer.out, entries)
        return answer

    def file(self, entries: Sequence[bytes]) -> str:
        """Return the path of a file that has these entries as its lines."""
        data = b"".join(entry + b"\n" for entry in entries)
        path = self.folder / f"lines-{sha256(data).hexdigest()[:16]}"
        path.write_bytes(data)
        return str(path)

    def take_down(self, out: str, entries: Sequence[bytes]) -> list[bytes]:
        """Take down what `add` has said of its lines before it ended or died; return the entries it has not said."""
        count = 0
        for line in out.splitlines(keepends=True):
            if line.endswith("\n") and (match := _ADDED.fullmatch(line.rstrip("\n"))):
                index, leaf, number = int(match[1]), match[2], int(match[3])
                entry = entries[number - 1]
                assert number == count + 1, f"line {number} was acknowledged after line {count}"
                assert leaf == sha256(b"\0" + entry).hexdigest()
                self.acknowledged.append((index, entry))
                count += 1
        return list(entries[count:])

    def entries(self) -> tuple[bytes, ...]:
        """Return the published entries, recomputed, without a word of the library."""
        found = published(DirectoryStore(self.path), self.verifier)
        return found[1] if found else ()

    def committed(self) -> tuple[bytes, ...]:
        """Return the committed entries."""
        private = DirectoryStore(self.path.with_name("log.private"))
        return committed(DirectoryStore(self.path), private, self.verifier) or ()

    def let_time_pass(self) -> None:
        """Let the head look old, so that nobody waits for its writer, who is dead."""
        os.utime(self.path.with_name("log.private") / "head", (1, 1))

    def check(self) -> tuple[bytes, ...]:
        """Audit the log when a run has come to its end, and return its entries."""
        audit = self.inside("audit", str(self.path), "--vkey", self.verifier.vkey, "--json")
        assert (audit.code, audit.document["findings"]) == (0, []), audit
        entries = self.entries()
        assert self.committed() == entries, "something is committed, and not published"
        indexes = [index for index, _ in self.acknowledged]
        assert len(indexes) == len(set(indexes)), "one index was acknowledged twice"
        for index, entry in self.acknowledged:
            assert entries[index] == entry, f"{entry!r} was acknowledged at {index}, and there is {entries[index]!r}"
        expected = Counter(entry for _, entry in self.acknowledged) + Counter(self.unsaid)
        assert Counter(entries) == expected, (
            f"too many, too few: {Counter(entries) - expected, expected - Counter(entries)}"
        )
        head = dict(line.split(" ", 1) for line in self._head().splitlines()[1:])
        staged = self.path.with_name("log.private") / f"staging/{head['size']}-{head['batch']}"
        assert not staged.exists(), "the published batch is still staged"
        kept = [path for path in (self.path / "checkpoints").rglob("*") if path.is_file()]
        sizes = {int(path.read_bytes().split(b"\n")[1]) for path in kept if path.parent.name != "days"}
        assert len(entries) in sizes, f"the checkpoint of size {len(entries)} is not kept"
        return entries

    def _head(self) -> str:
        return (self.path.with_name("log.private") / "head").read_text()
