"""Payloads: files that are published beside their entries, at payload/sha256/<64 hex> of the public part.

They are of digest entries, and of the entries of attestations: these name the digest of what the signature is over, so
that is stored, and with the signature in the entry it makes the envelope again.

The name holds the SHA-256 of the content, so a payload never changes, and every reader can check it. It is stored
before its entry is added, so that no logged payload is missing; that of a submission is too (`tiles.write.payloads`). A
payload that no entry names does no harm.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import BinaryIO

from tiles.entries.file_digest import digest_entry, parse_digest_entry
from tiles.errors import Malformed, NotFound, UsageError, VerificationError
from tiles.records.paths import payload_path
from tiles.sigstore.dsse import Envelope, make_envelope, parse_pae
from tiles.sigstore.hashedrekord import parse_hashedrekord
from tiles.store import Fetcher, Store
from tiles.store.past_caches import fetch_for

MAX_PAYLOAD_SIZE = 256 << 20  # bytes; one is in memory as a whole

_ELSEWHERE = "the file was added without --payload: get it from where it is published"


def check_payload_size(size: int, name: str) -> None:
    """Raise UsageError for a file that is too long to be stored."""
    if size > MAX_PAYLOAD_SIZE:
        raise UsageError(
            f"{name} has more than the {MAX_PAYLOAD_SIZE >> 20} MiB that are stored of a file",
            hint="leave out --payload: its digest is logged then, whatever its size, and store the file elsewhere",
        )


def read_payload(stream: BinaryIO, name: str) -> tuple[bytes, bytes]:
    """Return the digest entry of what is left to read of a stream, and that itself.

    Raises UsageError for more than MAX_PAYLOAD_SIZE bytes.
    """
    data = stream.read(MAX_PAYLOAD_SIZE + 1)
    check_payload_size(len(data), name)
    return digest_entry(hashlib.sha256(data).hexdigest(), len(data)), data


def store_payload(public: Store, stream: BinaryIO, name: str) -> bytes:
    """Store what is left to read of a stream, and return its digest entry, to be added after a barrier of the store.

    Raises UsageError for more than MAX_PAYLOAD_SIZE bytes; Differs if another content is stored at the payload's path.
    """
    entry, data = read_payload(stream, name)
    public.create({payload_path(parse_digest_entry(entry).sha256): data})
    return entry


def store_signed(public: Store, envelope: Envelope) -> None:
    """Store what the signature of an envelope is over; its entry is to be added after a barrier of the store.

    Only an entry with a SHA-256 leads to it.
    Raises UsageError for more than MAX_PAYLOAD_SIZE bytes; Differs if another content is stored at the payload's path.
    """
    data = envelope.signed
    check_payload_size(len(data), "the statement")
    public.create({payload_path(hashlib.sha256(data).hexdigest()): data})


def fetch_payload(fetcher: Fetcher, entry: bytes) -> bytes:
    """Return the payload of an entry: a file, or the envelope (DSSE) of an attestation.

    Raises UsageError for another kind of entry; NotFound; VerificationError if the object has another digest or size.
    """
    sha256, size, signature = _stored_of(entry)
    path = payload_path(sha256)
    if size is not None and size > MAX_PAYLOAD_SIZE:
        raise NotFound(
            f"{fetcher.url}/{path} cannot be there: a payload of {size} bytes is not stored", hint=_ELSEWHERE
        )

    def checked(data: bytes) -> bytes:
        if size is not None and len(data) != size:
            raise VerificationError(f"{fetcher.url}/{path} has {len(data)} bytes, and the entry says {size}")
        if (found := hashlib.sha256(data).hexdigest()) != sha256:
            raise VerificationError(f"{fetcher.url}/{path} has SHA-256 {found}, and the entry says {sha256}")
        return data

    try:
        data = fetch_for(fetcher, path, MAX_PAYLOAD_SIZE if size is None else size + 1, checked)
    except NotFound as error:
        raise NotFound(f"the payload of the entry is not stored: {error.message}", hint=_ELSEWHERE) from error
    with suppress(Malformed, UsageError):
        if signature:
            return make_envelope(*parse_pae(data), signature).data
    return data


def payload_of(entry: bytes) -> str | None:
    """Return where the payload of an entry is, if it was published; None for an entry that has none."""
    try:
        return payload_path(_stored_of(entry)[0])
    except UsageError:
        return None


def _stored_of(entry: bytes) -> tuple[str, int | None, bytes]:
    """Return the SHA-256 of an entry's payload, its size where the entry says it, and the signature over it, or b""."""
    with suppress(Malformed):
        file = parse_digest_entry(entry)
        return file.sha256, file.size, b""
    with suppress(Malformed):
        signed = parse_hashedrekord(entry)
        if signed.algorithm == "SHA2_256":
            return signed.digest.hex(), None, signed.signature
    raise UsageError(
        "the entry is not the digest of a file, nor a signature over one",
        hint="leave out --payload: this entry is itself what was logged",
    )
