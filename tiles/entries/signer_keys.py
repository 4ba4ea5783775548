"""By which keys the entry of a signature is found besides its digest: its signing key, and who that was, as it claims.

docs/index-format.md, "Keys", "Certificates" and "Identities", has the rules.
"""

from __future__ import annotations

from hashlib import sha256

from tiles.entries.kind import IDENTITY, ISSUER, KEY
from tiles.errors import Malformed
from tiles.notes.index_head import MAX_KEYS
from tiles.signatures.formats import format_of, parse_signer_key
from tiles.sigstore.der import CertificateClaims, read_certificate
from tiles.sigstore.hashedrekord import HashedRekord, parse_hashedrekord
from tiles.sigstore.key_hint import key_hint
from tiles.sigstore.names import identity_keys, spelled


def claims_of(found: HashedRekord) -> CertificateClaims | None:
    """Return what the certificate in an entry claims; None for a key without one, and for what is no certificate."""
    if found.verifier != "x509Certificate":
        return None
    try:
        return read_certificate(found.raw)
    except Malformed:
        return None


def claims_in(entry: bytes) -> CertificateClaims | None:
    """Return what the certificate in an entry claims; None for an entry without one. It may be hostile."""
    try:
        return claims_of(parse_hashedrekord(entry))
    except Malformed:
        return None


def signer_keys(found: HashedRekord) -> list[tuple[str, bytes]]:
    """Return kind and value of the keys that tell who signed an entry."""
    if found.verifier == "publicKey":
        return [(KEY, sha256(found.raw).digest())]
    claims = claims_of(found)
    if claims is None:
        return []
    keys = [(KEY, sha256(claims.spki).digest())]
    keys += [(IDENTITY, text.encode("ascii")) for text in identity_keys(claims.identities)[:MAX_KEYS]]
    return keys if claims.issuer is None else [*keys, (ISSUER, spelled(claims.issuer).encode("ascii"))]


def key_value(data: bytes) -> bytes:
    """Return by what is found what the key in a file has signed: of whatever kind the key is. Raises Malformed.

    Raises UsageError for one that nothing here can read.
    """
    name = format_of(data)
    return parse_signer_key(name, data).value if name else key_hint(data)
