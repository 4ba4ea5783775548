"""Envelopes: what is signed, and which are refused."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from tiles.errors import Malformed, UsageError
from tiles.sigstore.dsse import Envelope, make_envelope, pae, parse_envelope

GOOD = {"payload": "aGk=", "payloadType": "t", "signatures": [{"sig": "AAAA"}]}


def test_pae() -> None:
    """The example of protocol.md; lengths are those of bytes."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


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
