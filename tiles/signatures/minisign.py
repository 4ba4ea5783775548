"""Keys and signatures of minisign: https://jedisct1.github.io/minisign/, "Signature format" and "Public key format".

A signature file has four lines; the second and fourth are in base64:

    untrusted comment: <anything>                             not signed, and not kept
    <"ED", or of old "Ed"> <key id, 8 bytes> <signature, 64 bytes>
    trusted comment: <one line>
    <signature, 64 bytes, over the first signature and the trusted comment>

"ED" signs BLAKE2b-512 of the file, "Ed" the file itself. As bytes, which are logged, a signature is what the second
line encodes, what the fourth encodes, and the trusted comment in UTF-8.
"""

from __future__ import annotations

import re
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tiles.errors import Malformed, SignatureError
from tiles.notes.encoding import base64_or_none
from tiles.signatures.digests import BLAKE2B512, WHOLE, Signed

MAX_COMMENT_SIZE = 8192  # bytes

_WHAT_KEY, _WHAT = "minisign key", "minisign signature"
_KEY_SIZE = 2 + 8 + 32
_FIRST, _SECOND = 2 + 8 + 64, 64
_PREHASHED, _LEGACY = b"ED", b"Ed"
UNTRUSTED = b"untrusted comment:"
KEY_FILE = re.compile(rb"(?:untrusted comment:[^\r\n]{0,1024}\r?\n)?(RW[A-Za-z0-9+/]{54})\r?\n?")
_SIGNATURE_FILE = re.compile(
    rb"untrusted comment:[^\r\n]{0,8192}\r?\n([A-Za-z0-9+/=]{100})\r?\n"
    rb"trusted comment: ([^\r\n]{0,8192})\r?\n([A-Za-z0-9+/=]{88})\r?\n?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # minisign itself writes tabs


def parse_key(data: bytes) -> bytes:
    """Return the 42 bytes of the public key in a .pub file, or in the one line that minisign prints."""
    match = KEY_FILE.fullmatch(data)
    key = base64_or_none(match[1].decode("ascii")) if match else None
    if not key:
        raise Malformed(_WHAT_KEY, "not a public key: a line with a comment, and 56 characters of base64")
    _key(key)
    return key


def parse_signature(data: bytes) -> bytes:
    """Return the signature in a .minisig file, as bytes. Raises Malformed."""
    match = _SIGNATURE_FILE.fullmatch(data)
    parts = [base64_or_none(match[at].decode("ascii")) for at in (1, 3)] if match else []
    if not match or not parts[0] or not parts[1]:
        missing = "" if b"trusted comment:" in data.replace(UNTRUSTED, b"") else ", as it has no trusted comment"
        raise Malformed(_WHAT, f"not a signature of four lines{missing}")
    signature = parts[0] + parts[1] + match[2]
    _parse(signature)
    return signature


def signed_digest(signature: bytes) -> str:
    """Return which digest of the file is signed, or that it is the file itself. Raises Malformed."""
    return BLAKE2B512 if _parse(signature)[0][:2] == _PREHASHED else WHOLE


def check(key: bytes, signature: bytes, file: Signed) -> None:
    """Verify a signature over a file, and its trusted comment, by the key that the verifier names.

    Raises SignatureError, or Malformed.
    """
    public = _key(key)
    first, second, comment = _parse(signature)
    if first[2:10] != key[2:10]:
        raise SignatureError(
            f"signed by another minisign key, {_id(first)}, as the signature says", hint=f"{shown(key)} was asked for"
        )
    over = file.digest(BLAKE2B512) if first[:2] == _PREHASHED else file.whole
    try:
        public.verify(first[10:], over)
    except InvalidSignature:
        raise SignatureError("wrong minisign signature: it is not by this key over this file") from None
    try:
        public.verify(second, first[10:] + comment)
    except InvalidSignature:
        raise SignatureError("wrong minisign signature: the trusted comment was changed") from None


def trusted_comment(signature: bytes) -> str:
    """Return the trusted comment, which is signed. Raises Malformed."""
    return _parse(signature)[2].decode("utf-8")


def shown(key: bytes) -> str:
    """Return how minisign shows a key: its id in upper-case hexadecimal, last byte first."""
    return _id(key)


def key_value(key: bytes) -> bytes:
    """Return by what an entry is found: SHA-256 of the 42 bytes, which are what the .pub file has in base64."""
    return sha256(key).digest()


def _id(data: bytes) -> str:
    return data[2:10][::-1].hex().upper()


def _key(key: bytes) -> Ed25519PublicKey:
    if len(key) != _KEY_SIZE or key[:2] != _LEGACY:  # keys are "Ed" whatever their signatures are
        raise Malformed(_WHAT_KEY, f"not {_KEY_SIZE} bytes that begin with Ed")
    return Ed25519PublicKey.from_public_bytes(key[10:])


def _parse(signature: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the first signature with its algorithm and key id, the second one, and the trusted comment."""
    first, second, comment = signature[:_FIRST], signature[_FIRST : _FIRST + _SECOND], signature[_FIRST + _SECOND :]
    if len(second) != _SECOND or first[:2] not in (_PREHASHED, _LEGACY):
        raise Malformed(_WHAT, "not two signatures of which the first begins with ED or Ed")
    if len(comment) > MAX_COMMENT_SIZE:
        raise Malformed(_WHAT, f"a trusted comment of more than {MAX_COMMENT_SIZE} bytes", len(comment))
    try:
        text = comment.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(_WHAT, "a trusted comment that is not UTF-8") from None
    if _CONTROL.search(text):
        raise Malformed(_WHAT, "a trusted comment with control characters")
    return first, second, comment
