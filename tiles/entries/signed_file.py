"""The file that a signature is over, read once: its digests, and its bytes where the format signs those."""

from __future__ import annotations

from typing import BinaryIO

from tiles.errors import UsageError
from tiles.signatures.digests import HASHES, MAX_WHOLE, Signed

_CHUNK = 1 << 20  # bytes read at a time


def read_signed(stream: BinaryIO, *, whole: bool) -> Signed:
    """Return what is left to read of a stream, in one pass.

    whole   keep its bytes; otherwise memory is constant
    Raises UsageError for more bytes than can be kept.
    """
    hashes = {name: hash_() for name, hash_ in HASHES.items()}
    kept: list[bytes] = []
    size = 0
    while chunk := stream.read(_CHUNK):
        for each in hashes.values():
            each.update(chunk)
        size += len(chunk)
        if whole:
            kept.append(chunk)
            if size > MAX_WHOLE:
                raise UsageError(
                    f"a file of more than {MAX_WHOLE} bytes, which the signature is over as a whole",
                    hint="sign with SSH, or with minisign without -l: they sign a digest",
                )
    return Signed({name: each.digest() for name, each in hashes.items()}, b"".join(kept) if whole else None)
