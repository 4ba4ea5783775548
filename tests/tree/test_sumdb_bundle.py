"""Data tiles of Go's checksum database."""

from __future__ import annotations

import pytest

from tests.support.other_logs import record
from tiles.errors import Malformed
from tiles.tree.sumdb_bundle import format_records, parse_records


def test_records() -> None:
    """What is formatted is parsed again."""
    records = [record(index) for index in range(256)]
    assert parse_records(format_records(records), 256) == records


@pytest.mark.parametrize(
    "data", [b"", b"a\n", b"a\n\n\n", b"\n\n", b"a\n\nb\n", b"a\x01\n\n", b"\xff\n\n", b"a\n\nb\n\n", b"a\tb\n\n"]
)
def test_malformed_data_tiles(data: bytes) -> None:
    """One record is text and a blank line, no more and no less."""
    assert parse_records(b"a\n\n", 1) == [b"a\n"]
    with pytest.raises(Malformed):
        parse_records(data, 1)
