"""Signatures over files by keys of OpenSSH, as `ssh-keygen -Y sign -n file` makes them:
https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.sshsig.

A signature is over a digest of the file, SHA-256 or SHA-512, so whoever knows that digest can verify it.
"""

from __future__ import annotations

from hashlib import sha256

from tiles.errors import Malformed, SignatureError
from tiles.notes.encoding import encode_base64
from tiles.signatures.digests import SHA256, SHA512, Signed
from tiles.signatures.ssh_key import Reader, parse_key_blob, string, verify_by
from tiles.signatures.ssh_text import parse_armor, parse_key_line

NAMESPACE = b"file"  # "file" is that of `ssh-keygen -Y sign -n file`; git, for one, has its own

_WHAT = "SSH signature"
_MAGIC = b"SSHSIG"
_VERSION = 1


def parse_key(data: bytes) -> bytes:
    """Return the key blob in a .pub file. Raises Malformed, also for keys that sign no files."""
    blob = parse_key_line(data)
    parse_key_blob(blob)
    return blob


def parse_signature(data: bytes) -> bytes:
    """Return the signature blob in a file, armored or not. Raises Malformed."""
    blob = data if data.startswith(_MAGIC) else parse_armor(data)
    _parse(blob)
    return blob


def signed_digest(signature: bytes) -> str:
    """Return which digest of the file is signed. Raises Malformed."""
    return _parse(signature)[1]


def check(key: bytes, signature: bytes, file: Signed) -> None:
    """Verify a signature over a file by the key that the verifier names. Raises SignatureError, or Malformed."""
    public = parse_key_blob(key)
    signer, algorithm, inner = _parse(signature)
    if signer != key:
        raise SignatureError(
            f"signed by another SSH key, {shown(signer)}, as the signature says", hint=f"{shown(key)} was asked for"
        )
    digest = file.digest(algorithm)
    message = _MAGIC + string(NAMESPACE) + string(b"") + string(algorithm.encode("ascii")) + string(digest)
    verify_by(public, inner, message)


def shown(key: bytes) -> str:
    """Return how `ssh-keygen -l` shows a key: "SHA256:" and the digest in base64 without padding."""
    return f"SHA256:{encode_base64(sha256(key).digest()).rstrip('=')}"


def key_value(key: bytes) -> bytes:
    """Return by what an entry is found: SHA-256 of the key blob, which `ssh-keygen -l` shows in base64."""
    return sha256(key).digest()


def _parse(blob: bytes) -> tuple[bytes, str, bytes]:
    """Return public key, hash and inner signature of a blob ("Blob format")."""
    reader = Reader(blob, _WHAT)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise Malformed(_WHAT, "does not begin with SSHSIG")
    if (version := reader.number()) != _VERSION:
        raise Malformed(_WHAT, f"version {version}; {_VERSION} is known")
    signer, namespace, reserved = reader.string(), reader.string(), reader.string()
    if namespace != NAMESPACE:
        raise Malformed(
            _WHAT,
            "made for another purpose (namespace) than files; sign with `ssh-keygen -Y sign -n file`",
            namespace[:80],
        )
    if reserved:  # "MUST be ignored": but then two signatures would say the same; OpenSSH writes none
        raise Malformed(_WHAT, "the reserved field is not empty")
    algorithm, inner = reader.name(), reader.string()
    reader.end()
    if algorithm not in (SHA256, SHA512):
        raise Malformed(_WHAT, "the hash of the file is neither sha256 nor sha512", algorithm)
    return signer, algorithm, inner
