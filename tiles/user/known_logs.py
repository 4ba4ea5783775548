"""The memory of logs: where the parts are of the logs that this user writes to, so that a command names only the log.

    {"logs": {"s3://bucket/log": {"log": "s3://bucket/log?region=…", "private": "…", "key": "…", "anchor": "…"}}}

This is `logs.json`. It holds paths and URLs, never a key or a credential. Where `private`, `key` or `anchor` is
missing, the default holds. What is named in a call comes before what is remembered.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tiles.errors import AccessError, UsageError, explained
from tiles.user.files import locked, read_file, write_file, xdg_directory

FILE = "logs.json"
_DAMAGED = "what-is-remembered-is-damaged"
MAX_SIZE = 4 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where the parts of a log are, as they were named, with absolute paths.

    log       its public part, with the options that a URL needs
    private, key, anchor   None where the default holds
    """

    log: str
    private: str | None = None
    key: str | None = None
    anchor: str | None = None


def recall(name: str) -> Remembered | None:
    """Return what is remembered of the log of that name, None if nothing is, or if this user has no home directory.

    Raises UsageError if the file is damaged; AccessError if it is there and cannot be read.
    """
    found = _logs().get(name)
    if found is None:
        return None
    known = set(Remembered.__dataclass_fields__)
    if not isinstance(found, dict) or not set(found) <= known or not all(map(_is_place, found.values())):
        raise UsageError(
            f"{_path()}: what it says of {name} is not understood",
            hint=explained(_DAMAGED, "correct or remove that part"),
        )
    return Remembered(**{"log": name, **found})


def remember(name: str, what: Remembered) -> None:
    """Remember where the parts of a log are, instead of what was remembered before. Raises AccessError."""
    directory = xdg_directory("XDG_CONFIG_HOME", ".config")
    with locked(directory):
        logs = _logs()
        logs[name] = {key: value for key, value in asdict(what).items() if value is not None}
        data = (json.dumps({"logs": logs}, indent=2, sort_keys=True) + "\n").encode()
        if len(data) > MAX_SIZE:  # which could not be read back
            raise AccessError(f"{directory / FILE} has no room for another log")
        write_file(directory / FILE, data)


def _is_place(value: object) -> bool:
    """Whether it can be a path or URL: not empty, and characters that a name can have."""
    return isinstance(value, str) and value != "" and "\0" not in value and _is_encodable(value)


def _is_encodable(text: str) -> bool:
    try:
        return bool(text.encode("utf-8", "surrogateescape"))  # as names of files are
    except UnicodeEncodeError:
        return False


def _path() -> Path:
    return xdg_directory("XDG_CONFIG_HOME", ".config") / FILE


def _read() -> bytes | None:
    try:
        path = _path()
    except AccessError:  # a job may run as a user who has no home directory
        return None
    try:
        return read_file(path, MAX_SIZE)
    except AccessError as error:
        if isinstance(error.__cause__, NotADirectoryError):  # such as a home of /dev/null
            return None
        raise


def _logs() -> dict[str, object]:
    data = _read()
    if data is None:
        return {}
    try:
        logs = json.loads(data)["logs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        logs = None
    if not isinstance(logs, dict):
        raise UsageError(
            f"{_path()} is not what tiletree writes", hint=explained(_DAMAGED, "correct it, or move it away")
        )
    return logs


def try_to_remember(name: str, what: Remembered) -> bool:
    """Remember, and return whether that could be done: it cannot in a job that runs without a home directory."""
    try:
        if recall(name) != what:
            remember(name, what)
    except AccessError:
        return False
    return True
