"""What a proof file says of a file, for readers who cannot guess its entry; docs/entry-formats.md.

    tiletree/extra/v1\\n
    entry <base64>\\n
    blinding <base64>\\n                           r, only with a blinded entry

Anyone can write this, so nothing of it is believed. `form_in` returns the entry only if it is one of exactly the
reader's file, and then its inclusion has to be proven.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiles.entries.blinded import SECRET_SIZE, blinded_entry, blinding
from tiles.entries.content import Content
from tiles.entries.file_digest import DigestEntry, name_in, parse_digest_entry
from tiles.entries.file_kinds import Blinded, FileDigest
from tiles.entries.kind import SIGNATURE
from tiles.errors import Malformed
from tiles.notes.encoding import decode_base64, decode_text, encode_base64

TITLE = "tiletree/extra/v1"
MAX_EXTRA_SIZE = 4 << 10  # bytes; a name is 765 characters at most


@dataclass(frozen=True, slots=True)
class ProofExtra:
    """The entry that a proof file proves, as it says; nothing about it is checked.

    blinding   r of a blinded entry, None for others
    """

    entry: bytes
    blinding: bytes | None = None

    @property
    def data(self) -> bytes:
        """The extra data."""
        blinding = f"blinding {encode_base64(self.blinding)}\n" if self.blinding is not None else ""
        return f"{TITLE}\nentry {encode_base64(self.entry)}\n{blinding}".encode("ascii")


def parse_proof_extra(data: bytes) -> ProofExtra:
    """Return what extra data says. Raises Malformed unless `ProofExtra.data` gives exactly these bytes."""
    if len(data) > MAX_EXTRA_SIZE:
        raise Malformed(TITLE, f"more than {MAX_EXTRA_SIZE} bytes", len(data))
    title, *lines = decode_text(data, TITLE).split("\n")
    if title != TITLE or len(lines) not in (2, 3) or not lines[0].startswith("entry "):
        raise Malformed(TITLE, "not a title, an entry and at most one blinding", title)
    entry = decode_base64(lines[0].removeprefix("entry "), TITLE)
    blinding = decode_base64(lines[1].removeprefix("blinding "), TITLE) if len(lines) == 3 else None
    extra = ProofExtra(entry, blinding)
    if extra.data != data or (blinding is not None and len(blinding) != SECRET_SIZE):
        raise Malformed(TITLE, "not in canonical form")
    return extra


def extra_for(entry: bytes, content: Content | None = None) -> bytes:
    """Return the extra data of a proof of an entry: what of it a reader, who has the file, may not have.

    That is the name in a named digest entry, r of a blinded one, and all of the entry of a signature, if it fits.
    content   of the file, with the secrets that may have blinded it
    """
    from tiles.entries.kinds import kind_of  # slow to import, and not for who verifies

    if name_in(entry) is not None:
        return ProofExtra(entry).data
    kind = kind_of(entry).name
    if kind == SIGNATURE:
        told = ProofExtra(entry).data
        return told if len(told) <= MAX_EXTRA_SIZE else b""
    if content is not None and kind == Blinded.name:
        file = DigestEntry(content.sha256, content.size)
        for secret in content.secrets():
            if blinded_entry(r := blinding(secret, file), file) == entry:
                return ProofExtra(entry, r).data
    return b""


def form_in(extra: bytes, file: DigestEntry) -> tuple[str, bytes] | None:
    """Return kind and entry that extra data leads to, if it is one of exactly this file; otherwise None.

    file   what the reader computed from the file itself
    """
    try:
        said = parse_proof_extra(extra)
        if said.blinding is not None:
            return (Blinded.name, said.entry) if said.entry == blinded_entry(said.blinding, file) else None
        if said.entry.startswith(FileDigest.begins):
            is_it = parse_digest_entry(said.entry).unnamed == file.unnamed
            return (FileDigest.name, said.entry) if is_it else None
        from tiles.signatures.entry import parse_signature_entry  # few proofs are of one

        return (SIGNATURE, said.entry) if parse_signature_entry(said.entry).sha256.hex() == file.sha256 else None
    except Malformed:
        return None
