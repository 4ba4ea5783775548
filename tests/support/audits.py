"""Logs that are damaged, and what an audit finds in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from tests.support.reference import flipped
from tiles.errors import AccessError, NotFound
from tiles.tree.edge import EMPTY_EDGE
from tiles.tree.merkle import TreeHead
from tiles.tree.plan import plan
from tiles.upkeep.audit import audit

Objects = dict[str, bytes]
Damage = Callable[[bytes], bytes | None]
SMALL = 600  # two full level-0 tiles, a partial one, and a partial tile of level 1
LARGE = 65_536 + 600  # and a full tile of level 1, and a partial one of level 2


class Served:
    """A Fetcher of a dict."""

    url = "memory:"

    def __init__(self, objects: Mapping[str, bytes], parallel: int = 1) -> None:
        self.objects = objects
        self.parallel = parallel
        self.asked: list[str] = []

    def fetch(self, path: str, limit: int) -> bytes:
        """Return an object."""
        self.asked.append(path)
        data = self.objects.get(path)
        if data is None:
            raise NotFound(path)
        if len(data) > limit:
            raise AccessError(f"{path}: longer than {limit} bytes")
        return data


def some_entries(count: int) -> list[bytes]:
    """Return entries of three lengths, one of them 0 bytes."""
    return [b"entry %d" % i if i % 10 else b"" for i in range(count)]


@cache
def log(*sizes: int) -> tuple[TreeHead, Mapping[str, bytes]]:
    """Return the tree and all objects of a log that was published at these sizes."""
    edge = EMPTY_EDGE
    objects: Objects = {}
    for size in sizes:
        planned = plan(edge, some_entries(size)[edge.size :])
        objects.update(planned.objects)
        edge = planned.edge
    return edge.tree, objects


def findings(tree: TreeHead, objects: Mapping[str, bytes], parallel: int = 1) -> dict[str, str]:
    """Return what an audit finds, path → problem; no path may be found twice."""
    found = audit(Served(objects, parallel), tree).findings
    assert len({finding.path for finding in found}) == len(found), found
    return {finding.path: finding.problem for finding in found}


def changed(objects: Mapping[str, bytes], *changes: tuple[str, Damage]) -> Objects:
    """Return the objects, some of them damaged; None removes one."""
    result = dict(objects)
    for path, damage in changes:
        data = damage(result.pop(path))
        if data is not None:
            result[path] = data
    return result


def gone(_: bytes) -> None:
    """Remove it."""


def last_bit(data: bytes) -> bytes:
    """Change the last bit: of the last hash of a tile, or the last entry of a bundle."""
    return flipped(data, len(data) * 8 - 1)


DAMAGES: dict[str, Damage] = {
    "gone": gone,
    "empty": lambda _: b"",
    "one byte short": lambda data: data[:-1],
    "one byte long": lambda data: data + b"\0",
    "an entry or hash short": lambda data: data[:-32] if len(data) % 32 == 0 else data[: -len(b"00entry 511")],
    "much too long": lambda data: data * 50,
    "first bit of the last byte": lambda data: flipped(data, len(data) * 8 - 8),
    "last bit": last_bit,
    "another's content": lambda data: bytes(len(data)),
}
