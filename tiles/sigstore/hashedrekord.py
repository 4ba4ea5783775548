"""What Rekor v2 logs of a signature: hashedrekord 0.0.2 (https://github.com/sigstore/rekor-tiles, api/proto).

Rekor writes each entry in one form only, RFC 8785 (canonical JSON) with base64 and names of a fixed alphabet. So an
entry is compared with that form, and no JSON is parsed. docs/index-format.md, "Rekor entries", has the form. Clients of
Sigstore make the entry again from digest, signature and key: one byte more, and they do not find it in the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_base64, encode_base64
from tiles.sigstore.public_key import DIGEST_SIZES, PublicKey, certificate_key, parse_public_key, verify_digest
from tiles.tree.bundle import MAX_ENTRY_SIZE

KIND, VERSION = "hashedrekord", "0.0.2"  # as bundles name them

_WHAT = KIND
_BASE64 = r"([A-Za-z0-9+/]+={0,2})"
_ENTRY = re.compile(
    r'\{"apiVersion":"0\.0\.2","kind":"hashedrekord","spec":\{"hashedRekordV002":\{'
    rf'"data":\{{"algorithm":"([A-Z0-9_]+)","digest":"{_BASE64}"\}},'
    rf'"signature":\{{"content":"{_BASE64}","verifier":\{{"keyDetails":"([A-Z0-9_]{{1,64}})",'
    rf'"(publicKey|x509Certificate)":\{{"rawBytes":"{_BASE64}"\}}\}}\}}\}}\}}\}}',
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class HashedRekord:
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

    @property
    def data(self) -> bytes:
        """The entry."""
        digest, signature, raw = map(encode_base64, (self.digest, self.signature, self.raw))
        return (
            f'{{"apiVersion":"{VERSION}","kind":"{KIND}","spec":{{"hashedRekordV002":{{'
            f'"data":{{"algorithm":"{self.algorithm}","digest":"{digest}"}},'
            f'"signature":{{"content":"{signature}","verifier":{{"keyDetails":"{self.key_details}",'
            f'"{self.verifier}":{{"rawBytes":"{raw}"}}}}}}}}}}}}'
        ).encode("ascii")


def parse_hashedrekord(entry: bytes) -> HashedRekord:
    """Return what a hashedrekord entry says. Raises Malformed for any other entry, and for any other spelling."""
    try:
        match = _ENTRY.fullmatch(entry.decode("ascii"))
    except UnicodeDecodeError:
        match = None
    if not match:
        raise Malformed(_WHAT, "not an entry of Rekor in its one form", entry[:80])
    algorithm, digest, signature, key_details, verifier, raw = match.groups()
    found = HashedRekord(
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


def make_hashedrekord(digest: bytes, signature: bytes, key: PublicKey, certificate: bytes = b"") -> HashedRekord:
    """Return the entry of a signature over what has this digest, which is not verified here.

    key           that signed; it decides which digest it is
    certificate   of that key, DER, where there is one: then the entry holds it, and not the key
    Raises UsageError for a digest of another size, no signature, and an entry that is too long for a log.
    """
    if DIGEST_SIZES[key.algorithm] != len(digest) or not signature:
        raise UsageError(f"a signature by {key.details} is over a digest of {key.algorithm}, and not empty")
    verifier, raw = ("x509Certificate", certificate) if certificate else ("publicKey", key.spki)
    made = HashedRekord(key.algorithm, digest, signature, key.details, verifier, raw)
    if len(made.data) > MAX_ENTRY_SIZE:
        raise UsageError(f"an entry of {len(made.data)} bytes, {MAX_ENTRY_SIZE} is the most")
    return made


def check_hashedrekord(entry: bytes) -> HashedRekord:
    """Return what an entry says, which may be logged: the signature is one by its key over the digest in it.

    Raises Malformed for what is no such entry, a key that Rekor does not take, and `keyDetails` or `algorithm` that are
    not those of the key; SignatureError for a wrong signature.
    """
    found = parse_hashedrekord(entry)
    key = key_of(found)
    if found.key_details != key.details:
        raise Malformed(_WHAT, f"keyDetails of a key that is {key.details}", found.key_details)
    if found.algorithm != key.algorithm:
        raise Malformed(_WHAT, f"a digest for a key that signs {key.algorithm}", found.algorithm)
    verify_digest(key, found.digest, found.signature)
    return found


def key_of(found: HashedRekord) -> PublicKey:
    """Return the key that is said to have signed. Raises Malformed if it is none that Rekor takes."""
    if found.verifier == "x509Certificate":
        return certificate_key(found.raw)
    return parse_public_key(found.raw)
