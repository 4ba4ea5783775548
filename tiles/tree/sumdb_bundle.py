"""Data tiles of Go's checksum database (https://go.dev/design/25530-sumdb): records, each followed by a blank line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tiles.errors import Malformed

_WHAT = "record of a checksum database"
_CONTROL = re.compile("[\0-\x09\x0b-\x1f]")  # what x/mod's tlog refuses in a record: below a space, but for a newline


def parse_records(data: bytes, width: int) -> list[bytes]:
    """Return the records of a data tile. Raises Malformed for what `format_records` does not make."""
    *texts, after = data.split(b"\n\n")
    if after or len(texts) != width:
        raise Malformed("data tile", f"{len(texts)} records that end in a blank line instead of {width}")
    records = [text + b"\n" for text in texts]
    for record in records:
        check_record(record)
    if format_records(records) != data:
        raise Malformed("data tile", "not records that are each followed by a blank line")
    return records


def format_records(records: Sequence[bytes]) -> bytes:
    """Return records as a data tile has them."""
    return b"".join(record + b"\n" for record in records)


def check_record(record: bytes) -> None:
    """Raise Malformed unless these are lines of text, none of them empty, as golang.org/x/mod/sumdb/tlog demands."""
    text = decode_lines(record)
    if not text.endswith("\n") or text.startswith("\n") or "\n\n" in text or _CONTROL.search(text):
        raise Malformed(_WHAT, "not lines of text, none of them empty", record)


def decode_lines(record: bytes) -> str:
    """Return text that may have newlines. Raises Malformed for what is not UTF-8."""
    try:
        return record.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(_WHAT, "not UTF-8", record) from None
