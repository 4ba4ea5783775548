"""What every strict parser does with a text that is nearly right, and with any bytes at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from tiles.errors import Malformed

T = TypeVar("T")


def refuse_changed(parse: Callable[[bytes], object], text: bytes, old: bytes, new: bytes, name: str) -> None:
    """Check that a text in which one thing is changed is malformed, and that the error names its format."""
    assert old in text
    with pytest.raises(Malformed, match=rf"^malformed {name}"):
        parse(text.replace(old, new, 1))


def accept_or_refuse(parse: Callable[[bytes], T], form: Callable[[T], bytes], data: bytes) -> None:
    """Check that data gives Malformed, or the value whose text it is."""
    try:
        value = parse(data)
    except Malformed:
        return
    assert form(value) == data
