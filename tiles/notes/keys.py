"""Keys of signed notes (https://c2sp.org/signed-note, "Signature types", "Verifier keys"): vkey and skey texts.

A key here signs and verifies *messages*. What the message is depends on the type: the note's text (ED25519, ECDSA; see
`tiles.notes.note`), a timestamped statement about a checkpoint (COSIGNATURE, MLDSA44; see `tiles.notes.cosignature`) or
a tree head of RFC 6962 (RFC6962; see `tiles.notes.tree_head_signature`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.encoding import base64_or_none, decode_base64, encode_base64, is_line
from tiles.notes.public_keys import load_spki, verify_by_spki, verify_ed25519, verify_mldsa44

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_ID_SIZE = 4  # bytes
SEED_SIZE = 32  # bytes, of every kind of signing key
MAX_LOG_NAME = 200  # characters in the name of a log or key that this library makes
MAX_COSIGNER_NAME = 255  # bytes; tlog-cosignature "ML-DSA-44 signed message": opaque cosigner_name<1..2^8-1>

_SKEY_PREFIX = "PRIVATE+KEY+"
# "MUST NOT contain any Unicode spaces or plus": White_Space as in Unicode's PropList, written out so that the meaning
# does not change with the interpreter's tables. Those below U+0020 are control characters, excluded anyway.
_NOT_IN_NAME = frozenset("+ \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000").union(map(chr, range(0x2000, 0x200B)))
_SECRET = frozenset("@?#")


class SignatureType(IntEnum):
    """The signature type identifier byte ("Signature types"); types that are not listed are unknown, and ignored."""

    ED25519 = 0x01
    ECDSA = 0x02
    COSIGNATURE = 0x04  # Ed25519, timestamped: tlog-cosignature
    RFC6962 = 0x05  # ECDSA P-256 or RSA, over a tree head of RFC 6962: static-ct-api
    MLDSA44 = 0x06  # ML-DSA-44, timestamped: tlog-cosignature


SIGNS_TEXT = frozenset({SignatureType.ED25519, SignatureType.ECDSA})  # signatures over the note's text as it is
SIGNS_CHECKPOINT = frozenset({SignatureType.COSIGNATURE, SignatureType.MLDSA44})  # timestamped, over a checkpoint

_PUBLIC_SIZE = {SignatureType.ED25519: 32, SignatureType.COSIGNATURE: 32, SignatureType.MLDSA44: 1312}  # bytes


def check_name(name: str) -> None:
    """Raise UsageError unless `name` can be a key name ("Format"): not empty, no Unicode space, no plus.

    The message does not repeat the name: it may be part of a mangled secret.
    """
    if not is_line(name) or not _NOT_IN_NAME.isdisjoint(name):
        raise UsageError("a key name is not empty and has no space, plus or control character")


def check_origin(name: str) -> None:
    """Raise UsageError unless a log, or a key, that this library makes can be called that.

    Every key name of at most MAX_LOG_NAME printable ASCII characters is allowed, unless it is an address that may hold
    credentials, which would be published. Logs of others may have any name that `check_name` allows, but this one must
    fit into records, key files and file names, and people have to read it.
    """
    if "://" in name and not _SECRET.isdisjoint(name):
        raise UsageError(  # which does not repeat it
            "a log's name stands in every checkpoint, and this one is an address with room for a secret: @, ? or #",
            hint="leave out scheme, user, password and query: log.example.com",
        )
    check_name(name)
    if len(name) > MAX_LOG_NAME or not name.isascii() or not name.isprintable():
        raise UsageError(
            f"{name[:MAX_LOG_NAME]!r} cannot be the name of a log: it has 1 to {MAX_LOG_NAME} printable ASCII "
            "characters, and no space or plus",
            hint="name it like an address, such as log.example.com; a host name in its ASCII form (xn--…)",
        )


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it goes by. Equal if name, type and public key are.

    name     key name; in a log's key the origin, in a witness's its name
    public   32 bytes (ED25519, COSIGNATURE), 1312 bytes (MLDSA44), or a DER SubjectPublicKeyInfo (ECDSA, RFC6962)
    key_id   4 bytes, computed
    Raises UsageError for anything that cannot be a key.
    """

    name: str
    type: SignatureType
    public: bytes = field(repr=False)
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.type in (SignatureType.ECDSA, SignatureType.RFC6962):
            load_spki(self.public, of_ct=self.type == SignatureType.RFC6962)
        elif len(self.public) != _PUBLIC_SIZE[self.type]:
            raise UsageError(f"{len(self.public)} bytes of public key instead of {_PUBLIC_SIZE[self.type]}")
        if self.type == SignatureType.MLDSA44 and len(self.name.encode()) > MAX_COSIGNER_NAME:
            raise UsageError(f"the name of an ML-DSA-44 key has at most {MAX_COSIGNER_NAME} bytes")
        object.__setattr__(self, "key_id", _key_hash(self.name, self.type, self.public)[:KEY_ID_SIZE])

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def log_id(self) -> bytes:
        """The 32 bytes of which the key id has the first 4: by them Sigstore names the key of a log."""
        return _key_hash(self.name, self.type, self.public)

    @property
    def vkey(self) -> str:
        """The key as text: <name>+<hex key id>+<base64(type || public)>."""
        return f"{self}+{encode_base64(bytes([self.type]) + self.public)}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Verify the raw signature (no key id, no timestamp) over message. Raises SignatureError.

        For a note or a checkpoint use `verify_note`, `verify_cosignature` or a policy: they know the message.
        """
        try:
            if self.type in (SignatureType.ECDSA, SignatureType.RFC6962):
                verify_by_spki(self.public, message, signature, of_ct=self.type == SignatureType.RFC6962)
            elif self.type == SignatureType.MLDSA44:
                verify_mldsa44(self.public, message, signature)
            else:
                verify_ed25519(self.public, message, signature)
        except SignatureError:
            raise SignatureError(f"wrong signature by {self}") from None


def parse_vkey(text: str) -> VerifierKey:
    """Return the key `VerifierKey.vkey` prints as `text` ("Verifier keys"). Raises Malformed for anything else."""
    parts = text.split("+", 2)  # base64 may hold a plus, a name may not
    if len(parts) != 3:
        raise Malformed("verifier key", "not <name>+<key id>+<base64>", text)
    material = decode_base64(parts[2], "verifier key")
    try:
        key = VerifierKey(parts[0], SignatureType(material[0] if material else 0), material[1:])
    except ValueError:
        raise Malformed("verifier key", "unknown signature type", text) from None
    except UsageError as error:
        raise Malformed("verifier key", error.message, text) from None
    if key.vkey != text:
        raise Malformed("verifier key", f"key id is not {key.key_id.hex()}", text)
    return key


def ecdsa_key(name: str, spki: bytes) -> VerifierKey:
    """Return the ECDSA key (NIST P-256, P-384 or P-521) in a DER SubjectPublicKeyInfo. Raises UsageError."""
    return VerifierKey(name, SignatureType.ECDSA, bytes(spki))


class SigningKey(Protocol):
    """What signs for a verifier key: a `SeedKey`, or a key that is kept elsewhere and signs on request."""

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies what this one signs; its name is the name of both."""

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature over message, as the verifier's type has it."""


@dataclass(frozen=True, slots=True)
class SeedKey:
    """A private key in memory; only `skey` prints it. Make one with `signing_key`.

    seed   32 bytes: the whole secret
    """

    verifier: VerifierKey
    seed: bytes = field(repr=False)
    _ed25519: list[Ed25519PrivateKey] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.verifier.public != _public(self.verifier.type, self.seed):
            raise UsageError("the seed is not that of the public key")

    @property
    def name(self) -> str:
        """The key name."""
        return self.verifier.name

    @property
    def skey(self) -> str:
        """The secret as text, as Go's tools write it: PRIVATE+KEY+<name>+<hex key id>+<base64(type || seed)>."""
        return f"{_SKEY_PREFIX}{self.verifier}+{encode_base64(bytes([self.verifier.type]) + self.seed)}"

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature over message: 64 bytes, or 2420 (MLDSA44).

        The same message always gets the same Ed25519 signature; ML-DSA-44 signatures differ each time.
        """
        if self.verifier.type == SignatureType.MLDSA44:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

            return MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)
        if not self._ed25519:  # to make one of a seed takes as long as to sign
            from cryptography.hazmat.primitives.asymmetric.ed25519 import (
                Ed25519PrivateKey,
            )  # verifying needs none of it

            self._ed25519.append(Ed25519PrivateKey.from_private_bytes(self.seed))
        return self._ed25519[0].sign(message)


def signing_key(name: str, seed: bytes, type: SignatureType = SignatureType.ED25519) -> SeedKey:  # noqa: A002
    """Return the signing key of a 32-byte seed, which has to come from a cryptographic random source.

    type   ED25519, COSIGNATURE or MLDSA44
    Raises UsageError for any other type, another length, or an impossible name.
    """
    return SeedKey(VerifierKey(name, type, _public(type, seed)), bytes(seed))


def parse_skey(text: str) -> SeedKey:
    """Return the key `SeedKey.skey` prints as `text`. Raises Malformed for anything else, showing nothing of it."""
    parts = text.removeprefix(_SKEY_PREFIX).split("+", 2)
    problem = "not PRIVATE+KEY+<name>+<key id>+<base64>"
    if text.startswith("-----BEGIN "):
        problem = "a key in PEM, which signs files, and no log has one"
    if text.startswith(_SKEY_PREFIX) and len(parts) == 3:
        key, problem = _skey_or_problem(parts[0], base64_or_none(parts[2]))
        if key and key.skey == text:
            return key
    # raised here, outside any except block: a chained exception could carry the text
    raise Malformed("signing key", problem)


def _skey_or_problem(name: str, material: bytes | None) -> tuple[SeedKey | None, str]:
    if not material or len(material) != 1 + SEED_SIZE:
        return None, f"not the canonical base64 of a type byte and {SEED_SIZE} bytes"
    try:
        return signing_key(name, material[1:], SignatureType(material[0])), "the key id is not that of the key"
    except ValueError:
        return None, "unknown signature type"
    except UsageError as error:
        return None, error.message


def _public(type_: SignatureType, seed: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    if len(seed) != SEED_SIZE:
        raise UsageError(f"a seed has {SEED_SIZE} bytes, not {len(seed)}")
    if type_ == SignatureType.MLDSA44:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        return MLDSA44PrivateKey.from_seed_bytes(bytes(seed)).public_key().public_bytes_raw()
    if type_ == SignatureType.RFC6962:
        raise UsageError("keys of logs of certificates only verify here")
    if type_ == SignatureType.ECDSA:
        raise UsageError("ECDSA keys only verify here; sign with Ed25519 or ML-DSA-44")
    return Ed25519PrivateKey.from_private_bytes(bytes(seed)).public_key().public_bytes_raw()


def _key_hash(name: str, type_: SignatureType, public: bytes) -> bytes:
    if type_ == SignatureType.ECDSA:  # "the truncated SHA-256 hash of the DER encoded public key in SPKI format"
        return sha256(public).digest()
    if type_ == SignatureType.RFC6962:  # static-ct-api "Checkpoints": in place of the key "the 32-byte RFC 6962 LogID"
        public = sha256(public).digest()
    # key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]
    return sha256(name.encode() + b"\n" + bytes([type_]) + public).digest()
