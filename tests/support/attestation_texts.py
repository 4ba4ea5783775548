"""Raw entries that are attestations, and bytes that nearly are, with the digests of their subjects."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

AB, CD = "ab" * 32, "cd" * 32
V1, V01 = "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"
EXAMPLE = (
    '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":'
    '"abababababababababababababababababababababababababababababababab"}}]}'
)


def statement(*subjects: Any, type_: Any = V1, **more: Any) -> bytes:
    """Return a statement about subjects."""
    return json.dumps({"_type": type_, "subject": list(subjects), **more}).encode()


def of(**digest: Any) -> dict[str, Any]:
    """Return a subject with a digest."""
    return {"name": "a file", "digest": digest}


def envelope(payload: bytes, type_: Any = "application/vnd.in-toto+json") -> bytes:
    """Return a DSSE envelope."""
    text = b64encode(payload).decode()
    return json.dumps({"payloadType": type_, "payload": text, "signatures": [{"sig": "AAAA"}]}).encode()


ONE = statement(of(sha256=AB))
_MANY = [f"{number:064x}" for number in range(70)]
_DEEP = b'{"_type": "%s", "subject": [{"digest": {"sha256": "%s"}}], "x": %s}' % (V1.encode(), AB.encode(), b"%s")

# entry → the digests of its subjects
ATTESTATIONS: dict[bytes, list[str]] = {
    EXAMPLE.encode(): [AB],
    ONE: [AB],
    statement(of(sha256=AB), type_=V01): [AB],
    envelope(ONE): [AB],
    statement(of(gitCommit="12" * 20, sha256=CD, sha512="ef" * 64, sha384="aa" * 48, sha1="bb" * 20, md5="cc" * 16)): [
        CD,
        "aa" * 48,
        "ef" * 64,
        "bb" * 20,
        "12" * 20,
    ],
    statement(of(sha256=AB.upper()), of(sha256=AB), of(sha256=CD)): [AB, CD],
    statement(*(of(sha256=one) for one in _MANY)): _MANY[:64],
    statement(of(sha256=AB[:-1]), of(sha256=AB[:38]), of(sha256=AB * 3), of(sha256=7), of(sha256=None), of(sha1=AB)): [
        AB
    ],
    statement(of(sha256=[AB]), {"digest": [AB]}, {"digest": AB}, [of(sha256=AB)], AB, None, {}): [],
    statement(of(sha256="\u0660" * 64), of(sha256=AB + "\n")): [],
    b'{"_type":"x","_type":"%s","subject":[],"subject":[{"digest":{"sha256":"x","sha256":"%s"}}]}'
    % (V1.encode(), AB.encode()): [AB],
    b'{"_type":"%s","_type":"x","subject":[{"digest":{"sha256":"%s"}}]}' % (V1.encode(), AB.encode()): [],
    ONE + b" \t\r\n": [AB],
    ONE + b"\x0b": [],
    b" " + ONE: [],
    b"\xef\xbb\xbf" + ONE: [],
    b"[" + ONE + b"]": [],
    ONE + ONE: [],
    ONE[:-1]: [],
    ONE.replace(b"a file", b"\xff"): [],
    ONE.replace(b"a file", b"\x01"): [],
    ONE.replace(b"a file", b"\\ud800\\u0000\\/"): [AB],
    ONE.replace(b"a file", b"\\x"): [],
    ONE.replace(b"_type", b"\\u005ftype"): [AB],
    ONE.replace(b"_type", b"__proto__"): [],
    ONE.replace(b'"a file"', b"1e400"): [AB],
    ONE.replace(b'"a file"', b"9" * 5000): [AB],
    ONE.replace(b'"a file"', b"01"): [],
    ONE.replace(b'"a file"', b"1."): [],
    ONE.replace(b'"a file"', b"-0.5E-9"): [AB],
    ONE.replace(b'"a file"', b"NaN"): [],
    ONE.replace(b'"a file"', b"-Infinity"): [],
    ONE.replace(b'"a file"', b"true,"): [],
    ONE.replace(b'"', b"'"): [],
    _DEEP % (b"[" * 31 + b"]" * 31): [AB],
    _DEEP % (b"[" * 32 + b"]" * 32): [],
    _DEEP % (b'"' + b"[" * 32 + b'"'): [],
    _DEEP % (b'"' + b"[" * 31 + b'"'): [AB],
    statement(of(sha256=AB), type_="https://in-toto.io/Statement/v2"): [],
    statement(of(sha256=AB), type_=[V1]): [],
    statement(of(sha256=AB), payloadType="x", payload="x"): [AB],
    statement(of(sha256=AB), payloadType="application/vnd.in-toto+json", payload=7): [AB],
    statement(of(sha256=AB), payloadType="application/vnd.in-toto+json", payload="x"): [],
    envelope(envelope(ONE)): [],
    envelope(b"\n" + ONE): [],
    envelope(ONE, "application/json"): [],
    envelope(ONE).replace(b'"payload": "', b'"payload": " '): [],
    envelope(b"x" + ONE).replace(b"==", b"="): [],
    b"{}": [],
    b"{": [],
    b'{"subject": {"0": 1}, "_type": "%s"}' % V1.encode(): [],
}
