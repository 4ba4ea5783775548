"""The encodings under all text formats: one spelling each."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.signed_text import malformed
from tiles.errors import Malformed
from tiles.notes.encoding import base64_or_none, decode_base64, decode_decimal, decode_text, encode_base64, is_line
from tiles.tree.merkle import MAX_TREE_SIZE


@pytest.mark.parametrize("number", [0, 1, 9, 10, 1_234_567_890, MAX_TREE_SIZE])
def test_decimal(number: int) -> None:
    """Numbers from 0 to 2^63 - 1 are read as they are printed."""
    assert decode_decimal(str(number), "number") == number


@pytest.mark.parametrize("text", ["", "+5", " 5_0", "007", "٥", "-1", "5\n", "1e3", "९", "9" * 20, "5" * 5000])
def test_not_decimal(text: str) -> None:
    """No sign, space, underscore, leading zero, other script, or more digits than 2^63 - 1 has."""
    with malformed("number: not a decimal number without sign and leading zeros:"):
        decode_decimal(text, "number")


def test_decimal_maximum() -> None:
    """The maximum itself is allowed, one more is not."""
    assert decode_decimal("12", "number", maximum=12) == 12
    with malformed("number: number above 12:"):
        decode_decimal("13", "number", maximum=12)
    with malformed(f"number: number above {MAX_TREE_SIZE}:"):
        decode_decimal(str(2**63), "number")


@pytest.mark.parametrize(
    "text", ["A", "AA", "AB==", "AAB=", "AAAA=", "AA=A", " AAAA", "AAAA\n", "AA\nAA", "AA-_", "é", "\0"]
)
def test_not_base64(text: str) -> None:
    """Padding, alphabet and unused bits are all checked."""
    assert base64_or_none(text) is None
    with malformed("thing: not canonical base64:"):
        decode_base64(text, "thing")


@given(st.binary())
@settings(deadline=None)
def test_base64(data: bytes) -> None:
    """Any bytes come back, in the encoding of RFC 4648 section 4."""
    assert encode_base64(data) == b64encode(data).decode()
    assert decode_base64(encode_base64(data), "thing") == data == base64_or_none(encode_base64(data))


@given(st.text(st.characters()))
@settings(deadline=None)
def test_any_base64(text: str) -> None:
    """Any text decodes to what encodes to it again, or is Malformed."""
    with suppress(Malformed):
        assert encode_base64(decode_base64(text, "thing")) == text


@pytest.mark.parametrize("control", [*range(0x0A), *range(0x0B, 0x20)])
def test_control_characters(control: int) -> None:
    """Control characters other than newline are in no text, and in no line."""
    with malformed("thing: control character:"):
        decode_text(b"a" + bytes([control]), "thing")
    assert not is_line(f"a{chr(control)}")


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n", "\x7f", "\x85", "\u2028", "\ufeff", "\U0010ffff", " "])
def test_text(text: str) -> None:
    """Everything else is text; a line is some of it without a newline."""
    assert decode_text(text.encode(), "thing") == text
    assert is_line(text) == (text not in ("", "\n", "a\nb\n"))


@given(st.binary())
@settings(deadline=None)
def test_any_text(data: bytes) -> None:
    """Any bytes are UTF-8 text that encodes to them again, or Malformed."""
    with suppress(Malformed):
        assert decode_text(data, "thing").encode() == data


def test_surrogates() -> None:
    """What UTF-8 cannot encode is no line."""
    assert not is_line("a\ud800")
    assert not is_line("\udfff")
    assert is_line("\ud7ff\ue000")
