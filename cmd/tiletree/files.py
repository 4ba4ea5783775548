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
from typing import BinaryIO, TypeVar

from tiles.entries.content import Content, read_content, read_digests
from tiles.errors import AccessError, Malformed, UsageError

Parsed = TypeVar("Parsed")

BUNDLE_SUFFIX = ".sigstore.json"  # of the name of a bundle beside its file, by custom
ENDORSEMENT_SUFFIX = ".endorsement"  # of the name of an endorsement beside its proof

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def read_named(path: Path, option: str, limit: int, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Return what is in a file the user named. Raises UsageError, which shows nothing of the file."""
    try:
        with path.open("rb") as file:
            return parse(file.read(limit + 1))
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise UsageError(f"{option} {path}: {error.plain}") from error


def open_binary(name: str) -> BinaryIO:
    """Open a file that the user named, or standard input for "-"."""
    if name != "-":
        return Path(name).open("rb")
    # without a buffer: a thread that still waits for input when the program ends would hold the buffer's lock
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


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


def digests_of(file: str, algorithms: frozenset[str]) -> dict[str, bytes]:
    """Return digests of a file, by the names that Sigstore has for algorithms; of one that is a digest, that."""
    if (named := digest_named(file)) is not None:
        return {"SHA2_256": bytes.fromhex(named)}
    from tiles.sigstore.body import HASHES  # not for calls without a bundle

    with open_binary(file) as stream:
        return read_digests(stream, {name: HASHES[name] for name in sorted(algorithms)})


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
