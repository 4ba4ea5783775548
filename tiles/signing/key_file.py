"""Key files: signing keys as Go's note tools write them, one a line, readable by their owner only.

A log with several keys has all of them in one file, the Ed25519 key first (`tiles.signing.log_keys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tiles.errors import Malformed, NotFound, Refused, UsageError, explained, placed
from tiles.notes.keys import SeedKey, check_origin, parse_skey
from tiles.signing.log_keys import LogKeys
from tiles.user.files import create_file, locked_beside, read_private, write_file

_LOST = explained(
    "the-key-is-gone",
    "name the log's key with --key or $TILETREE_KEY; a job has the text of the key file in $TILETREE_PRIVATE_KEY, and "
    "a secret that it does not get is empty",
)
MAX_KEY_FILE_SIZE = 16 * 1024  # bytes


def write_key(path: Path, key: SeedKey) -> None:
    """Write a key to a new file of mode 0600, which lasts on return. Raises Refused if anything is there already.

    The file gets its name once it is whole: a run that dies leaves no half key that would stop the next one.
    Raises AccessError; UsageError for the name of a key that no log can have.
    """
    write_keys(path, [key])


def write_keys(path: Path, keys: Sequence[SeedKey]) -> None:
    """Write the keys of a log to a new file, as `write_key` does."""
    for key in keys:
        check_origin(key.name)
    if not create_file(path, _format(keys)):
        raise Refused(f"{path} exists already; a key is never overwritten")


def add_key(path: Path, key: SeedKey) -> None:
    """Add a key to the file of a log's keys, behind those that are there; it lasts on return.

    The file is replaced by a whole one of the same mode. Raises as `read_keys` does, and UsageError for a key that
    cannot stand beside those that are there.
    """
    path = path.resolve()  # a link stays a link
    with locked_beside(path):
        keys = (*read_keys(path), key)
        LogKeys(keys)  # raises UsageError
        write_file(path, _format(keys))


def read_key(path: Path) -> SeedKey:
    """Return the only key in a file. Raises as `read_keys` does; Malformed if there are several."""
    key, *others = read_keys(path)
    if others:
        raise placed(Malformed("key file", "more than one line"), str(path))
    return key


def read_keys(path: Path) -> tuple[SeedKey, ...]:
    """Return the keys in a file, at least one.

    Raises NotFound; Malformed; AccessError and Refused as `read_private` does.
    """
    data = read_private(path, MAX_KEY_FILE_SIZE)
    if data is None:
        raise NotFound(f"there is no key at {path}", hint=_LOST)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        text = ""  # shown nowhere: it may be a damaged secret
    try:
        if not text.endswith("\n") or len(data) > MAX_KEY_FILE_SIZE:
            raise Malformed("key file", "not lines, each with a key")
        return parse_keys(text[:-1])
    except Malformed as error:
        raise placed(error, str(path), error.plain) from None


def parse_keys(text: str) -> tuple[SeedKey, ...]:
    """Return the keys in lines. Raises Malformed, showing nothing of them, for what cannot be the keys of one log."""
    keys = tuple(parse_skey(line) for line in text.split("\n"))
    problem = ""
    if len(keys) > 1:
        try:
            LogKeys(keys)
        except UsageError as error:
            problem = error.message
    if problem:
        raise Malformed("key file", problem)
    return keys


def _format(keys: Sequence[SeedKey]) -> bytes:
    return "".join(f"{key.skey}\n" for key in keys).encode()
