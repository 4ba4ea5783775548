"""Files that a call names, or digests in their place: reading, hashing and replacing them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from tiles.entries.content import read_digests
from tiles.errors import AccessError, UsageError
from tiletree.opening import open_binary

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def read_limited(path: Path, limit: int) -> bytes:
    """Return a file's content, one byte more than `limit` at most: its parser refuses that."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def digest_named(text: str) -> str | None:
    """Return the SHA-256, in hexadecimal, that an argument names in the place of a file; None if it names a file.

    Raises UsageError for one that is no SHA-256.
    """
    if not text.startswith("sha256:"):
        return None
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is not sha256: and 64 lower-case hexadecimal digits", hint="a file can be ./sha256:…")
    return match[1]


def digests_of(file: str, algorithms: frozenset[str]) -> dict[str, bytes]:
    """Return digests of a file, by the names that Sigstore has for algorithms; of one that is a digest, that."""
    if (named := digest_named(file)) is not None:
        return {"SHA2_256": bytes.fromhex(named)}
    from tiles.sigstore.body import HASHES  # not for calls without a bundle

    with open_binary(file) as stream:
        return read_digests(stream, {name: HASHES[name] for name in sorted(algorithms)})


def replace_file(path: Path, data: bytes) -> None:
    """Write or replace a file that the user named: a run that dies leaves the old content or the new one.

    Raises AccessError.
    """
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temp.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # `staple` may replace the only copy of a signature
        temp.replace(path)
    except OSError as error:
        with suppress(OSError):
            temp.unlink(missing_ok=True)
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
