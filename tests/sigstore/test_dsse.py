"""Envelopes: what is signed, and which are refused."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from tiles.errors import Malformed, UsageError
from tiles.sigstore.dsse import Envelope, make_envelope, pae, parse_envelope, parse_pae

GOOD = {"payload": "aGk=", "payloadType": "t", "signatures": [{"sig": "AAAA"}]}


def test_pae() -> None:
    """The example of protocol.md; lengths are those of bytes."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


@pytest.mark.parametrize("payload", [b"", b"hello world", b" 1 \xff\n", b"x" * 1000])
@pytest.mark.parametrize("type_", ["t", "http://example.com/HelloWorld", "\u00e9 2", "x" * 512])
def test_pae_is_read_again(type_: str, payload: bytes) -> None:
    """Type and payload are those that it was made of, also where they look like a part of it."""
    assert parse_pae(pae(type_, payload)) == (type_, payload)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello world",
        b"DSSEv1 1 t 2 h",
        b"DSSEv1 1 t 1 hi",
        b"DSSEv1 01 t 2 hi",
        b"DSSEv1 1 t 02 hi",
        b"DSSEv1 9999 t 2 hi",
        b"DSSEv1 1 \xff 2 hi",
        b"DSSEv1 1 t  2 hi",
        b"DSSEv1 -1 t 2 hi",
    ],
)
def test_what_is_no_pae(data: bytes) -> None:
    """Anything that `pae` would not have written."""
    with pytest.raises(Malformed, match="not the encoding that is signed"):
        parse_pae(data)


def test_round_trip() -> None:
    """An envelope as file, with a key id and without; base64 of the other alphabet is read, too."""
    for envelope in (Envelope("t", b"\xff\xfe", b"\xfb\xff"), Envelope("t", b"", b"s", "key")):
        assert parse_envelope(envelope.data) == envelope
        text = envelope.data.decode()
        assert parse_envelope(text.replace("+", "-").replace("/", "_").encode()) == envelope
    assert make_envelope("t", b"hi", b"\0\0\0").data == json.dumps(GOOD, separators=(",", ":")).encode()
    with pytest.raises(UsageError):
        make_envelope("", b"hi", b"s")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two signatures": ({"signatures": [{"sig": "AAAA"}] * 2}, "2 signatures; a log's entry is of exactly one"),
    "no signature": ({"signatures": []}, "0 signatures"),
    "an empty signature": ({"signatures": [{"sig": ""}]}, "no signature"),
    "no type": ({"payloadType": ""}, "not a payloadType"),
    "half a pair": ({"payloadType": "\ud800"}, "half a surrogate pair"),
    "an unknown field": ({"extra": 1}, "unknown field: 'extra'"),
    "an unknown field of the signature": ({"signatures": [{"sig": "AAAA", "cert": ""}]}, r"signatures\[0\].cert"),
    "no base64": ({"payload": b64encode(b"hi").decode().rstrip("=")}, "not canonical base64"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(change: dict[str, Any], problem: str) -> None:
    """Malformed, which says what is wrong."""
    with pytest.raises(Malformed, match=problem):
        parse_envelope(json.dumps({**GOOD, **change}).encode())
