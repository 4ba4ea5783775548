"""Revocations: what was logged and should not be relied on any more; docs/entry-formats.md, "Revocation".

    tiletree/revocation/v1\\n
    sha256 <64 hex digits>\\n             or key <64 hex digits>\\n, or identity <text>\\n
    reason <why>\\n
    by key <base64>\\n                    or by log <verifier key>\\n
    signature <base64>\\n

Parsing verifies nothing. `tiles.index.revocations` says which revocations count for an entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.entries.file_digest import percent_decoded, percent_encoded
from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import base64_or_none, encode_base64, is_line
from tiles.sigstore.names import spelled

TITLE = "tiletree/revocation/v1"
REVOKED = "revoked/1"  # the kind of keys: what is revoked
MAX_REASON_SIZE = 1024  # bytes of UTF-8
MAX_SIGNATURE_SIZE = 2048  # bytes, and of a key
DIGEST, KEY, IDENTITY = "sha256", "key", "identity"  # what can be revoked

_HEX = re.compile("[0-9a-f]{64}", re.ASCII)
_WORD = re.compile("[!-~]{1,1024}", re.ASCII)
_ENTRY = re.compile(
    rb"tiletree/revocation/v1\n(sha256|key|identity) ([!-~]{1,1024})\nreason ([!-~]{1,3072})\n"
    rb"by (key|log) ([!-~]{1,2732})\nsignature ([!-~]{1,2732})\n"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed.

    what     DIGEST, KEY or IDENTITY
    value    the digest or the key's SHA-256 in hex, or the identity as it is spelled in `identity/1`
    reason   a line
    key      DER SubjectPublicKeyInfo of who signs; b"" if it is the log
    log      the verifier key of the log that signs; "" if it is another key
    Raises UsageError for what no revocation can say.
    """

    what: str
    value: str
    reason: str
    key: bytes = b""
    log: str = ""

    def __post_init__(self) -> None:
        if self.what not in (DIGEST, KEY, IDENTITY):
            raise UsageError(f"{self.what!r} is nothing that can be revoked")
        if self.what == IDENTITY and (not _WORD.fullmatch(self.value) or spelled(self.value) != self.value):
            raise UsageError("an identity has 1 to 1024 characters of ASCII, no space, and is spelled as it is found")
        if self.what != IDENTITY and not _HEX.fullmatch(self.value):
            raise UsageError(f"what is revoked by {self.what} is 64 hexadecimal digits, in lower case")
        if not is_line(self.reason) or len(self.reason.encode()) > MAX_REASON_SIZE:
            raise UsageError(f"a reason is one line of 1 to {MAX_REASON_SIZE} bytes, without control characters")
        if bool(self.key) == bool(self.log):
            raise UsageError("a revocation is signed by one key, or by the log")
        if len(self.key) > MAX_SIGNATURE_SIZE or (self.log and not _WORD.fullmatch(self.log)):
            raise UsageError(
                f"a key has 1 to {MAX_SIGNATURE_SIZE} bytes, a verifier key 1 to 1024 printable characters"
            )

    @property
    def line(self) -> str:
        """What is revoked: the value of the key by which the revocation is found."""
        return f"{self.what} {self.value}"

    @property
    def text(self) -> bytes:
        """What is signed."""
        by = f"log {self.log}" if self.log else f"key {encode_base64(self.key)}"
        return f"{TITLE}\n{self.line}\nreason {percent_encoded(self.reason.encode())}\nby {by}\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation, whose signature, 1 to MAX_SIGNATURE_SIZE bytes, may be wrong."""

    statement: Statement
    signature: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.signature) <= MAX_SIGNATURE_SIZE:
            raise UsageError(f"a signature has 1 to {MAX_SIGNATURE_SIZE} bytes, not {len(self.signature)}")

    @property
    def data(self) -> bytes:
        """The entry."""
        return self.statement.text + f"signature {encode_base64(self.signature)}\n".encode("ascii")


def parse_revocation(entry: bytes) -> Revocation:
    """Return what a revocation says. Raises Malformed unless `Revocation.data` gives exactly these bytes."""
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise Malformed(TITLE, "the entry is not a revocation", entry[:80])
    what, value, reason, by, signer, signature = (part.decode("ascii") for part in match.groups())
    key = (base64_or_none(signer) or b"") if by == "key" else b""
    try:
        said = Statement(what, value, percent_decoded(reason), key, signer if by == "log" else "")
        revocation = Revocation(said, base64_or_none(signature) or b"")
    except UsageError as error:
        raise Malformed(TITLE, error.message, entry[:80]) from None
    if revocation.data != entry:
        raise Malformed(TITLE, "not in canonical form", entry[:80])
    return revocation
