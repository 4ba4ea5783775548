"""The formats of signatures over files, by name, and which of them a key is in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from tiles.errors import Malformed
from tiles.signatures import minisign, openpgp, ssh
from tiles.signatures.digests import Signed
from tiles.signatures.ssh_text import KEY_LINE

MAX_KEY_SIZE = 32 * 1024  # bytes, as logged
MAX_SIGNATURE_SIZE = 12 * 1024  # bytes, as logged
MAX_FILE_SIZE = 64 * 1024  # bytes of a file with a key or a signature

SSH, MINISIGN, PGP = "ssh", "minisign", "pgp"

_PRIVATE = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY|untrusted comment: [^\n]{0,100}secret key\r?\n")
_PACKETS = re.compile(rb"[\x98-\x9a\xc6]", re.DOTALL)  # RFC 9580 section 4.2: a Public Key, in both forms


class Format(Protocol):
    """One format: a module. `key` and `signature` are as they are logged, not as files have them."""

    def parse_key(self, data: bytes, /) -> bytes:
        """Return the public key in a file. Raises Malformed."""
        ...

    def parse_signature(self, data: bytes, /) -> bytes:
        """Return the signature in a file. Raises Malformed."""
        ...

    def signed_digest(self, signature: bytes, /) -> str:
        """Return what is signed: the name of a digest, or WHOLE. Raises Malformed."""
        ...

    def check(self, key: bytes, signature: bytes, file: Signed, /) -> None:
        """Verify a signature. Raises SignatureError; Malformed; UsageError for what is not known of the file."""
        ...

    def shown(self, key: bytes, /) -> str:
        """Return how people who use the format name a key. `key` may be anything."""
        ...

    def key_value(self, key: bytes, /) -> bytes | None:
        """Return the value of `key/1`; None if the key cannot be read. `key` may be anything."""
        ...


FORMATS: dict[str, Format] = {SSH: ssh, MINISIGN: minisign, PGP: openpgp}
TITLES = {SSH: "SSH", MINISIGN: "minisign", PGP: "OpenPGP"}


@dataclass(frozen=True, slots=True)
class SignerKey:
    """The key of a signer, which somebody names; `parse_signer_key` makes it from a file. format: one of FORMATS"""

    format: str
    key: bytes = field(repr=False)

    @property
    def value(self) -> bytes:
        """By what its entries are found."""
        return FORMATS[self.format].key_value(self.key) or b""

    @property
    def shown(self) -> str:
        """The key in words, such as "SSH key SHA256:…"."""
        return f"{TITLES[self.format]} key {FORMATS[self.format].shown(self.key)}"


def format_of(key_file: bytes) -> str:
    """Return in which format the key in a file is; "" for none of these, such as PEM and DER.

    Raises Malformed for a private key, of which nothing is shown.
    """
    if _PRIVATE.match(key_file):
        raise Malformed("key", "it is a private key; name the public one")
    if KEY_LINE.match(key_file):
        return SSH
    if key_file.startswith(minisign.UNTRUSTED) or minisign.KEY_FILE.fullmatch(key_file):
        return MINISIGN
    if key_file.lstrip().startswith(b"-----BEGIN PGP ") or _PACKETS.match(key_file):
        return PGP
    return ""


def parse_signer_key(name: str, data: bytes) -> SignerKey:
    """Return the public key in a file of a format. Raises Malformed; UsageError for a format that cannot be read."""
    key = FORMATS[name].parse_key(_limited(data, f"{TITLES[name]} key"))
    if len(key) > MAX_KEY_SIZE:
        least = "; `gpg --export-options export-minimal --export` leaves most of it out" if name == PGP else ""
        raise Malformed(f"{TITLES[name]} key", f"more than {MAX_KEY_SIZE} bytes{least}", len(key))
    if FORMATS[name].key_value(key) is None:
        raise Malformed(f"{TITLES[name]} key", "its primary key is not written as keys of today are")
    return SignerKey(name, key)


def parse_signature(name: str, data: bytes) -> bytes:
    """Return the signature in a file of a format. Raises Malformed."""
    signature = FORMATS[name].parse_signature(_limited(data, f"{TITLES[name]} signature"))
    if not 1 <= len(signature) <= MAX_SIGNATURE_SIZE:
        raise Malformed(f"{TITLES[name]} signature", f"not 1 to {MAX_SIGNATURE_SIZE} bytes", len(signature))
    return signature


def _limited(data: bytes, what: str) -> bytes:
    if len(data) > MAX_FILE_SIZE:
        raise Malformed(what, f"more than {MAX_FILE_SIZE} bytes in the file")
    return data
