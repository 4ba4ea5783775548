"""A program that runs `tiletree` in forks of itself: a command then starts in milliseconds, with standard streams that
are closed, full, gone or whatever is asked for, as a new process would find them.

Of the calls that `Forks` sends, one JSON document in a line, each is answered by a line with the exit code.
"""

from __future__ import annotations

import importlib
import io
import itertools
import json
import os
import pkgutil
import pty
import pwd
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import tiles
import tiletree
from tiletree.cli import run

CLOSED, GONE, FULL, REVERSED, HUNG_UP = "closed", "gone", "full", "reversed", "hung up"
EMPTY = "empty"  # of standard input: there is nothing to read
NOTHING: Mapping[str, Any] = {}
FLUSH_FAILED = 120  # what Python exits with if standard output cannot be flushed at its end


@dataclass(frozen=True)
class Ended:
    """What one call came to: its exit code, and what it wrote to streams that were in no trouble."""

    code: int
    out: str
    err: str


class Forks:
    """Calls of `tiletree`, each in a process of its own with streams as they are asked for."""

    def __init__(self) -> None:
        self._server = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._kept = tempfile.TemporaryDirectory()

    def __call__(
        self,
        words: list[str],
        *,
        interrupted: float = 0.0,
        encoding: str = "utf-8",
        odd: Mapping[str, Any] = NOTHING,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        **streams: str | bytes,
    ) -> Ended:
        """Run one command, in this directory and environment unless others are given.

        interrupted   seconds after which it is sent SIGINT, if it is at work by then, or later; 0: never
        encoding      of standard output and error
        odd           what is odd about the process: see `_be_odd`
        streams       stdin, stdout, stderr: the trouble each is in, bytes to be read, or nothing: none
        """
        kept = {name: str(Path(self._kept.name, name)) for name in ("stdin", "stdout", "stderr")}
        for path in kept.values():
            Path(path).write_bytes(b"")
        given = streams.pop("stdin", EMPTY)
        if isinstance(given, bytes):
            Path(kept["stdin"]).write_bytes(given)
        call = {
            "words": words,
            "directory": str(directory or Path.cwd()),
            "environment": dict(os.environ if environment is None else environment),
            "interrupted": interrupted,
            "encoding": encoding,
            "odd": dict(odd),
            "streams": [given if isinstance(given, str) else "", streams.get("stdout", ""), streams.get("stderr", "")],
            "kept": list(kept.values()),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(call).encode() + b"\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Ended(code, *(Path(kept[name]).read_text("utf-8", "replace") for name in ("stdout", "stderr")))

    def end(self) -> None:
        """End the process that forks."""
        self._server.communicate()
        self._kept.cleanup()


# ---- in the process that forks


def import_all() -> None:
    """Import what the commands import when they are called, once and not in each fork."""
    for package in (tiles, tiletree):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    for name in ("cryptography.x509.verification", "rfc3161_client", "ssl", "urllib3"):
        with suppress(ImportError):
            importlib.import_module(name)


def serve() -> None:
    """Answer calls until there are no more."""
    import_all()
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    for line in calls:
        call: dict[str, Any] = json.loads(line)
        if not (child := os.fork()):
            try:
                os._exit(_called(call))
            except BaseException:  # noqa: BLE001  what nobody caught would be a traceback and exit code 1
                os.write(os.open(call["kept"][2], os.O_WRONLY | os.O_APPEND), b"Traceback, which nobody caught\n")
                os._exit(1)
        _, status = os.waitpid(child, 0)
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))
        answers.flush()


def _called(call: dict[str, Any]) -> int:
    os.chdir(call["directory"])
    os.environ.clear()
    os.environ.update(call["environment"])
    _be_odd(**call["odd"])
    for number, (trouble, kept) in enumerate(zip(call["streams"], call["kept"], strict=True)):
        _put_in_place(number, trouble, kept)
    sys.stdin = _text(0, "r", call["encoding"])
    sys.stdout = sys.__stdout__ = _text(1, "w", call["encoding"])
    sys.stderr = sys.__stderr__ = _text(2, "w", call["encoding"], errors="backslashreplace")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, call["interrupted"], 0.05 if call["interrupted"] else 0)
    code = run(call["words"])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        code = FLUSH_FAILED
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.flush()
    return code


# what a command that is there to be interrupted is doing once it has begun
_AT_WORK = {"BaseServer.serve_forever", "LoopbackServer.serve", "Run.go", "Event.wait"}


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    """Send SIGINT, once, as soon as the command is at work: on a busy machine it takes a while to begin."""
    while frame and frame.f_code.co_qualname not in _AT_WORK:
        frame = frame.f_back
    if frame:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.kill(os.getpid(), signal.SIGINT)


def _be_odd(
    environment: Mapping[str, str | None] = NOTHING,
    clock: Sequence[float] = (),
    umask: int = 0o022,
    files: int = 0,
    gone: bool = False,
) -> None:
    """Let this process be an odd one.

    environment   variables, None where one is not set
    clock         what it says, one after the other and over again, in POSIX seconds
    files         how many may be open, 0: as many as usual
    gone          the directory that it is in is removed
    """
    if environment.get("HOME", os.environ.get("HOME")) is None:
        _be_at_home_by_passwd()
    for name, value in environment.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    if clock:
        ticks = itertools.cycle(clock)
        time.time = lambda: next(ticks)
    os.umask(umask)
    if files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if gone:
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)


def _be_at_home_by_passwd() -> None:
    """Let the user's entry in passwd name a home that holds what this user keeps: nobody's real home is used here."""
    found = pwd.getpwuid(os.getuid())
    home = Path.cwd() / "home of passwd"  # which the next case finds as it was
    (home / ".local").mkdir(parents=True)
    for variable, name in (("CONFIG", ".config"), ("STATE", ".local/state"), ("CACHE", ".cache")):
        if kept := os.environ.get(f"XDG_{variable}_HOME"):
            (home / name).symlink_to(kept)
    pwd.getpwuid = lambda _uid: pwd.struct_passwd((*found[:5], str(home), *found[6:]))


def _put_in_place(number: int, trouble: str, kept: str) -> None:
    if trouble == CLOSED:
        os.close(number)
        return
    if trouble == GONE:  # the other end of a pipe
        pipe = os.pipe()
        taken = pipe[0] if number == 0 else pipe[1]
        os.close(pipe[1] if number == 0 else pipe[0])
    elif trouble == HUNG_UP:  # a terminal
        master, taken = pty.openpty()
        os.close(master)
    elif trouble == REVERSED:  # open, but for the other direction
        taken = os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    else:
        path = {FULL: "/dev/full", EMPTY: os.devnull}.get(trouble, kept)
        taken = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
    os.dup2(taken, number)
    os.close(taken)


def _text(number: int, mode: str, encoding: str, errors: str = "strict") -> Any:
    """Return a standard stream as Python makes it when it starts."""
    try:
        os.fstat(number)
    except OSError:
        return None
    buffer = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  as long as the process lives
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=number == 2 or os.isatty(number))


if __name__ == "__main__":
    serve()
