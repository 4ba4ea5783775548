"""Asking for part of an object over HTTP, and what the answer says it is (RFC 9110, section 14). Pure.

A part is taken only if it is exactly what was asked for; of an object that ends before that, what there is. What else
an answer can be (other bytes, several parts, part of what is encoded) is no error, but of no use: the whole is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tiles.errors import TooLong
from tiles.store.content_encoding import is_plain

SATISFIED = 206
UNSATISFIABLE = 416

_NUMBER = r"(0|[1-9][0-9]{0,18})"
_CONTENT_RANGE = re.compile(rf"bytes {_NUMBER}-{_NUMBER}/(?:{_NUMBER}|\*)", re.ASCII | re.IGNORECASE)


def asking_for(start: int, stop: int) -> dict[str, str]:
    """Return the headers of a request for the bytes [start, stop). Of encoded bytes, a part would be of no use."""
    return {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}


def length_of(headers: Mapping[str, str], span: tuple[int, int], size: int, where: str) -> int | None:
    """Return how many bytes an answer 206 has of the part that was asked for; None if it is of no use.

    headers   names in any case
    span      from where to where: 0 ≤ start < stop ≤ size
    where     the address of the object, for errors

    A server need not know how long the object is (`*`): then it has to send all that was asked for. An object that is
    shorter than `size` may still have the part. Raises TooLong for one that is longer: it is another object.
    """
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None or not is_plain(headers.get("Content-Encoding", "")):
        return None
    start, stop = span
    first, last = int(match[1]), int(match[2])
    total = None if match[3] is None else int(match[3])
    if total is not None and total > size:
        raise TooLong(f"{where}: longer than {size} bytes")
    end = stop if total is None else min(stop, total)
    return end - start if (first, last + 1) == (start, end) and first <= last else None
