"""Which paths an object may have, in every store."""

from __future__ import annotations

from tiles.errors import UsageError

TEMPS = ".tmp"  # where the directory store keeps unfinished files; no store has objects there


def is_path(path: str) -> bool:
    """Tell whether an object of any store may have this path.

    It is relative and UTF-8 without NUL, "/" separates its elements, and none of them is empty, "." or "..".
    """
    elements = path.split("/")
    bad = "\0" in path or "" in elements or "." in elements or ".." in elements or elements[0] == TEMPS
    return not bad and (path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path))


def check_path(path: str) -> str:
    """Return a path that an object may have. Raises UsageError for any other."""
    if not is_path(path):
        raise UsageError(f"{path!r} is not the path of an object")
    return path


def check_prefix(prefix: str) -> str:
    """Return a prefix to list below: "", or a path and "/". Raises UsageError for any other."""
    if prefix and not (prefix.endswith("/") and is_path(prefix[:-1])):
        raise UsageError(f'{prefix!r} is not a prefix: neither "" nor a path and "/"')
    return prefix
