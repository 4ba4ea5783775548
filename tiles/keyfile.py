"""Key files: a signing key as Go's note tools write it, one line, readable by its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tiles.errors import AccessError, Malformed, NotFound, Refused
from tiles.keys import SigningKey, parse_skey
from tiles.userfiles import make_directory

MAX_KEY_FILE_SIZE = 16 * 1024  # bytes


def write_key(path: Path, key: SigningKey) -> None:
    """Write a key to a new file of mode 0600, which lasts on return. Raises Refused if anything is there already."""
    try:
        make_directory(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists already; a key is never overwritten") from None
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{key.skey}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error


def read_key(path: Path) -> SigningKey:
    """Return the key in a file. Raises NotFound; Refused if others than the owner may read it; Malformed."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_KEY_FILE_SIZE + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no key at {path}", hint="name the log's key with --key") from None
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(f"{path} can be read by others than its owner", hint=f"chmod 600 {path}")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        text = ""  # shown nowhere: it may be a damaged secret
    if not text.endswith("\n") or len(data) > MAX_KEY_FILE_SIZE:
        raise Malformed(f"key file {path}", "not one line")
    return parse_skey(text[:-1])
