"""What `add` and `submit` log: the files, or lines, that a call names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tiles.entries.file_digest import file_entry
from tiles.entries.payload import check_payload_size, store_payload
from tiles.errors import UsageError
from tiles.store import Store
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiletree.opening import (
    open_binary,
)
from tiletree.ui import Progress

SHOWN_ENTRIES = 1000  # entries of one call that are listed one by one


def check_raw(files: tuple[str, ...]) -> None:
    """Raise UsageError for a file that is too long for an entry."""
    for name in files:
        if name != "-" and Path(name).stat().st_size > MAX_ENTRY_SIZE:
            raise UsageError(
                f"{name} has more than the {MAX_ENTRY_SIZE} bytes that --raw can log; nothing was added",
                hint="leave out --raw: its digest is logged then, whatever its size",
            )


def check_payloads(files: tuple[str, ...]) -> None:
    """Raise UsageError for a file that is too long to be stored."""
    for name in files:
        if name != "-":
            check_payload_size(Path(name).stat().st_size, name)


def payload_entries(files: tuple[str, ...], public: Store, progress: Progress) -> Iterator[list[bytes]]:
    """Store each file, and yield its digest entry."""
    for name in files:
        with open_binary(name) as stream:
            yield [store_payload(public, stream, name)]
        progress.advance(1)


def file_entries(files: tuple[str, ...], raw: bool, progress: Progress) -> Iterator[list[bytes]]:
    """Yield the entry of each file: its digest entry, or its bytes."""
    for name in files:
        with open_binary(name) as stream:
            yield [stream.read(MAX_ENTRY_SIZE + 1) if raw else file_entry(stream)]
        progress.advance(1)
