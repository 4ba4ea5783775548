"""Staged batches: all that one commit decides, in one object at `staging/<size>-<sha256>` of the private part. Pure.

    tiletree-batch/v1\\n
    base <tree size>\\n
    entries <count>\\n
    took <inbox name>\\n                  submissions whose entries are in the batch
    refused <inbox name> <reason>\\n      submissions that are not, and why
    \\n
    the entries, each with its length as a big-endian uint16

The commit names the SHA-256 of the whole, so acceptance, order and refusal are decided at one point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tiles.errors import Malformed, Refused
from tiles.notes.encoding import decode_decimal
from tiles.records.paths import staged_path
from tiles.tree.bundle import decode_entries

TITLE = "tiletree-batch/v1"

_HEADER = re.compile(
    r"tiletree-batch/v1\nbase ([0-9]+)\nentries ([0-9]+)\n((?:(?:took|refused) [^\n]+\n)*)\n", re.ASCII
)
_TOOK = re.compile(r"took ([!-~]+)", re.ASCII)
_REFUSED = re.compile(r"refused ([!-~]+) ([ -~]*[!-~])", re.ASCII)


@dataclass(frozen=True)
class Batch:
    """All that one commit decides.

    base      the tree size they are appended to
    count     how many entries; none in a batch that only refuses
    body      the entries, length-prefixed, as bundles have them
    took      names of the inbox objects whose entries these are
    refused   names of the inbox objects that are refused, each with the reason
    """

    base: int
    count: int
    body: bytes = field(repr=False)
    took: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """The size of the tree with these entries in."""
        return self.base + self.count

    @property
    def data(self) -> bytes:
        """The batch as it is stored."""
        names = [f"took {name}\n" for name in self.took]
        names += [f"refused {name} {reason}\n" for name, reason in self.refused]
        header = f"{TITLE}\nbase {self.base}\nentries {self.count}\n{''.join(names)}\n"
        return header.encode("ascii") + self.body

    def entries(self) -> list[bytes]:
        """Return the entries. Raises Malformed if there are not `count` of them."""
        entries = decode_entries(self.body, TITLE)
        if len(entries) != self.count:
            raise Malformed(TITLE, f"{len(entries)} entries instead of {self.count}")
        return entries


def digest(data: bytes) -> str:
    """Return the name that content goes by: its SHA-256 in lower-case hex."""
    return sha256(data).hexdigest()


def parse_batch(data: bytes) -> Batch:
    """Return the batch whose `Batch.data` is `data`. Raises Malformed if there is none."""
    end = data.find(b"\n\n")
    header = data[: end + 2] if end >= 0 else b""
    match = _HEADER.fullmatch(header.decode("ascii", "replace"))
    if not match:
        raise Malformed(TITLE, "the header is not one of a batch", data[:80])
    took, refused = _parse_names(match[3].splitlines())
    batch = Batch(decode_decimal(match[1], TITLE), decode_decimal(match[2], TITLE), data[end + 2 :], took, refused)
    if batch.data != data or not (batch.count or (batch.refused and not batch.body)):
        raise Malformed(TITLE, "not in canonical form", data[:80])
    return batch


def open_batch(data: bytes, size: int, name: str) -> Batch:
    """Return the batch that a head of `size` names by its digest.

    Raises Refused if these are not the bytes that were committed.
    """
    found = digest(data)
    if found != name:
        raise Refused(
            f"{staged_path(size, name)} holds other bytes than were committed: their SHA-256 is {found}",
            hint="restore it from a copy of the private part",
        )
    batch = parse_batch(data)
    if batch.size != size:
        raise Refused(f"{staged_path(size, name)} leads to a tree of size {batch.size}, the head says {size}")
    return batch


def _parse_names(lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    took, refused = [], []
    for line in lines:
        if match := _TOOK.fullmatch(line):
            took.append(match[1])
        elif match := _REFUSED.fullmatch(line):
            refused.append((match[1], match[2]))
        else:
            raise Malformed(TITLE, "not a name and, for a refusal, a reason", line)
    return tuple(took), tuple(refused)
