"""Files that a call names: reading one of a bounded size, and replacing one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tiles.errors import AccessError


def read_limited(path: Path, limit: int) -> bytes:
    """Return a file's content, one byte more than `limit` at most: its parser refuses that."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def replace_file(path: Path, data: bytes) -> None:
    """Write or replace a file that the user named: a run that dies leaves the old content or the new one.

    Raises AccessError.
    """
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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
