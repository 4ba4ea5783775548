"""Revocations: what was logged and should not be relied on any more; docs/entry-formats.md, "Revocation".

    tiletree/revocation/v1\\n
    sha256 <64 hex digits>\\n             or key <64 hex digits>\\n, or identity <text>\\n
    reason <why>\\n
    by key <base64>\\n                    or by log <verifier key>\\n
    signature <base64>\\n

Parsing verifies nothing. `check_revocation` says whether the signature is right, and `is_revoked` whether a revocation
counts for what somebody relies on. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.encoding import base64_or_none, encode_base64, is_line, percent_decoded, percent_encoded
from tiles.notes.keys import SIGNS_TEXT, VerifierKey
from tiles.sigstore.names import spelled
from tiles.sigstore.public_key import parse_public_key, verify_digest

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
        said = Statement(what, value, percent_decoded(reason, TITLE), key, signer if by == "log" else "")
        revocation = Revocation(said, base64_or_none(signature) or b"")
    except UsageError as error:
        raise Malformed(TITLE, error.message, entry[:80]) from None
    if revocation.data != entry:
        raise Malformed(TITLE, "not in canonical form", entry[:80])
    return revocation


@dataclass(frozen=True, slots=True)
class Relied:
    """What somebody relies on: an artifact, and who signed it.

    digests      SHA-256 of it in hex; of an attestation also of what was signed
    key          SHA-256 of the key that signed, in hex; "" if nobody did
    identities   of the signer, as keys of `identity/1`: with all parts
    """

    digests: tuple[str, ...]
    key: str = ""
    identities: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of revocations that may count for it: by these they are found."""
        digests = (f"{DIGEST} {digest}" for digest in self.digests)
        key = (f"{KEY} {self.key}",) if self.key else ()
        return (*digests, *key, *(f"{IDENTITY} {identity}" for identity in self.identities))


def check_revocation(found: Revocation, log_keys: Iterable[VerifierKey]) -> None:
    """Verify the signature of a revocation.

    log_keys   those of the log that the verifier trusts
    Raises SignatureError if it is wrong, or by the key of a log that is not among them; Malformed for a key that signs
    no artifacts.
    """
    from tiles.sigstore.body import HASHES

    said = found.statement
    if said.log:
        for key in log_keys:
            if key.vkey == said.log and key.type in SIGNS_TEXT:
                return key.verify(said.text, found.signature)
        raise SignatureError(f"by {said.log}, which is no key of the log that is trusted")
    signer = parse_public_key(said.key)
    return verify_digest(signer, HASHES[signer.algorithm](said.text).digest(), found.signature)


def is_revoked(relied: Relied, said: Statement) -> bool:
    """Whether a revocation, whose signature is right, counts for what somebody relies on."""
    if said.line not in relied.lines:
        return False
    by = "" if said.log else hashlib.sha256(said.key).hexdigest()
    return bool(said.log) or (said.what == DIGEST and by == relied.key) or (said.what == KEY and by == said.value)
