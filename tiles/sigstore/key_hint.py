"""By which 32 bytes a key is named in bundles and found in a log: SHA-256 of its SubjectPublicKeyInfo in DER.

Of any key, also of those that sign no artifact, and of certificates: whoever looks for a key may have either.
"""

from __future__ import annotations

import re
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from tiles.errors import Malformed
from tiles.notes.encoding import base64_or_none
from tiles.sigstore.der import read_certificate
from tiles.sigstore.public_key import MAX_KEY_SIZE

_WHAT = "key"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII)


def key_hint(data: bytes) -> bytes:
    """Return by what the key in a file is found: a public key or certificate, PEM or DER; of several the first.

    Raises Malformed for anything else, a private key among it.
    """
    if len(data) > MAX_KEY_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_KEY_SIZE} bytes", len(data))
    if found := _CERTIFICATE.search(data):
        der = base64_or_none("".join(found[1].decode("ascii").split()))
        return sha256(read_certificate(der or b"").spki).digest()
    try:
        load = load_pem_public_key if b"-----BEGIN " in data else load_der_public_key
        return sha256(load(data).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:
        return sha256(read_certificate(data).spki).digest()
    except Malformed:
        raise Malformed(_WHAT, "neither a public key nor a certificate, in PEM or DER") from None
