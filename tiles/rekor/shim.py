"""Rekor v2's one write call: what a request asks for, and what it is answered
(https://github.com/sigstore/rekor-tiles, api/proto/rekor/v2/rekor_service.proto and hashedrekord.proto; their HTTP form
is that of https://github.com/grpc-ecosystem/grpc-gateway).

    POST /api/v2/log/entries    {"hashedRekordRequestV002":{"digest":…,"signature":{"content":…,"verifier":{…}}}}
    201                         the TransparencyLogEntry
    any other status            {"code":<status of gRPC>,"message":"<what was found>"}

The server listens on this machine only. But a browser on it shows the pages of anybody, and any page may make it send
requests here. So `check_call` takes none that a page can send: none for another host name, none that names the page it
is from, and none of a type that needs no permission, which no answer gives (https://fetch.spec.whatwg.org/#cors-protocol).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tiles.errors import LogError, Malformed, Refused, SignatureError, TilesError, UsageError
from tiles.notes.encoding import decode_base64
from tiles.sigstore.hashedrekord import HashedRekord, check_hashedrekord
from tiles.sigstore.json_text import Item, parse_item
from tiles.sigstore.public_key import DETAILS
from tiles.tree.bundle import MAX_ENTRY_SIZE

PATH = "/api/v2/log/entries"
MAX_REQUEST_SIZE = 2 * MAX_ENTRY_SIZE  # bytes; a request is shorter than the entry that it asks for, but for its spaces

_WHAT = "request"
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})

# KeyDetails by number (sigstore_common.proto, enum PublicKeyDetails): the JSON form of an enum may be its number
_DETAILS = {
    5: "PKIX_ECDSA_P256_SHA_256",
    9: "PKIX_RSA_PKCS1V15_2048_SHA256",
    10: "PKIX_RSA_PKCS1V15_3072_SHA256",
    11: "PKIX_RSA_PKCS1V15_4096_SHA256",
    12: "PKIX_ECDSA_P384_SHA_384",
    13: "PKIX_ECDSA_P521_SHA_512",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: status, body and headers of HTTP."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def refusal(status: int, code: int, message: str, *headers: tuple[str, str]) -> Answer:
    """Return an answer that refuses, in Rekor's form. code: of gRPC (https://grpc.io/docs/guides/status-codes/)."""
    text = json.dumps({"code": code, "message": message}, separators=(",", ":"))
    return Answer(status, text.encode("ascii"), headers)


_INVALID, _NOT_FOUND, _DENIED, _EXHAUSTED, _PRECONDITION, _UNIMPLEMENTED, _INTERNAL, _UNAVAILABLE = (
    3, 5, 7, 8, 9, 12, 13, 14,
)  # fmt: skip
BUSY = refusal(503, _UNAVAILABLE, "too many connections are open; try again", ("Retry-After", "1"))
FAULT = refusal(500, _INTERNAL, "a fault of the shim itself; its output says which")


def not_http(status: int) -> Answer:
    """Return the answer to what is no request of HTTP, or one of a version or size that is not taken."""
    return refusal(status, _INVALID, "not a request of HTTP/1.1 that is taken here")


def check_call(method: str, target: str, header: Callable[[str], str | None]) -> int | Answer:
    """Return how many bytes of body a call has, or the answer that refuses it.

    header   returns the header of a name, whatever its case
    """
    host = header("Host") or ""
    if host not in _LOCAL and host.rpartition(":")[0] not in _LOCAL:
        return refusal(421, _DENIED, "this server is for this machine only, by an address or name of this machine")
    if header("Origin") is not None:
        return refusal(403, _DENIED, "a page in a browser asks, and pages are answered nothing")
    if target.partition("?")[0] != PATH:
        return refusal(404, _NOT_FOUND, f"not found: {PATH} is all there is; read the log where it is published")
    if method != "POST":
        return refusal(405, _UNIMPLEMENTED, f"{PATH} takes POST only", ("Allow", "POST"))
    if (header("Content-Type") or "").partition(";")[0].strip().lower() != "application/json":
        return refusal(415, _INVALID, "the Content-Type of a request is application/json")
    length = header("Content-Length") or ""
    if header("Transfer-Encoding") is not None or not (length.isascii() and length.isdigit()):
        return refusal(411, _INVALID, "a request says its Content-Length, and has no Transfer-Encoding")
    if len(length) > len(str(MAX_REQUEST_SIZE)) or int(length) > MAX_REQUEST_SIZE:
        return refusal(413, _EXHAUSTED, f"a request has at most {MAX_REQUEST_SIZE} bytes")
    return int(length)


def entry_of(body: bytes) -> bytes:
    """Return the entry that a request asks for, checked as whatever is logged is.

    Raises Malformed for what is no such request, and for an entry that is not to be logged; SignatureError.
    """
    entry = parse_request(body).data
    if len(entry) > MAX_ENTRY_SIZE:
        raise Malformed(_WHAT, f"for an entry of {len(entry)} bytes; {MAX_ENTRY_SIZE} is the most")
    check_hashedrekord(entry)
    return entry


def parse_request(body: bytes) -> HashedRekord:
    """Return the entry that a request asks for; nothing about it is verified. Raises Malformed.

    A field may have its name in camelCase or in snake_case, and bytes may be in either alphabet of base64, padded or
    not: parsers of ProtoJSON accept all of these (https://protobuf.dev/programming-guides/json/). What nobody knows is
    refused.
    """
    whole = parse_item(body, _WHAT, MAX_REQUEST_SIZE)
    if whole.has("dsseRequestV002") or whole.has("dsse_request_v002"):
        raise Malformed(
            _WHAT, "dsse 0.0.2, which Rekor has given up: an envelope is logged as hashedrekord, by its PAE"
        )
    asked = _named(whole, {"hashedRekordRequestV002": "hashed_rekord_request_v002"}).object("hashedRekordRequestV002")
    asked = _named(asked, {"digest": "digest", "signature": "signature"})
    signature = _named(asked.object("signature"), {"content": "content", "verifier": "verifier"})
    names = {"publicKey": "public_key", "x509Certificate": "x509_certificate", "keyDetails": "key_details"}
    verifier = _named(signature.object("verifier"), names)
    kinds = [name for name in ("publicKey", "x509Certificate") if verifier.has(name)]
    if len(kinds) != 1:
        raise Malformed(_WHAT, "a verifier is a publicKey or an x509Certificate", " ".join(kinds))
    raw = _named(verifier.object(kinds[0]), {"rawBytes": "raw_bytes"})
    details = _details(verifier)
    return HashedRekord(
        DETAILS[details], _data(asked, "digest"), _data(signature, "content"), details, kinds[0], _data(raw, "rawBytes")
    )


def answer_to(error: Exception) -> Answer:
    """Return what a client is told instead of an entry."""
    match error:
        case Malformed() | SignatureError() | UsageError():
            return refusal(400, _INVALID, error.message)
        case Refused():
            return refusal(400, _PRECONDITION, error.message)
        case LogError():
            return refusal(500, _INTERNAL, f"the log is not sound: {error.message}")
        case TilesError():  # storage, another writer, or a publication that takes too long: it may go better next time
            return refusal(503, _UNAVAILABLE, error.message, ("Retry-After", "1"))
    return FAULT


def respond(body: bytes, log: Callable[[bytes], bytes]) -> Answer:
    """Return the answer to a call that `check_call` took.

    log   has an entry logged, and returns the TransparencyLogEntry once it is published; it may raise any TilesError
    """
    try:
        return Answer(201, log(entry_of(body)))
    except TilesError as error:
        return answer_to(error)


def _named(item: Item, names: Mapping[str, str]) -> Item:
    """Return an object with the names of its fields in camelCase. names: the same ones in snake_case, by those."""
    item.only(*names, *names.values())
    for camel, snake in names.items():
        if camel != snake and camel in item.fields and snake in item.fields:
            item.refuse("a field comes twice, under both of its names", camel)
    fields = {camel: item.fields.get(camel, item.fields.get(snake)) for camel, snake in names.items()}
    return Item(item.what, fields, item.place)


def _data(item: Item, name: str) -> bytes:
    """Return bytes: base64 of either alphabet, with or without padding; at least one byte."""
    text = item.text(name)
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            item.refuse(f"two alphabets of base64 in {name}")
        text = text.replace("-", "+").replace("_", "/")
    if not text.endswith("="):
        text += "=" * (-len(text) % 4)
    data = decode_base64(text, f"{_WHAT} {name}")
    if not data:
        item.refuse(f"{name} is empty")
    return data


def _details(verifier: Item) -> str:
    found = verifier.fields.get("keyDetails")
    if isinstance(found, int) and not isinstance(found, bool):
        found = _DETAILS.get(found, str(found))
    if found is None:
        verifier.refuse("no keyDetails")
    if not isinstance(found, str) or found not in DETAILS:
        verifier.refuse(f"keyDetails of a key that is not taken; {', '.join(DETAILS)} are", str(found))
    return found


class ShimCalls:
    """The calls that a shim takes, and its answers, as a server needs them.

    log   as `respond` has it
    """

    busy, fault = BUSY, FAULT

    def __init__(self, log: Callable[[bytes], bytes]) -> None:
        self._log = log

    def check(self, method: str, target: str, header: Callable[[str], str | None]) -> int | Answer:
        """Return what `check_call` does."""
        return check_call(method, target, header)

    def respond(self, _method: str, _target: str, body: bytes) -> Answer:
        """Return what `respond` does."""
        return respond(body, self._log)

    def not_http(self, status: int) -> Answer:
        """Return what `not_http` does."""
        return not_http(status)
