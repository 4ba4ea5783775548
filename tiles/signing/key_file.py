"""Key files: a signing key as Go's note tools write it, one line, readable by its owner only."""

from __future__ import annotations

from pathlib import Path

from tiles.errors import Malformed, NotFound, Refused, explained, placed
from tiles.notes.keys import SeedKey, check_origin, parse_skey
from tiles.user.files import create_file, read_private

_LOST = explained("the-key-is-gone", "name the log's key with --key")
MAX_KEY_FILE_SIZE = 16 * 1024  # bytes


def write_key(path: Path, key: SeedKey) -> None:
    """Write a key to a new file of mode 0600, which lasts on return. Raises Refused if anything is there already.

    The file gets its name once it is whole: a run that dies leaves no half key that would stop the next one.
    Raises AccessError; UsageError for the name of a key that no log can have.
    """
    check_origin(key.name)
    if not create_file(path, f"{key.skey}\n".encode()):
        raise Refused(f"{path} exists already; a key is never overwritten")


def read_key(path: Path) -> SeedKey:
    """Return the key in a file. Raises NotFound; Malformed; AccessError and Refused as `read_private` does."""
    data = read_private(path, MAX_KEY_FILE_SIZE)
    if data is None:
        raise NotFound(f"there is no key at {path}", hint=_LOST)
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
