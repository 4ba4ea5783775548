"""What is known of a file that somebody wants to find in a log, or to have there, after one pass over it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

MAX_DATA_SIZE = 1 << 20  # bytes of a file that are kept: entries of other people's logs may be longer than ours

_CHUNK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a file after one pass over it.

    sha256   64 lower-case hexadecimal digits
    size     in bytes
    data     all of it; None if it is longer than any entry of a log that is read here can be expected to be
    name     without folders; None if it has none, or if nobody looks for it
    secrets  gives the blinding secrets with which it may have been logged, when somebody looks for that
    """

    sha256: str
    size: int
    data: bytes | None = field(repr=False)
    name: str | None = None
    secrets: Callable[[], Iterable[bytes]] = field(default=tuple, repr=False, compare=False)


def read_content(stream: BinaryIO, name: str | None = None) -> Content:
    """Return what is left to read of a stream, in one pass and constant memory. name: of the file, if it has one"""
    start = stream.read(MAX_DATA_SIZE + 1)
    hashed = hashlib.sha256(start)
    size = len(start)
    if size > MAX_DATA_SIZE:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
    return Content(hashed.hexdigest(), size, start if size <= MAX_DATA_SIZE else None, name)


def read_digests(stream: BinaryIO, hashes: Mapping[str, Callable[[], Any]]) -> dict[str, bytes]:
    """Return digests of what is left to read of a stream, in one pass and constant memory.

    hashes   by the names under which they are returned, such as `hashlib.sha256`
    """
    begun = {name: hash_() for name, hash_ in hashes.items()}
    while chunk := stream.read(_CHUNK):
        for each in begun.values():
            each.update(chunk)
    return {name: each.digest() for name, each in begun.items()}
