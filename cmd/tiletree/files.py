"""Files that a call names, or digests in their place: reading, hashing and replacing them."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from tiles.entries.content import Content, read_content
from tiles.errors import AccessError, Malformed, UsageError

Parsed = TypeVar("Parsed")

BUNDLE_SUFFIX = ".sigstore.json"  # of the name of a bundle beside its file, by custom
ENDORSEMENT_SUFFIX = ".endorsement"  # of the name of an endorsement beside its proof

TAKES_LONG = 1 << 24  # bytes of a file of which is said how much was read

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def read_named(path: Path, option: str, limit: int, parse: Callable[[bytes], Parsed], form: str = "") -> Parsed:
    """Return what is in a file the user named. Raises UsageError, which shows nothing of the file.

    form   where the format of such files is said, as a hint
    """
    try:
        with path.open("rb") as file:
            return parse(file.read(limit + 1))
    except OSError as error:
        is_elsewhere = isinstance(error, FileNotFoundError) and not path.is_absolute()
        hint = f"looked for from {Path.cwd()}" if is_elsewhere else ""
        raise UsageError(f"{option} {path} cannot be read: {error.strerror}", hint=hint) from error
    except Malformed as error:
        raise UsageError(f"{option} {path}: {error.plain}", hint=form) from error


class _Input:
    """Standard input: a read returns all that it asks for, or what there is until the end, as a read of a file does.

    A pipe gives what is in it at the time. Whoever took that for the end would judge a part of what comes.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, and fewer only at the end; all that is left, if no size is given."""
        read = bytearray()
        while (size < 0 or len(read) < size) and (chunk := self._raw.read(size - len(read) if size >= 0 else 1 << 20)):
            read += chunk
        return bytes(read)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._raw.fileno()

    def __enter__(self) -> BinaryIO:
        return cast("BinaryIO", self)

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def open_binary(name: str, *, as_it_comes: bool = False) -> BinaryIO:
    """Open a file that the user named, or standard input for "-".

    as_it_comes   a read of standard input returns what is there by then, for who deals with each line when it is there
    """
    if name != "-":
        return Path(name).open("rb")
    # without a buffer: a thread that still waits for input when the program ends would hold the buffer's lock
    raw: BinaryIO = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
    return raw if as_it_comes else cast("BinaryIO", _Input(raw))


@contextmanager
def open_unchanged(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input, to log it. Raises AccessError if it cannot be read, or changed meanwhile."""
    try:
        with open_binary(name) as stream:
            before = _version(stream)
            yield stream
            if before is not None and _version(stream) != before:
                raise AccessError(
                    f"{name} changed while it was read; it was not added",
                    hint="once it is complete, make the same call again: what is in the log is not added twice",
                )
    except OSError as error:
        raise AccessError(f"{name} cannot be read: {error.strerror}; it was not added") from error


class _Watched:
    """A large file, of which somebody is told how much was read."""

    def __init__(self, stream: BinaryIO, size: int, told: Callable[[int, int], None]) -> None:
        self._stream, self._size, self._told = stream, size, told
        self._read = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return what comes next."""
        data = self._stream.read(size)
        self._read += len(data)
        self._told(self._read, self._size)
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def watched(stream: BinaryIO, told: Callable[[int, int], None]) -> BinaryIO:
    """Return a stream of which `told` gets how many bytes were read, and its size, if it is a file that takes long."""
    before = _version(stream)
    return cast("BinaryIO", _Watched(stream, before[0], told)) if before and before[0] >= TAKES_LONG else stream


def _version(stream: BinaryIO) -> tuple[int, int] | None:
    """Return what tells whether a file has changed; None for what is no regular file."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # not of a file
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def read_file(name: str, secrets: Callable[[], Iterable[bytes]] = tuple) -> Content:
    """Read a file that the user named, or standard input, to look for the entry as which it was logged."""
    with open_binary(name) as stream:
        return replace(read_content(stream, None if name == "-" else Path(name).name), secrets=secrets)


def read_limited(path: Path, limit: int) -> bytes:
    """Return a file's content, one byte more than `limit` at most: its parser refuses that."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def digest_named(text: str) -> str | None:
    """Return the SHA-256, in hexadecimal, that an argument names in the place of a file; None if it names a file.

    Raises UsageError for one that is no SHA-256.
    """
    if not text.startswith("sha256:"):
        return None
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is not sha256: and 64 lower-case hexadecimal digits", hint="a file can be ./sha256:…")
    return match[1]


def write_file(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a file that the user named. Raises AccessError if that cannot be done.

    new   the file must not be there yet
    """
    try:
        with path.open("xb" if new else "wb") as file:
            file.write(data)
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error


def replace_file(path: Path, data: bytes) -> None:
    """Write or replace a file that the user named: a run that dies leaves the old content or the new one.

    Raises AccessError.
    """
    temp = path.with_name(f".{os.urandom(8).hex()}.tmp")  # hidden, so that no walk through a folder takes it
    try:
        with temp.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # `staple` may replace the only copy of a signature
        temp.replace(path)
    except OSError as error:
        with suppress(OSError):
            temp.unlink(missing_ok=True)
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
