"""Private keys that sign artifacts: PEM files (PKCS#8, RFC 5958), which OpenSSL and cosign read as well.

    <FILE>       -----BEGIN PRIVATE KEY-----, not encrypted, readable by its owner only
    <FILE>.pub   -----BEGIN PUBLIC KEY-----

Signing with them is deterministic (RFC 6979 for ECDSA): what is signed again has the same signature, so it is the same
entry of a log, and is logged once. Keys of a service (`tiles.signing.service_key`) are not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tiles.errors import AccessError, Malformed, NotFound, Refused, placed
from tiles.sigstore.public_key import PublicKey, check_digest, parse_public_key, prehashed
from tiles.user.files import create_file, read_private

MAX_KEY_FILE_SIZE = 16 * 1024  # bytes
PUBLIC_SUFFIX = ".pub"

_WHAT = "signing key"
_COSIGN = (b"ENCRYPTED SIGSTORE PRIVATE KEY", b"ENCRYPTED COSIGN PRIVATE KEY")
_MADE_BY = "`tiletree key generate --signing --out FILE` makes one"


class ArtifactKey(Protocol):
    """What signs artifacts: a `FileKey`, or a key that is kept elsewhere and signs on request."""

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether the signature over a digest is the same each time, so that it is logged once."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over what has this digest, by the algorithm of the key.


        Raises UsageError for a digest of another size.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileKey:
    """A private key in memory; only `pem` prints it. Make one with `generate_key` or `parse_artifact_key`."""

    public: PublicKey
    _private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)
    repeats: bool = field(default=True, init=False)

    @property
    def pem(self) -> bytes:
        """The secret, as its file holds it."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature over what has this digest: deterministic ECDSA in DER, or RSA PKCS#1 v1.5."""
        check_digest(digest, self.public.algorithm)
        hashed = prehashed(self.public.algorithm)
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(digest, padding.PKCS1v15(), hashed)
        return self._private.sign(digest, ec.ECDSA(hashed, deterministic_signing=True))


def generate_key() -> FileKey:
    """Return a new key, ECDSA P-256: what every client of Sigstore verifies."""
    return _file_key(ec.generate_private_key(ec.SECP256R1()))


def parse_artifact_key(data: bytes) -> FileKey:
    """Return the key in a PEM file. Raises Malformed for anything else, showing nothing of it."""
    problem = _problem(data)
    if not problem:
        try:
            private = load_pem_private_key(bytes(data), None)
        except TypeError:
            problem = "it is encrypted; `openssl pkey -in FILE -out DECRYPTED` decrypts it"
        except (ValueError, UnsupportedAlgorithm):
            problem = f"not a private key in PEM; {_MADE_BY}"
    # raised here, outside any except block: a chained exception could carry the text
    if problem:
        raise Malformed(_WHAT, problem)
    return _file_key(private)


def write_artifact_key(path: Path, key: FileKey) -> Path:
    """Write a key to a new file of mode 0600, and its public half beside it; return where that is.

    Raises Refused if either is there already; AccessError. A run that dies may leave the key without its public half,
    which `FileKey.public` has.
    """
    public = path.with_name(f"{path.name}{PUBLIC_SUFFIX}")
    if os.path.lexists(public) or not create_file(path, key.pem):
        raise Refused(f"{public if os.path.lexists(public) else path} exists already; a key is never overwritten")
    try:
        with public.open("xb") as file:
            file.write(key.public.pem)
    except OSError as error:
        raise AccessError(f"{public} cannot be written: {error.strerror}") from error
    return public


def is_artifact_key(path: Path) -> bool:
    """Whether a file looks like a key in PEM, and not like the key of a log. Raises as `read_private` does."""
    data = read_private(path, MAX_KEY_FILE_SIZE)
    return data is not None and data.lstrip().startswith(b"-----BEGIN ")


def read_artifact_key(path: Path) -> FileKey:
    """Return the key in a file. Raises NotFound; Malformed; AccessError and Refused as `read_private` does."""
    try:
        data = read_private(path, MAX_KEY_FILE_SIZE)
    except Refused:
        if _is_public_half(path):
            raise Malformed(_WHAT, f"{path} is the public half of a key; what signs is the private one") from None
        raise
    if data is None:
        raise NotFound(f"there is no signing key at {path}", hint=_MADE_BY)
    try:
        return parse_artifact_key(data)
    except Malformed as error:
        raise placed(error, str(path), error.plain) from None


def _is_public_half(path: Path) -> bool:
    """Whether a file that others may read is one that they may."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"-----BEGIN PUBLIC KEY-----")
    except OSError:
        return False


def _problem(data: bytes) -> str:
    """Return what keeps these bytes from being tried as a key, in words; "" if nothing does."""
    if len(data) > MAX_KEY_FILE_SIZE:
        return f"more than {MAX_KEY_FILE_SIZE} bytes"
    if any(b"-----BEGIN " + label in data for label in _COSIGN):
        return (
            "it is encrypted by cosign, whose cipher (NaCl secretbox) tiletree does not have; sign with cosign and log "
            "that with `tiletree staple`, or make a key here, which `cosign import-key-pair --key FILE` takes"
        )
    if data.startswith(b"PRIVATE+KEY+"):
        return f"it is the key of a log, which signs no artifacts; {_MADE_BY}"
    return ""


def _file_key(private: object) -> FileKey:
    """Return a key. Raises Malformed for one that does not sign artifacts in Sigstore, saying why."""
    public = private.public_key() if hasattr(private, "public_key") else None
    if public is None:
        raise Malformed(_WHAT, "of a kind that has no public half")
    parsed = parse_public_key(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Malformed(_WHAT, "neither ECDSA nor RSA")
    return FileKey(parsed, private)
