"""Rekor's write call: which requests are taken, what they ask for, and what a client is answered."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.rekor_requests import SIGNER, base64, changed, entry_of, item_of, request_of, signature_of
from tests.support.sigstore_authority import authority, spki_of
from tiles.errors import (
    AccessError,
    Malformed,
    NotLogged,
    Refused,
    SignatureError,
    TileError,
    TilesError,
    Unfinished,
    UsageError,
)
from tiles.rekor import shim
from tiles.rekor.shim import MAX_REQUEST_SIZE, PATH, Answer, answer_to, check_call, respond

ASKED, SIGNATURE = ("hashedRekordRequestV002",), ("hashedRekordRequestV002", "signature")
VERIFIER = (*SIGNATURE, "verifier")
DIGEST = sha256(b"artifact").digest()
P384 = ec.derive_private_key(7, ec.SECP384R1())
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(32))


def snake(request: bytes) -> bytes:
    """Return a request with names as the protocol buffers have them."""
    for camel, name in (
        (b"hashedRekordRequestV002", b"hashed_rekord_request_v002"),
        (b"publicKey", b"public_key"),
        (b"rawBytes", b"raw_bytes"),
        (b"keyDetails", b"key_details"),
    ):
        request = request.replace(camel, name)
    return request


# ---- what it asks for

FORMS = {
    "cosign's": request_of(),
    "spaces": json.dumps(item_of(), indent=4).encode(),
    "snake_case": snake(request_of()),
    "the other alphabet": changed(*ASKED, digest=urlsafe_b64encode(DIGEST).decode()),
    "no padding": changed(*ASKED, digest=base64(DIGEST).rstrip("=")),
    "the number of keyDetails": changed(*VERIFIER, keyDetails=5),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    """Every spelling of a request that ProtoJSON allows asks for the same entry, to the byte."""
    assert shim.entry_of(FORMS[form]) == entry_of(b"artifact")


def test_a_certificate() -> None:
    """A request with a certificate asks for an entry that holds the certificate, and not its key."""
    leaf = authority().leaf(key=SIGNER)
    certificate = {"rawBytes": base64(leaf.der)}
    entry = shim.entry_of(changed(*VERIFIER, x509Certificate=certificate, publicKey=None))
    assert json.loads(entry)["spec"]["hashedRekordV002"]["signature"]["verifier"] == {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": certificate,
    }


REFUSED = {
    "nothing": (b"", "not JSON"),
    "no object": (b"[]", "not a JSON object"),
    "no field": (b"{}", "no hashedRekordRequestV002"),
    "not UTF-8": (b"\xff" + request_of(), "not UTF-8"),
    "two objects": (request_of() * 2, "not JSON: Extra data"),
    "too long": (b" " * MAX_REQUEST_SIZE + request_of(), f"more than {MAX_REQUEST_SIZE} bytes"),
    "too deep": (b'{"a":' * 100 + b"1" + b"}" * 100, "inside each other"),
    "a name twice": (request_of()[:-1] + b"," + request_of()[1:], "a key comes twice"),
    "both names": (request_of()[:-1] + b"," + snake(request_of())[1:], "under both of its names"),
    "an unknown field": (changed(extra=1), "unknown field"),
    "an unknown field below": (changed(*VERIFIER, extra=1), "unknown field"),
    "dsse": (b'{"dsseRequestV002":{}}', "dsse 0.0.2, which Rekor has given up"),
    "no digest": (changed(*ASKED, digest=None), "no hashedRekordRequestV002.digest"),
    "an empty digest": (changed(*ASKED, digest=""), "digest is empty"),
    "a digest in hex": (changed(*ASKED, digest=DIGEST.hex()), "algorithm and digest do not fit"),
    "a digest of another size": (changed(*ASKED, digest=base64(bytes(48))), "algorithm and digest do not fit"),
    "a digest that is a number": (changed(*ASKED, digest=7), "digest is not a string"),
    "spaces in base64": (changed(*ASKED, digest=" " + base64(DIGEST)), "not canonical base64"),
    "two alphabets": (changed(*SIGNATURE, content="a+b_"), "two alphabets"),
    "bits behind the end": (changed(*ASKED, digest=base64(DIGEST)[:-2] + "1="), "not canonical base64"),
    "no signature": (changed(*SIGNATURE, content=None), "no hashedRekordRequestV002.signature.content"),
    "another signature": (changed(*SIGNATURE, content=base64(signature_of(b"other"))), "wrong signature by the key"),
    "garbage for a signature": (changed(*SIGNATURE, content="AAAA"), "wrong signature by the key"),
    "another digest": (changed(*ASKED, digest=base64(bytes(32))), "wrong signature by the key"),
    "no key": (changed(*VERIFIER, publicKey=None), "a verifier is a publicKey or an x509Certificate"),
    "key and certificate": (changed(*VERIFIER, x509Certificate={"rawBytes": "AAAA"}), "a verifier is a publicKey or"),
    "garbage for a key": (changed(*VERIFIER, publicKey={"rawBytes": "AAAA"}), "not the public key of any known kind"),
    "garbage for a certificate": (
        changed(*VERIFIER, publicKey=None, x509Certificate={"rawBytes": "AAAA"}),
        "not an X.509 certificate",
    ),
    "no keyDetails": (changed(*VERIFIER, keyDetails=None), "no keyDetails"),
    "Ed25519": (changed(*VERIFIER, keyDetails="PKIX_ED25519"), "keyDetails of a key that is not taken"),
    "Ed25519, called otherwise": (
        changed(*VERIFIER, publicKey={"rawBytes": base64(spki_of(ED25519))}),
        "Ed25519, which signs no digest",
    ),
    "RSA-PSS": (changed(*VERIFIER, keyDetails="PKIX_RSA_PSS_2048_SHA256"), "keyDetails of a key that is not taken"),
    "a number of nothing": (changed(*VERIFIER, keyDetails=99), "keyDetails of a key that is not taken"),
    "true": (changed(*VERIFIER, keyDetails=True), "keyDetails of a key that is not taken"),
    "keyDetails of another key": (
        changed(*VERIFIER, publicKey={"rawBytes": base64(spki_of(P384))}),
        "keyDetails of a key that is PKIX_ECDSA_P384_SHA_384",
    ),
    "an entry that is too long": (changed(*SIGNATURE, content=base64(bytes(66_000))), "65535 is the most"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    """What is no request, or asks for what is not to be logged, is refused in Rekor's form, and nothing is logged."""

    def log(_entry: bytes) -> bytes:
        raise AssertionError("it was logged")

    body, message = REFUSED[what]
    answer = respond(body, log)
    document = json.loads(answer.body)
    assert (answer.status, document["code"], set(document)) == (400, 3, {"code", "message"})
    assert message in document["message"]


def test_logged() -> None:
    """What is to be logged is handed on as an entry, and the answer is what comes of it, with status 201."""
    assert respond(request_of(), lambda entry: b"logged " + entry) == Answer(201, b"logged " + entry_of(b"artifact"))


ERRORS: dict[str, tuple[Exception, int, int]] = {
    "frozen": (Refused("the log is frozen"), 400, 9),
    "storage": (AccessError("the bucket is away"), 503, 14),
    "not in time": (NotLogged("not yet"), 503, 14),
    "committed": (Unfinished("committed", first_index=0, count=1, published=False), 503, 14),
    "not sound": (TileError("tile/0/000", "wrong"), 500, 13),
    "malformed": (Malformed("request", "wrong"), 400, 3),
    "signature": (SignatureError("wrong"), 400, 3),
    "too long": (UsageError("too long"), 400, 3),
    "of ours": (KeyError("secret"), 500, 13),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors(what: str) -> None:
    """Each error has the status by which a client tells whether to ask again; a fault of ours tells nothing more."""
    error, status, code = ERRORS[what]
    answer = answer_to(error)
    document = json.loads(answer.body)
    assert (answer.status, document["code"]) == (status, code)
    assert not isinstance(error, TilesError) or error.message in document["message"]
    assert "secret" not in document["message"]
    assert (("Retry-After", "1") in answer.headers) == (status == 503)


# ---- which calls are taken

GOOD = {"Host": "127.0.0.1:8080", "Content-Type": "application/json", "Content-Length": "412"}
CALLS: dict[str, tuple[str, str, dict[str, str | None], int]] = {
    "as it should be": ("POST", PATH, {}, 0),
    "a query": ("POST", f"{PATH}?a=b", {}, 0),
    "localhost": ("POST", PATH, {"Host": "localhost:8080"}, 0),
    "IPv6": ("POST", PATH, {"Host": "[::1]:8080"}, 0),
    "a parameter": ("POST", PATH, {"Content-Type": "Application/JSON; charset=utf-8"}, 0),
    "the longest": ("POST", PATH, {"Content-Length": str(MAX_REQUEST_SIZE)}, 0),
    "rebinding": ("POST", PATH, {"Host": "evil.example:8080"}, 421),
    "rebinding by a name like ours": ("POST", PATH, {"Host": "localhost.evil.example"}, 421),
    "no host": ("POST", PATH, {"Host": None}, 421),
    "a page": ("POST", PATH, {"Origin": "https://evil.example"}, 403),
    "a page of nowhere": ("POST", PATH, {"Origin": "null"}, 403),
    "what a form sends": ("POST", PATH, {"Content-Type": "text/plain"}, 415),
    "no type": ("POST", PATH, {"Content-Type": None}, 415),
    "what a page asks before": ("OPTIONS", PATH, {}, 405),
    "reading": ("GET", PATH, {}, 405),
    "the checkpoint": ("GET", "/api/v2/checkpoint", {}, 404),
    "version 1": ("POST", "/api/v1/log/entries", {}, 404),
    "the root": ("POST", "/", {}, 404),
    "a path that leads there": ("POST", f"/x/..{PATH}", {}, 404),
    "chunks": ("POST", PATH, {"Transfer-Encoding": "chunked", "Content-Length": None}, 411),
    "chunks and a length": ("POST", PATH, {"Transfer-Encoding": "chunked"}, 411),
    "no length": ("POST", PATH, {"Content-Length": None}, 411),
    "a length below zero": ("POST", PATH, {"Content-Length": "-1"}, 411),
    "digits of elsewhere": ("POST", PATH, {"Content-Length": "\u0664"}, 411),
    "too long": ("POST", PATH, {"Content-Length": str(MAX_REQUEST_SIZE + 1)}, 413),
    "far too long": ("POST", PATH, {"Content-Length": "9" * 5000}, 413),
}


@pytest.mark.parametrize("what", CALLS)
def test_calls(what: str) -> None:
    """A call is taken or refused by its method, its path and its headers; nothing allows a page to call."""
    method, target, headers, status = CALLS[what]
    found = check_call(method, target, {**GOOD, **headers}.get)
    if not status:
        assert found == int(headers.get("Content-Length") or GOOD["Content-Length"])
        return
    assert isinstance(found, Answer)
    assert found.status == status
    assert set(json.loads(found.body)) == {"code", "message"}
    assert not [name for name, _ in found.headers if name.startswith("Access-Control")]
