"""What is known of the file that was signed, for formats that sign different digests of it, or its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b, sha256, sha512
from typing import Any

from tiles.errors import UsageError

SHA256, SHA512, BLAKE2B512 = "sha256", "sha512", "blake2b512"
SIZES = {SHA256: 32, SHA512: 64, BLAKE2B512: 64}  # bytes
HASHES: dict[str, Callable[..., Any]] = {
    SHA256: sha256,
    SHA512: sha512,
    BLAKE2B512: blake2b,
}  # BLAKE2b has 64 bytes unless told otherwise (RFC 7693)
WHOLE = "whole"  # what a format signs that signs no digest
NAME_THE_FILE = "name the file"
MAX_WHOLE = 1 << 30  # bytes of a file that is signed as a whole; minisign, too, takes no more


@dataclass(frozen=True, slots=True)
class Signed:
    """A file: its digests, by name, and its bytes where they are known. Raises UsageError for one of another size."""

    digests: dict[str, bytes]
    data: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, digest in self.digests.items():
            if len(digest) != SIZES.get(name):
                raise UsageError(f"{len(digest)} bytes are no digest of {name}")

    def digest(self, name: str) -> bytes:
        """Return a digest. Raises UsageError if it is not known."""
        if name not in self.digests:
            raise UsageError(f"the signature is over {name} of the file, which is not known here", hint=NAME_THE_FILE)
        return self.digests[name]

    @property
    def whole(self) -> bytes:
        """The bytes. Raises UsageError if they are not known."""
        if self.data is None:
            raise UsageError("the signature is over the file itself, and no digest is enough", hint=NAME_THE_FILE)
        return self.data


def signed(data: bytes) -> Signed:
    """Return what is known of a file with all its bytes."""
    return Signed({name: hash_(data).digest() for name, hash_ in HASHES.items()}, data)
