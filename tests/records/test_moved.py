"""The record that a log was moved."""

from __future__ import annotations

import pytest

from tiles.errors import Malformed
from tiles.records.moved import format_moved, parse_moved


def test_the_record() -> None:
    """It says both places; one that no line can hold makes no record."""
    record = format_moved("/a log", "s3://b/c")
    assert record == b"tiletree-moved/v1\nto /a log\nprivate s3://b/c\n"
    assert parse_moved(record) == "/a log, its private part to s3://b/c"
    assert format_moved("a\nb", "c") is None
    assert format_moved("a", "") is None


@pytest.mark.parametrize("data", [b"", b"tiletree-moved/v1\nto a\n", b"tiletree-moved/v1\nto a\nprivate b\nmore c\n"])
def test_no_record(data: bytes) -> None:
    """What is not one is refused."""
    with pytest.raises(Malformed):
        parse_moved(data)
