"""JSON of others: what readers disagree about is refused; what we write has one form."""

from __future__ import annotations

from typing import Any

import pytest

from tiles.errors import Malformed, UsageError
from tiles.sigstore.json_text import MAX_DEPTH, Item, canonical_json, parse_item, parse_json

REFUSED: dict[bytes, str] = {
    b"": "not JSON",
    b"[]": "not a JSON object",
    b"null": "not a JSON object",
    b'{"a":1,"a":2}': "a key comes twice: 'a'",
    b'{"a":{"b":1,"\\u0062":2}}': "a key comes twice: 'b'",  # the same key, spelled in two ways
    b'{"a":NaN}': "not a JSON number: 'NaN'",
    b'{"a":-Infinity}': "not a JSON number: '-Infinity'",
    b'{"a":%s}' % (b"1" * 5000): "a number of more than 20 digits",
    b'{"a":1} {}': "not JSON: Extra data",
    b'{"a":"\\ud800"}': "half a surrogate pair",
    b'{"\\udc00\\ud800":1}': "half a surrogate pair",
    b"\xef\xbb\xbf{}": "not JSON",
    b'{"a":"\xff"}': "not UTF-8 at byte 6",
    b'{"a":' * (MAX_DEPTH + 1): "more than 64 objects and lists",
    b"[" * 100_000: "more than 64 objects and lists",
    b'{"' + b'\\"' * 5_000: "not JSON",  # in linear time
    b'{"a":"%s"}' % (b"x" * 1000): "more than 1000 bytes",
}


@pytest.mark.parametrize(("data", "problem"), REFUSED.items(), ids=REFUSED.values())
def test_what_is_refused(data: bytes, problem: str) -> None:
    """Malformed, which says what is wrong."""
    with pytest.raises(Malformed, match=problem):
        parse_json(data, "bundle", 1000 if "1000" in problem else 200_000)


def test_what_is_read() -> None:
    """Objects as deep as allowed, brackets inside strings, and numbers of every kind."""
    assert parse_json(b'{"a":"[[{\\"[","b":[1,-2.5,true,null,""]}', "x", 99) == {
        "a": '[[{"[',
        "b": [1, -2.5, True, None, ""],
    }
    assert parse_json(b'{"a":"\\ud83d\\ude00","b":9007199254740993}', "x", 99) == {"a": "\U0001f600", "b": 2**53 + 1}
    assert parse_json(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH, "x", 999)


def test_canonical_form() -> None:
    """Keys in the order of UTF-16, as RFC 8785 section 3.2.3 has them; escapes as in 3.2.2.2."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    made = canonical_json(dict.fromkeys(keys, 0)).decode()
    assert made == '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\U0001f600":0,"\ufb33":0}'
    assert canonical_json(['\u20ac$\u000f\nA\'B"\\\\"/', {"b": True, "a": None}]) == (
        '["\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/",{"a":null,"b":true}]'.encode()
    )
    for value in (1.5, 2**53, {1: 2}, b"", "\ud800"):
        with pytest.raises(UsageError):
            canonical_json(value)


FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "a field that nobody knows": ({"b": 1}, "unknown field: 'p.b'"),
    "no text": ({}, "no p.a"),
    "a number for text": ({"a": 1}, "p.a is not a string: '1'"),
}


@pytest.mark.parametrize(("fields", "problem"), FIELDS.values(), ids=FIELDS)
def test_fields(fields: dict[str, Any], problem: str) -> None:
    """The message says which field of the whole it is."""
    with pytest.raises(Malformed, match=problem):
        Item("bundle", fields, "p").only("a").text("a")


def test_numbers_and_bytes() -> None:
    """64-bit numbers are decimal strings or integers; bytes have one form, of either alphabet where that is allowed."""
    item = parse_item(b'{"s":"7","n":7,"big":"9223372036854775807","b":"//8=","u":"__8=","l":["AA=="]}', "x", 999)
    assert [item.number(name) for name in ("s", "n", "big")] == [7, 7, 2**63 - 1]
    assert (item.number("absent", 0), item.data("absent", b"")) == (0, b"")
    assert item.data("b") == item.data_any("u") == item.data_any("b") == b"\xff\xff"
    assert item.data_list("l", 1) == [b"\0"]
    for value in ("07", "+7", " 7", "-1", "7.0", -1, True, 7.0, 2**53, 2**63):
        with pytest.raises(Malformed):
            Item("x", {"n": value}).number("n")
    for text in ("__8=", "//8", "//9=", "/ /8="):
        with pytest.raises(Malformed):
            Item("x", {"b": text}).data("b")
    for text in ("_/8=", "__9=", "é"):
        with pytest.raises(Malformed):
            Item("x", {"b": text}).data_any("b")
    with pytest.raises(Malformed, match="more than 1 in l"):
        Item("x", {"l": [{}, {}]}).objects("l", 1)
