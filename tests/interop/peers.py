"""What the tests against Go implementations share: our Go programs, and a log as it was at several sizes.

Each folder under `go` is a module of its own, with its versions pinned: what one of them needs may be missing, and the
others still run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.notes.encoding import decode_base64, encode_base64
from tiles.signing.key_file import read_key
from tiles.tree.merkle import TreeHead, to_hash

ORIGIN = "log.example.com/interop"
SIZES = (0, 1, 255, 256, 257, 70_000)  # one log grows through all of them

SOURCES = Path(__file__).parent / "go"
_MINUTES = 60  # seconds


def line(index: int) -> bytes:
    """Return the entry at an index; one is empty, one is as long as can be."""
    return {2: b"", 254: b"x" * 65_535}.get(index, b"entry %d" % index)


def lines(start: int, stop: int) -> bytes:
    """Return the entries [start, stop) as lines."""
    return b"".join(line(index) + b"\n" for index in range(start, stop))


class Program:
    """One of our Go programs, built. Exit code 1 means that the libraries it uses refused what they were given."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, *arguments: object, stdin: bytes = b"") -> bytes:
        """Run it; it has to succeed. Return its standard output."""
        done = self._run(arguments, stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def json(self, *arguments: object) -> dict[str, Any]:
        """Run it; it has to succeed. Return the JSON document it prints."""
        document: dict[str, Any] = json.loads(self(*arguments))
        return document

    def refuses(self, *arguments: object) -> str:
        """Run it; it has to say that something is wrong. Return what."""
        done = self._run(arguments, b"")
        assert done.returncode == 1, f"exit code {done.returncode}: {done.stderr.decode()}"
        return done.stderr.decode()

    def _run(self, arguments: tuple[object, ...], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [str(self._path), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=5 * _MINUTES)


def build(name: str, target: Path, package: str = ".", *, cgo: bool = False) -> Program | str:
    """Return the program, or why it cannot be built. Fails if it is our fault, or if a module is not the one pinned.

    package   what to build, if it is not the program in that folder: a tool that its module pins
    cgo       it has parts in C
    """
    if shutil.which("go") is None:
        return "there is no Go toolchain"
    if cgo and shutil.which("gcc") is None:
        return "there is no C compiler"
    done = _go(name, "build", "-o", str(target), package, cgo=cgo)
    if done.returncode == 0:
        return Program(target)
    modules = _go(name, "mod", "download")
    if modules.returncode == 0 or "SECURITY ERROR" in modules.stderr:
        pytest.fail(f"{name} does not build:\n{done.stderr}{modules.stderr}")
    return f"its modules cannot be had: {modules.stderr.strip()[-500:]}"


def cache_place(name: str, made_of: bytes) -> Path:
    """Return where something that takes long to make is kept between runs, by all that it is made of."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "tiletree-interop" / f"{name}-{sha256(made_of).hexdigest()[:16]}"


def _go(name: str, *arguments: str, cgo: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": str(int(cgo))}
    command = ["go", *arguments]
    directory = SOURCES / name
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60 * _MINUTES
    )


Build = Callable[[str], Program]  # by the name of its folder under `go`


@dataclass(frozen=True)
class Logs:
    """One log, as it was at each of SIZES: a copy of its public directory each.

    key      its key file
    policy   a policy file that accepts what the key has signed
    """

    directory: Path
    vkey: str
    key: Path
    policy: Path

    def at(self, size: int) -> Path:
        """Return the log of that size; not to be changed."""
        return self.directory / f"log-{size}"


def run_tiletree(directory: Path, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
    """Run the command in a process and directory of its own; it has to succeed. Return its JSON document."""
    home = {name: str(directory / "home" / name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "tiletree", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=directory, input=stdin, capture_output=True, env={**os.environ, **home})
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def kept(log: Path) -> Iterator[Path]:
    """Yield the checkpoints that are kept in a log, one for each size."""
    root = log / "checkpoints"
    yield from (path for path in sorted(root.rglob("*")) if path.is_file() and path.parent != root / "days")


# ---- what is wrong with a log, for its own good reader to find: name → what makes it so


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _flip_signature(log: Path) -> None:
    text, _, encoded = (log / "checkpoint").read_text().rstrip("\n").rpartition(" ")
    signature = bytearray(decode_base64(encoded, "signature"))
    signature[-1] ^= 1
    (log / "checkpoint").write_text(f"{text} {encode_base64(signature)}\n")


def _sign_other_root(path: Path, size: int, logs: Logs) -> None:
    checkpoint = Checkpoint(ORIGIN, TreeHead(size, to_hash(bytes(32))))
    path.write_bytes(sign_checkpoint(checkpoint, read_key(logs.key)).data)


WRONG: dict[str, Callable[[Path, Logs], None]] = {
    "tile": lambda log, _: _flip(log / "tile/0/000", 0),
    "partial tile": lambda log, _: _flip(log / "tile/0/001.p/1", 0),
    "entry": lambda log, _: _flip(log / "tile/entries/000", 2),
    "length of an entry": lambda log, _: _flip(log / "tile/entries/000", 0),
    "signature": lambda log, _: _flip_signature(log),
    "signed root": lambda log, logs: _sign_other_root(log / "checkpoint", 257, logs),
    "signed history": lambda log, logs: _sign_other_root(log / "checkpoints/255", 255, logs),
}


def make_wrong(what: str, logs: Logs, directory: Path) -> Path:
    """Return a copy, in an empty directory, of the log of size 257, with that wrong about it."""
    log = directory / "log"
    shutil.copytree(logs.at(257), log)
    WRONG[what](log, logs)
    return log
