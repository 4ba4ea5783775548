"""Keys of OpenSSH and signatures by them: RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709, and for keys in hardware
https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.u2f.

A key and a signature have one form each: what has another is malformed. `ssh-rsa`, which is SHA-1, DSA, and keys in
OpenSSH certificates are refused, saying why.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from tiles.errors import Malformed, SignatureError

MAX_RSA_BITS, MIN_RSA_BITS = 8192, 2048

_WHAT_KEY, _WHAT = "SSH key", "SSH signature"
_SK_ED25519, _SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
_CURVES: dict[str, tuple[ec.EllipticCurve, HashAlgorithm]] = {  # RFC 5656 sections 6.2.1 and 10.1
    "nistp256": (ec.SECP256R1(), SHA256()),
    "nistp384": (ec.SECP384R1(), SHA384()),
    "nistp521": (ec.SECP521R1(), SHA512()),
}
_ECDSA = {_SK_ECDSA: "nistp256", **{f"ecdsa-sha2-{curve}": curve for curve in _CURVES}}
_HARDWARE = (_SK_ED25519, _SK_ECDSA)
_RSA: dict[str, type[HashAlgorithm]] = {"rsa-sha2-256": SHA256, "rsa-sha2-512": SHA512}  # RFC 8332 section 3
_ED25519_SIZE, _ED25519_SIGNATURE = 32, 64  # bytes
_PRESENT = 0x01  # PROTOCOL.u2f: whoever has the key touched it


class Reader:
    """Reads the fields of RFC 4251 section 5, one after the other. Raises Malformed for what is cut short."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        """Return that many bytes."""
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise Malformed(self._what, "it is cut short", len(self._data))
        self._at += size
        return found

    def number(self) -> int:
        """Return a uint32."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """Return a string."""
        return self.take(self.number())

    def name(self) -> str:
        """Return a string of printable ASCII."""
        found = self.string()
        if not all(0x21 <= byte <= 0x7E for byte in found):
            raise Malformed(self._what, "a name that is not printable ASCII", found[:80])
        return found.decode("ascii")

    def positive(self) -> int:
        """Return an mpint above 0, in its only form."""
        found = self.string()
        if not found or found[0] & 0x80 or (found[0] == 0 and (len(found) == 1 or not found[1] & 0x80)):
            raise Malformed(self._what, "a number that is not above 0, or not in its shortest form")
        return int.from_bytes(found, "big")

    def end(self) -> None:
        """Raise Malformed if something is left."""
        if self._at != len(self._data):
            raise Malformed(self._what, f"{len(self._data) - self._at} bytes too many")


def string(data: bytes) -> bytes:
    """Return data as a string of RFC 4251 section 5."""
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class SshKey:
    """A key; make one with `parse_key_blob`.

    type          such as "ssh-ed25519"
    public        what `cryptography` has for it
    application   of a key in hardware; b"" for others
    """

    type: str
    public: Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    application: bytes = b""


def parse_key_blob(blob: bytes) -> SshKey:
    """Return a public key (RFC 4253 section 6.6). Raises Malformed, also for what signs no files."""
    reader = Reader(blob, _WHAT_KEY)
    kind = reader.name()
    application = b""
    public: Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    if kind in ("ssh-ed25519", _SK_ED25519):  # RFC 8709 section 4
        point = reader.string()
        if len(point) != _ED25519_SIZE:
            raise Malformed(_WHAT_KEY, f"Ed25519 with {len(point)} bytes")
        public = Ed25519PublicKey.from_public_bytes(point)
    elif kind == "ssh-rsa":  # RFC 4253 section 6.6; the name of the key, whatever its signatures are called
        public = _rsa(reader)
    elif kind in _ECDSA:  # RFC 5656 section 3.1
        public = _ecdsa(reader, kind)
    else:
        raise Malformed(_WHAT_KEY, _refusal(kind), kind)
    if kind in _HARDWARE:
        application = reader.string()
    reader.end()
    return SshKey(kind, public, application)


def verify_by(key: SshKey, signature: bytes, message: bytes) -> None:
    """Verify a signature (RFC 4253 section 6.6: "signature format"). Raises SignatureError, or Malformed."""
    reader = Reader(signature, _WHAT)
    algorithm = reader.name()
    names = tuple(_RSA) if key.type == "ssh-rsa" else (key.type,)
    if algorithm not in names:
        sha1 = ", which is SHA-1" if algorithm == "ssh-rsa" else ""
        raise Malformed(_WHAT, f"by the algorithm {algorithm}{sha1}; a key of its kind signs by {' or '.join(names)}")
    blob = reader.string()
    flags = bytes([_PRESENT])
    if key.type in _HARDWARE:
        flags, counter = reader.take(1), reader.take(4)
        message = sha256(key.application).digest() + flags + counter + sha256(message).digest()
    reader.end()
    try:
        if isinstance(key.public, Ed25519PublicKey):
            if len(blob) != _ED25519_SIGNATURE:
                raise Malformed(_WHAT, f"Ed25519 with {len(blob)} bytes")
            key.public.verify(blob, message)
        elif isinstance(key.public, rsa.RSAPublicKey):
            key.public.verify(blob, message, padding.PKCS1v15(), _RSA[algorithm]())
        else:
            key.public.verify(_der(blob), message, ec.ECDSA(_hash_of(key.public)))
    except InvalidSignature:
        raise SignatureError("wrong SSH signature: it is not by this key over this file") from None
    if not flags[0] & _PRESENT:
        raise SignatureError("the key in hardware was not touched for this signature (user presence)")


def _refusal(kind: str) -> str:
    if "-cert-v01@" in kind:
        return "an OpenSSH certificate; sign with the key itself, and name its .pub file"
    if kind == "ssh-dss":
        return "DSA, which OpenSSH does not take any more; sign with an Ed25519 key"
    return "of a kind that is not known; Ed25519, ECDSA, RSA, and Ed25519 and ECDSA in hardware are"


def _rsa(reader: Reader) -> rsa.RSAPublicKey:
    exponent, modulus = reader.positive(), reader.positive()
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        found = f"RSA of {modulus.bit_length()} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} are taken"
        raise Malformed(_WHAT_KEY, found)
    if exponent.bit_length() > 64:  # a larger one only makes verifying slow
        raise Malformed(_WHAT_KEY, "RSA with an exponent of more than 64 bits")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise Malformed(_WHAT_KEY, "RSA with numbers that make no key") from None


def _ecdsa(reader: Reader, kind: str) -> ec.EllipticCurvePublicKey:
    curve, point = reader.name(), reader.string()
    if curve != _ECDSA[kind]:
        raise Malformed(_WHAT_KEY, f"{kind} on another curve", curve)
    if point[:1] != b"\x04":  # RFC 5656 section 3.1 leaves compressed points to choice; OpenSSH writes none
        raise Malformed(_WHAT_KEY, "ECDSA with a point that is not written in full")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve][0], point)
    except ValueError:
        raise Malformed(_WHAT_KEY, "ECDSA with a point that is not on its curve") from None


def _hash_of(key: ec.EllipticCurvePublicKey) -> HashAlgorithm:
    """Return the hash that belongs to the curve (RFC 5656 section 6.2.1)."""
    return next(hash_ for curve, hash_ in _CURVES.values() if curve.name == key.curve.name)


def _der(blob: bytes) -> bytes:
    """Return a signature of RFC 5656 section 3.1.2, two numbers, as ASN.1."""
    reader = Reader(blob, _WHAT)
    r, s = reader.positive(), reader.positive()
    reader.end()
    return encode_dss_signature(r, s)
