"""Verifier keys, as they may be and as they may not."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.reference import flipped
from tests.support.signed_text import COSIGNATURE, ECDSA, ED25519, MLDSA44, VECTORS, W2
from tiles.notes.keys import (
    signing_key,
)

SEED = bytes(range(32))
NAME = "example.com/key"
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
REKOR_VKEY = (
    "rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l"
    "+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc="
)
GOLDEN_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
PUBLISHED = {
    "example of signed-note": (ED25519, SPEC_VKEY),
    "golden log of Tessera": (ED25519, GOLDEN_VKEY),
    "Rekor": (ECDSA, REKOR_VKEY),
    "a witness of witness-network.org": (
        COSIGNATURE,
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    ),
    # from torchwood, cmd/litewitness/testdata/mldsa.txt (ISC)
    "ML-DSA-44 test log of torchwood": (MLDSA44, (VECTORS / "mldsa44-log.vkey").read_text().strip()),
}


def spki(curve: ec.EllipticCurve, *, point: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    """Return the public key of private key 12345 on a curve."""
    return ec.derive_private_key(12345, curve).public_key().public_bytes(Encoding.DER, point)


def vkey(name: str, type_: int, public: bytes, key_id: bytes | None = None) -> str:
    """Return a vkey as signed-note describes it, of whatever is given."""
    material = bytes([type_]) + public
    key_id = sha256(name.encode() + b"\n" + material).digest()[:4] if key_id is None else key_id
    return f"{name}+{key_id.hex()}+{b64encode(material).decode()}"


ED25519_SPKI = (
    Ed25519PrivateKey.from_private_bytes(SEED)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)
P256 = spki(ec.SECP256R1())
COMPRESSED = P256.replace(b"\x30\x59", b"\x30\x39").replace(b"\x03\x42\x00\x04", b"\x03\x22\x00\x02")[:-32]
RSA = rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key()
NOT_ECDSA = {
    "not a DER SubjectPublicKeyInfo": {
        "nothing": b"",
        "no DER": b"\x01\x02\x03",
        "bytes after it": P256 + b"\0",
        "cut short": P256[:-1],
        "point off the curve": P256[:-1] + bytes([P256[-1] ^ 1]),
        "an algorithm nobody knows": flipped(P256, 8 * 8),
    },
    "not an ECDSA key on NIST P-256, P-384 or P-521": {
        "another curve": spki(ec.SECP256K1()),
        "a smaller curve": spki(ec.SECP224R1()),
        "Ed25519": ED25519_SPKI,
        "RSA": RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    },
    "not the canonical encoding of its key": {
        "compressed point": COMPRESSED,
    },
}
PUBLIC = signing_key(NAME, SEED).verifier.public
LONGEST = "n" * 255
MALFORMED_VKEYS = {
    "verifier key: not <name>+<key id>+<base64>:": {
        "nothing": "",
        "a name": NAME,
        "two parts": SPEC_VKEY.rpartition("+")[0],
    },
    "verifier key: a key name is not empty and has no space, plus or control character:": {
        "no name": vkey("", ED25519, PUBLIC),
        "space in the name": vkey("a b", ED25519, PUBLIC),
        "no-break space in the name": vkey("a\u00a0b", ED25519, PUBLIC),
        "newline in the name": vkey("a\nb", ED25519, PUBLIC),
        "surrogate in the name": "\ud800" + SPEC_VKEY,
        "space in front": " " + SPEC_VKEY,
    },
    "verifier key: key id is not d4e84a93:": {
        "key id of the same key without a name": vkey(NAME, ED25519, PUBLIC, sha256(PUBLIC).digest()[:4]),
        "key id of another name": vkey(NAME, ED25519, PUBLIC, b"1234"),
    },
    "verifier key: key id is not 530d903a:": {
        "key id in upper case": SPEC_VKEY.replace("530d903a", "530D903A"),
        "key id too short": SPEC_VKEY.replace("530d903a", "530d903"),
    },
    "verifier key: unknown signature type:": {
        "key id with a sign": SPEC_VKEY.replace("530d903a", "+30d903a"),
        "no material": f"{NAME}+530d903a+",
        "type 0x00": vkey(NAME, 0, PUBLIC),
        "type 0x03, reserved": vkey(NAME, 3, PUBLIC),
        "type 0xff": vkey(NAME, 0xFF, PUBLIC),
    },
    "verifier key: not canonical base64:": {
        "no base64": SPEC_VKEY[:-1] + "!",
        "base64 with bits left over": REKOR_VKEY.replace("WLc=", "WLd="),
        "base64 without padding": REKOR_VKEY.rstrip("="),
        "newline at the end": SPEC_VKEY + "\n",
    },
    "verifier key: key id is not 7e32d046:": {
        "another key": SPEC_VKEY[:-1] + "l",
    },
    "verifier key: 31 bytes of public key instead of 32:": {
        "31 bytes": vkey(NAME, ED25519, PUBLIC[:-1]),
    },
    "verifier key: 33 bytes of public key instead of 32:": {
        "33 bytes": vkey(NAME, COSIGNATURE, PUBLIC + b"\0"),
    },
    "verifier key: 0 bytes of public key instead of 32:": {
        "no key": vkey(NAME, ED25519, b""),
    },
    "verifier key: 32 bytes of public key instead of 1312:": {
        "Ed25519 as ML-DSA-44": vkey(NAME, MLDSA44, PUBLIC),
    },
    "verifier key: the name of an ML-DSA-44 key has at most 255 bytes:": {
        "ML-DSA-44 name of 256 bytes": vkey(LONGEST + "n", MLDSA44, W2.verifier.public),
        "ML-DSA-44 name of 128 letters, 256 bytes": vkey("ñ" * 128, MLDSA44, W2.verifier.public),
    },
}
