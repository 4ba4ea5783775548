"""Key files: a signing key as Go's note tools write it, one line, readable by its owner only."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from tiles.errors import AccessError, Malformed, NotFound, Refused, explained, placed
from tiles.notes.keys import SeedKey, check_origin, parse_skey
from tiles.store.keeping import check_above, check_owner
from tiles.user.files import sync_directory, write_file

_LOST = explained("the-key-is-gone", "name the log's key with --key")
MAX_KEY_FILE_SIZE = 16 * 1024  # bytes


def write_key(path: Path, key: SeedKey) -> None:
    """Write a key to a new file of mode 0600, which lasts on return. Raises Refused if anything is there already.

    The file gets its name once it is whole: a run that dies leaves no half key that would stop the next one.
    Raises UsageError for the name of a key that no log can have.
    """
    check_origin(key.name)
    temp = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write_file(temp, f"{key.skey}\n".encode())
        try:
            os.link(temp, path)
        finally:
            temp.unlink()
        sync_directory(path.parent)
    except FileExistsError:
        raise Refused(f"{path} exists already; a key is never overwritten") from None
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error


def read_key(path: Path) -> SeedKey:
    """Return the key in a file. Raises NotFound; Malformed.

    Raises Refused for a file that somebody else wrote, as it may be theirs, or that others than the owner may read, and
    where everyone may exchange it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(MAX_KEY_FILE_SIZE + 1)
        folder = path.resolve().parent
        above = folder.stat()
    except FileNotFoundError:
        raise NotFound(f"there is no key at {path}", hint=_LOST) from None
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
    check_owner(str(path), status, os.geteuid())
    check_above(str(folder), above)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise Refused(f"{path} can be read by others than its owner", hint=f"chmod 600 {path}")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        text = ""  # shown nowhere: it may be a damaged secret
    try:
        if not text.endswith("\n") or len(data) > MAX_KEY_FILE_SIZE:
            raise Malformed("key file", "not one line")
        return parse_skey(text[:-1])
    except Malformed as error:
        raise placed(error, str(path), error.plain) from None
