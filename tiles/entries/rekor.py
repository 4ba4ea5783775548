"""Entries of Rekor v2 (hashedrekord 0.0.2, https://github.com/sigstore/rekor-tiles): recognised to the byte.

Rekor writes each entry in one form only, RFC 8785 (canonical JSON) with base64 and names of a fixed alphabet. So an
entry is compared with that form, and no JSON is parsed. docs/index-format.md, "Rekor entries", has the form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.notes.encoding import decode_base64

DIGEST_SIZES = {"SHA2_256": 32, "SHA2_384": 48, "SHA2_512": 64}  # bytes

_WHAT = "hashedrekord"
_BASE64 = r"([A-Za-z0-9+/]+={0,2})"
_ENTRY = re.compile(
    r'\{"apiVersion":"0\.0\.2","kind":"hashedrekord","spec":\{"hashedRekordV002":\{'
    rf'"data":\{{"algorithm":"([A-Z0-9_]+)","digest":"{_BASE64}"\}},'
    rf'"signature":\{{"content":"{_BASE64}","verifier":\{{"keyDetails":"([A-Z0-9_]{{1,64}})",'
    rf'"(publicKey|x509Certificate)":\{{"rawBytes":"{_BASE64}"\}}\}}\}}\}}\}}\}}',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class RekorEntry:
    """What an entry says; nothing about it is verified.

    algorithm     of the digest, such as "SHA2_256"
    digest        of what was signed
    signature     over it
    key_details   which key and hash, such as "PKIX_ECDSA_P256_SHA_256"
    verifier      "publicKey" or "x509Certificate"
    raw           the key (DER SubjectPublicKeyInfo) or certificate, as written: it may be anything
    """

    algorithm: str
    digest: bytes
    signature: bytes
    key_details: str
    verifier: str
    raw: bytes


def parse_rekor_entry(entry: bytes) -> RekorEntry:
    """Return what a hashedrekord entry says. Raises Malformed for any other entry, and for any other spelling."""
    try:
        match = _ENTRY.fullmatch(entry.decode("ascii"))
    except UnicodeDecodeError:
        match = None
    if not match:
        raise Malformed(_WHAT, "not an entry of Rekor in its one form", entry[:80])
    algorithm, digest, signature, key_details, verifier, raw = match.groups()
    found = RekorEntry(
        algorithm,
        decode_base64(digest, f"{_WHAT} digest"),
        decode_base64(signature, f"{_WHAT} signature"),
        key_details,
        verifier,
        decode_base64(raw, f"{_WHAT} verifier"),
    )
    if DIGEST_SIZES.get(algorithm) != len(found.digest):
        raise Malformed(_WHAT, "algorithm and digest do not fit", algorithm)
    return found
