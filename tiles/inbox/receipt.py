"""The receipt that a submitter keeps of a submission: what was submitted, and what to look for in the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tiles.errors import Malformed, UsageError
from tiles.inbox.submission import Name, parse_name
from tiles.notes.encoding import decode_text
from tiles.records.fields import parse_digest
from tiles.store.address import is_line
from tiles.tree.merkle import Hash, to_hash

TITLE = "tiletree-receipt/v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was submitted, for the submitter to keep. Its text is

        tiletree-receipt/v1\\n
        log <URL or path of the log, as the submitter names it>\\n
        submission <name below inbox/>\\n
        once\\n                        if an entry that was in the log already is not logged again
        leaf <leaf hash in hex>\\n         of each entry, in order

    It proves nothing to others; it says what to look for in the log.
    Raises UsageError for what no text can state.
    """

    log: str
    name: Name
    leaves: tuple[Hash, ...] = field(repr=False)
    once: bool = False

    def __post_init__(self) -> None:
        if not is_line(self.log):
            raise UsageError(f"{self.log!r} cannot stand in a receipt as the name of a log")
        if not self.leaves:
            raise UsageError("a receipt is for at least one entry")

    @property
    def data(self) -> bytes:
        """The text."""
        leaves = "".join(f"leaf {leaf.hex()}\n" for leaf in self.leaves)
        once = "once\n" if self.once else ""
        return f"{TITLE}\nlog {self.log}\nsubmission {self.name.text}\n{once}{leaves}".encode()


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt whose `Receipt.data` is `data`. Raises Malformed if there is none."""
    title, *lines = decode_text(data, TITLE).split("\n")
    if title != TITLE or len(lines) < 4 or lines.pop():
        raise Malformed(TITLE, "not a whole receipt that begins with its title", data[:80])
    if once := lines[2] == "once":
        del lines[2]
    if len(lines) < 3:
        raise Malformed(TITLE, "no leaf hash", data[:80])
    log, name, *leaves = (_value(line, key) for line, key in zip(lines, _keys(), strict=False))
    if not is_line(log):
        raise Malformed(TITLE, "not the name of a log", log)
    hashes = tuple(to_hash(bytes.fromhex(parse_digest(TITLE, leaf))) for leaf in leaves)
    return Receipt(log, parse_name(name), hashes, once)


def format_receipts(receipts: Iterable[Receipt]) -> bytes:
    """Return the text of several receipts: each of them, an empty line between two."""
    return b"\n".join(receipt.data for receipt in receipts)


def parse_receipts(data: bytes) -> list[Receipt]:
    """Return the receipts, at least one, for which `format_receipts` returns `data`. Raises Malformed."""
    texts = data.split(b"\n\n")
    return [parse_receipt(text + b"\n") for text in texts[:-1]] + [parse_receipt(texts[-1])]


def _keys() -> Iterator[str]:
    yield from ("log", "submission")
    while True:
        yield "leaf"


def _value(line: str, key: str) -> str:
    if not line.startswith(f"{key} "):
        raise Malformed(TITLE, f"not '{key} <value>'", line)
    return line[len(key) + 1 :]
