"""Logs at several addresses, of which some lack objects, or have wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.readers import Objects, make_log

SIZE = 600


def place(name: str, objects: Mapping[str, bytes]) -> Objects:
    """Return one address."""
    made = Objects(objects)
    made.url = f"test://{name}"
    return made


def changed(path: str, change: Callable[[bytes], bytes | None], *sizes: int) -> dict[str, bytes]:
    """Return a log of which one object is changed."""
    objects = make_log(*(sizes or (SIZE,)))
    data = change(objects.pop(path))
    return objects if data is None else {**objects, path: data}
