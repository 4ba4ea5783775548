"""What is logged of a signature over a file by another signer than Sigstore's; docs/entry-formats.md, "Signature".

    tiletree/signature/v1\\n
    format <ssh, minisign or pgp>\\n
    sha256 <64 hex digits>\\n
    sha512 <128 hex digits>\\n             with ssh, if that is signed; or blake2b512 with minisign, or neither
    key <base64>\\n
    signature <base64>\\n

Parsing verifies nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import base64_or_none, encode_base64
from tiles.signatures.digests import BLAKE2B512, SHA256, SHA512, SIZES, Signed
from tiles.signatures.formats import FORMATS, MAX_KEY_SIZE, MAX_SIGNATURE_SIZE, MINISIGN, PGP, SSH, SignerKey

TITLE = "tiletree/signature/v1"

_SECOND = {SSH: SHA512, MINISIGN: BLAKE2B512, PGP: ""}  # the digest that a format signs and is not SHA-256
_ENTRY = re.compile(
    rb"tiletree/signature/v1\nformat (ssh|minisign|pgp)\nsha256 ([0-9a-f]{64})\n"
    rb"(?:(?:sha512|blake2b512) ([0-9a-f]{128})\n)?"
    rb"key ([!-~]{1,43692})\nsignature ([!-~]{1,16384})\n"
)


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """An entry; nothing of it is verified.

    format    one of FORMATS
    sha256    of the file
    second    the digest that is signed, if it is not `sha256` and the format signs a digest at all; b"" otherwise
    key, signature   as the module of the format has them, at most MAX_KEY_SIZE and MAX_SIGNATURE_SIZE bytes
    Raises UsageError for what no entry can say.
    """

    format: str
    sha256: bytes
    second: bytes = field(repr=False)
    key: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.format not in FORMATS or len(self.sha256) != SIZES[SHA256]:
            raise UsageError(f"a format is one of {', '.join(FORMATS)}, and SHA-256 has {SIZES[SHA256]} bytes")
        if self.second and (not _SECOND[self.format] or len(self.second) != SIZES[_SECOND[self.format]]):
            raise UsageError(f"{self.format} signs no such digest")
        if not 1 <= len(self.key) <= MAX_KEY_SIZE or not 1 <= len(self.signature) <= MAX_SIGNATURE_SIZE:
            raise UsageError(f"a key has 1 to {MAX_KEY_SIZE} bytes, a signature 1 to {MAX_SIGNATURE_SIZE}")

    @property
    def second_name(self) -> str:
        """The name of the digest `second`; "" if there is none."""
        return _SECOND[self.format] if self.second else ""

    @property
    def signer(self) -> str:
        """The key that it says has signed, in words."""
        return SignerKey(self.format, self.key).shown

    @property
    def data(self) -> bytes:
        """The entry."""
        second = f"{self.second_name} {self.second.hex()}\n" if self.second else ""
        return (
            f"{TITLE}\nformat {self.format}\nsha256 {self.sha256.hex()}\n{second}"
            f"key {encode_base64(self.key)}\nsignature {encode_base64(self.signature)}\n"
        ).encode("ascii")


def parse_signature_entry(entry: bytes) -> SignatureEntry:
    """Return what an entry says. Raises Malformed unless `SignatureEntry.data` gives exactly these bytes."""
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise Malformed(TITLE, "the entry is not of this kind", entry[:80])
    name, sha256, second, key, signature = ((part or b"").decode("ascii") for part in match.groups())
    try:
        found = SignatureEntry(
            name,
            bytes.fromhex(sha256),
            bytes.fromhex(second),
            base64_or_none(key) or b"",
            base64_or_none(signature) or b"",
        )
    except UsageError as error:
        raise Malformed(TITLE, error.message, entry[:80]) from None
    if found.data != entry:  # also if the other digest is not the one that the format signs
        raise Malformed(TITLE, "not in canonical form", entry[:80])
    return found


def entry_by(key: SignerKey, signature: bytes, file: Signed) -> SignatureEntry:
    """Return the entry of a signature, which was verified: over that file, by that key.

    Raises SignatureError, Malformed, or UsageError, as `Format.check` does.
    """
    used = FORMATS[key.format]
    used.check(key.key, signature, file)
    digest = used.signed_digest(signature)
    second = file.digest(digest) if digest == _SECOND[key.format] else b""
    return SignatureEntry(key.format, file.digest(SHA256), second, key.key, signature)
