"""What an object server keeps: buckets of objects, and their lists page by page. Not locked: its user is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import md5


@dataclass(frozen=True)
class Stored:
    """One object.

    headers      those kept with it, names in lower case
    generation   grows with every write to any object
    modified     seconds since the epoch
    """

    data: bytes
    headers: Mapping[str, str]
    generation: int
    modified: float

    @cached_property
    def md5(self) -> str:
        """The quoted MD5 of the content: its ETag in S3 and GCS."""
        return f'"{md5(self.data, usedforsecurity=False).hexdigest()}"'


@dataclass
class Page:
    """One page of a list.

    contents   keys and objects
    prefixes   common prefixes up to the delimiter
    last       where the next page begins, None on the last one
    """

    contents: list[tuple[str, Stored]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None


class Bucket:
    """Objects by key, in the order of their keys' bytes.

    deleted   the object that was deleted last
    """

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._names: list[bytes] = []  # sorted
        self.deleted: tuple[str, Stored] | None = None

    def put(self, key: str, stored: Stored) -> None:
        """Put an object, over another one too."""
        if key not in self.objects:
            name = key.encode()
            self._names.insert(bisect_left(self._names, name), name)
        self.objects[key] = stored

    def remove(self, key: str) -> bool:
        """Remove an object; return whether it was there."""
        stored = self.objects.pop(key, None)
        if stored is None:
            return False
        self._names.pop(bisect_left(self._names, key.encode()))
        self.deleted = key, stored
        return True

    def page(self, prefix: str, delimiter: str, after: str, limit: int) -> Page:
        """Return up to `limit` keys and common prefixes that come after `after`."""
        page = Page()
        last = None
        for key in self._keys(prefix, after):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            item = key if at < 0 else key[: at + len(delimiter)]
            if item == last or (at >= 0 and item.encode() <= after.encode()):
                continue
            if len(page.contents) + len(page.prefixes) == limit:
                page.last = last
                break
            last = item
            if at < 0:
                page.contents.append((key, self.objects[key]))
            else:
                page.prefixes.append(item)
        return page

    def _keys(self, prefix: str, after: str) -> Iterator[str]:
        start = prefix.encode()
        at = max(bisect_left(self._names, start), bisect_right(self._names, after.encode()))
        while at < len(self._names) and self._names[at].startswith(start):
            yield self._names[at].decode()
            at += 1

    def out_of_step(self, prefix: str, since: int) -> Bucket:
        """Return the bucket as a list out of step shows it.

        Of what was written after generation `since` the latest object below the prefix is missing, and what was deleted
        last is there again.
        """
        seen = Bucket()
        for key, stored in self.objects.items():
            seen.put(key, stored)
        young = [
            (stored.generation, key)
            for key, stored in self.objects.items()
            if key.startswith(prefix) and stored.generation > since
        ]
        if young:
            seen.remove(max(young)[1])
        if self.deleted is not None and self.deleted[0] not in self.objects:
            seen.put(*self.deleted)
        return seen
