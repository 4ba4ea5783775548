"""Staged batches: all that one commit decides, in one object at `staging/<size>-<sha256>` of the private part. Pure.

    tiletree-batch/v1\\n
    base <tree size>\\n
    entries <count>\\n
    already <position> <index>\\n        what was to be logged once, and is in the log, or the batch, at <index>
    took <inbox name>\\n                  submissions whose entries these are
    refused <inbox name> <reason>\\n      submissions that are refused, and why
    keys <base64>\\n                      a signed key statement (`tiles.notes.key_change`), alone in the batch
    \\n
    the entries, each with its length as a big-endian uint16

The commit names the SHA-256 of the whole, so acceptance, order and refusal are decided at one point. Positions count
all that was to be logged, from 0, in its order: the batch's entries stand at the positions that no line names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from tiles.errors import Malformed, Refused
from tiles.notes.encoding import decode_base64, decode_decimal, encode_base64
from tiles.notes.key_change import read_key_change
from tiles.records.paths import staged_path
from tiles.tree.bundle import decode_entries

TITLE = "tiletree-batch/v1"

_HEADER = re.compile(
    r"tiletree-batch/v1\nbase ([0-9]+)\nentries ([0-9]+)\n((?:(?:already|took|refused|keys) [^\n]+\n)*)\n", re.ASCII
)
_ALREADY = re.compile(r"already ([0-9]+) ([0-9]+)", re.ASCII)
_KEYS = "keys "
_TOOK = re.compile(r"took ([!-~]+)", re.ASCII)
_REFUSED = re.compile(r"refused ([!-~]+) ([ -~]*[!-~])", re.ASCII)


@dataclass(frozen=True)
class Batch:
    """All that one commit decides.

    base      the tree size they are appended to
    count     how many entries; none in a batch that only refuses, or takes what is in the log already
    body      the entries, length-prefixed, as bundles have them; not held of a batch that this run has just staged
    took      names of the inbox objects whose entries were to be logged
    refused   names of the inbox objects that are refused, each with the reason
    keys      the signed statement that is to be published: how the keys of the log have changed; b"" for none
    already   of what was to be logged, the position of each entry that is in the log or the batch, and its index there
    """

    base: int
    count: int
    body: bytes = field(default=b"", repr=False)
    took: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    already: tuple[tuple[int, int], ...] = ()
    keys: bytes = field(default=b"", repr=False)

    @property
    def size(self) -> int:
        """The size of the tree with these entries in."""
        return self.base + self.count

    @property
    def data(self) -> bytes:
        """The batch as it is stored."""
        return self.with_entries([self.body])

    def with_entries(self, pieces: Sequence[bytes]) -> bytes:
        """Return the batch as it is stored, with its entries in pieces of `body`, which is not made as a whole."""
        there = [f"already {position} {index}\n" for position, index in self.already]
        names = [f"took {name}\n" for name in self.took]
        names += [f"refused {name} {reason}\n" for name, reason in self.refused]
        names += [f"{_KEYS}{encode_base64(self.keys)}\n"] if self.keys else []
        header = f"{TITLE}\nbase {self.base}\nentries {self.count}\n{''.join(there + names)}\n"
        return b"".join([header.encode("ascii"), *pieces])

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
    lines = match[3].splitlines()
    keys = decode_base64(lines.pop()[len(_KEYS) :], TITLE) if lines and lines[-1].startswith(_KEYS) else b""
    took, refused, already = _parse_lines(lines)
    base, count = (decode_decimal(number, TITLE) for number in match.groups()[:2])
    batch = Batch(base, count, data[end + 2 :], took, refused, already, keys)
    has_names = bool(took or refused or already)
    is_empty = not batch.count and not batch.body and (bool(refused or (took and already)) or bool(keys))
    if keys:
        read_key_change(keys)
    is_mixed = bool(keys) and (has_names or batch.count > 0)
    if batch.data != data or not (batch.count or is_empty) or is_mixed or not _is_sound(batch):
        raise Malformed(TITLE, "not in canonical form", data[:80])
    return batch


def _is_sound(batch: Batch) -> bool:
    """Whether positions rise, within what was to be logged, and indexes are in the log or the batch."""
    positions = [position for position, _ in batch.already]
    return (
        all(before < after for before, after in pairwise(positions))
        and (not positions or positions[-1] < batch.count + len(positions))
        and all(index < batch.size for _, index in batch.already)
    )


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


def _parse_lines(
    lines: Sequence[str],
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[tuple[int, int], ...]]:
    took, refused, already = [], [], []
    for line in lines:
        if match := _ALREADY.fullmatch(line):
            already.append((decode_decimal(match[1], TITLE), decode_decimal(match[2], TITLE)))
        elif match := _TOOK.fullmatch(line):
            took.append(match[1])
        elif match := _REFUSED.fullmatch(line):
            refused.append((match[1], match[2]))
        else:
            raise Malformed(TITLE, "not a name and, for a refusal, a reason; nor a position and an index", line)
    return tuple(took), tuple(refused), tuple(already)
