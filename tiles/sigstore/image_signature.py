"""What cosign 3 signs of an image (https://github.com/sigstore/cosign, cmd/cosign/cli/sign/sign.go, signDigestBundle).

    {"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"<hex>"},"annotations":{}}],
     "predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}

The log gets the digest of what is signed of this statement, and not the image's. Nothing in the statement is chosen but
the image's digest, so whoever has that one can compute the other. With annotations (`cosign sign -a`), and in an
attestation, there is more in a statement than can be computed from an image.
"""

from __future__ import annotations

import json
from hashlib import sha256

from tiles.sigstore.dsse import pae
from tiles.sigstore.in_toto import PAYLOAD_TYPE, STATEMENT_V1

PREDICATE_TYPE = "https://sigstore.dev/cosign/sign/v1"

# between the members of a JSON object, protobuf for Go writes a space or none: a program always does the same, and
# another build of it may do the other (internal/encoding/json/encode.go, prepareNext)
_COMMAS = (",", ", ")


def signed_digests(image: bytes) -> tuple[bytes, ...]:
    """Return the SHA-256 that a log has of cosign's signatures of an image: one for each way to write the statement.

    image   SHA-256 of the image's manifest
    """
    statement = {
        "_type": STATEMENT_V1,
        "subject": [{"digest": {"sha256": image.hex()}, "annotations": {}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {},
    }
    payloads = [json.dumps(statement, separators=(comma, ":")).encode("ascii") for comma in _COMMAS]
    return tuple(sha256(pae(PAYLOAD_TYPE, payload)).digest() for payload in payloads)
