"""What cosign signs of an image, computed from the image's digest; the same in JavaScript."""

from __future__ import annotations

import json
from hashlib import sha256

from tests.support.node import ROOT, Script
from tiles.sigstore.image_signature import signed_digests

pytest_plugins = ["tests.support.web_fixtures"]

# an image in a registry, and the payload of the envelope that cosign 3.1.3 put beside it
IMAGE = "aa894694a9213c2c72bb78782dc598fb281a15166ef268b49de8bd5387723945"
PAYLOAD = (
    b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":'
    b'"aa894694a9213c2c72bb78782dc598fb281a15166ef268b49de8bd5387723945"},"annotations":{}}],'
    b'"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}'
)


def test_what_cosign_signed() -> None:
    """Of this payload, and of the same one with the spaces that another build of cosign writes."""
    signed = [b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(each), each) for each in spaced(PAYLOAD)]
    assert signed_digests(bytes.fromhex(IMAGE)) == tuple(sha256(each).digest() for each in signed)


def spaced(payload: bytes) -> list[bytes]:
    """Return a payload without spaces, and with one after each comma."""
    return [payload, payload.replace(b",", b", ")]


def test_in_javascript(script: Script) -> None:
    """The page computes the same."""
    module = (ROOT / "web" / "verifier" / "image.js").as_uri()
    said = script(f"""
        const {{ signedDigests }} = await import("{module}");
        print(JSON.stringify(signedDigests("{IMAGE}").map((each) => Buffer.from(each).toString("hex"))));
    """)
    assert json.loads(said) == [digest.hex() for digest in signed_digests(bytes.fromhex(IMAGE))]
