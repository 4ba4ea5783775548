"""Kinds of entries: how an entry is recognised, shown, and found.

Code that admits, indexes, follows or shows an entry asks the first kind that recognises it; the last kind recognises
every entry. A new kind is one more class in `KINDS`. Those that entries are made of files as are `file_kinds`.
"""

from __future__ import annotations

from contextlib import suppress

from tiles.entries.file_kinds import DIGESTS, Blinded, FileDigest, Raw, digest_keys
from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, SHA256, SHA512, SIGNATURE, SUBJECT, Key, Kind
from tiles.entries.signer_keys import claims_of, signer_keys
from tiles.entries.subjects import subjects_in
from tiles.errors import Malformed
from tiles.notes.endorsement import ORIGIN, is_like_endorsement, parse_endorsement
from tiles.signatures.entry import TITLE, parse_signature_entry
from tiles.signatures.formats import FORMATS, TITLES
from tiles.sigstore.hashedrekord import parse_hashedrekord
from tiles.sigstore.revocation import REVOKED, parse_revocation
from tiles.sigstore.revocation import TITLE as REVOCATION
from tiles.tree.merkle import leaf_hash


class Rekor:
    """What Rekor v2 logs of a signature (`tiles.sigstore.hashedrekord`)."""

    name = "hashedrekord"
    begins = b'{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"'
    found_by = (SHA256, SHA512, KEY, IDENTITY, ISSUER)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is such an entry, to the byte."""
        parse_hashedrekord(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return digest and kind of key, and what a certificate claims."""
        found = parse_hashedrekord(entry)
        rows = [(found.algorithm, found.digest.hex()), ("Key", found.key_details)]
        claims = claims_of(found)
        if claims is None:
            return rows
        rows += [("Claimed by the certificate: identity", identity) for identity in claims.identities]
        return rows if claims.issuer is None else [*rows, ("Claimed by the certificate: issuer", claims.issuer)]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the digest of what was signed, and who signed it, as the entry claims."""
        found = parse_hashedrekord(entry)
        kind = {"SHA2_256": SHA256, "SHA2_512": SHA512}.get(found.algorithm)
        return [*([Key(kind, found.digest)] if kind else []), *(Key(*key) for key in signer_keys(found))]


class Revoked:
    """A revocation (`tiles.sigstore.revocation`), whether or not its signature is right."""

    name = "revocation"
    begins = f"{REVOCATION}\n".encode()
    found_by = (REVOKED,)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is such an entry, to the byte."""
        parse_revocation(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return what it says is revoked, and why."""
        said = parse_revocation(entry).statement
        return [("Revokes", said.line), ("Reason", said.reason), ("By", "the log" if said.log else "a key")]

    def keys(self, entry: bytes) -> list[Key]:
        """Return what it says is revoked."""
        return [Key(REVOKED, parse_revocation(entry).statement.line.encode("ascii"))]


class Signature:
    """A signature by SSH, minisign or OpenPGP over a file (`tiles.signatures.entry`), whether or not it is right."""

    name = SIGNATURE
    begins = f"{TITLE}\nformat ".encode()
    found_by = (SHA256, SHA512, KEY)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is such an entry, to the byte."""
        parse_signature_entry(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return the file's digest, and by which key it says that it was signed."""
        found = parse_signature_entry(entry)
        name = TITLES[found.format]
        return [("SHA-256", found.sha256.hex()), (f"Signed with {name} key", FORMATS[found.format].shown(found.key))]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the file's digests, and the key that signed, as the entry claims."""
        found = parse_signature_entry(entry)
        second = [Key(SHA512, found.second)] if found.second_name == "sha512" else []
        key = FORMATS[found.format].key_value(found.key)
        return [Key(SHA256, found.sha256), *second, *([] if key is None else [Key(KEY, key)])]


class Endorsement:
    """The signed checkpoint of another log (`tiles.notes.endorsement`), whether or not its signatures are right.

    Its bytes were raw entries before they were a kind, so it keeps the keys of one.
    """

    name = "endorsement"
    begins = b""  # an origin can be anything
    found_by = (SHA256, SHA512, ORIGIN)

    def check(self, entry: bytes) -> None:
        """Raise Malformed unless it is a checkpoint with signature lines of its own log and no others."""
        parse_endorsement(entry)

    def describe(self, entry: bytes) -> list[tuple[str, str]]:
        """Return which tree it says that the log has."""
        said = parse_endorsement(entry)
        tree = [("Tree size", str(said.tree.size)), ("Root hash", said.tree.root.hex())]
        return [("Checkpoint of", said.origin), *tree]

    def keys(self, entry: bytes) -> list[Key]:
        """Return the digests of the bytes, and the origin that it says."""
        origin = parse_endorsement(entry).origin.encode("utf-8")
        return [*digest_keys(entry), Key(ORIGIN, origin)]


KINDS: tuple[Kind, ...] = (FileDigest(), Blinded(), Rekor(), Revoked(), Signature(), Endorsement(), Raw())

_BEGINNINGS = tuple(kind.begins for kind in KINDS if kind.begins)  # an entry with none is raw, or an endorsement


def kind_of(entry: bytes) -> Kind:
    """Return the first kind that an entry is of. Raises Malformed for more bytes than an entry can have."""
    for kind in KINDS[:-1]:
        if entry.startswith(kind.begins):
            with suppress(Malformed):
                kind.check(entry)
                return kind
    KINDS[-1].check(entry)
    return KINDS[-1]


def keys_of(entry: bytes) -> list[Key]:
    """Return all keys that count of an entry, each once. Raises Malformed for more bytes than an entry can have."""
    return [Key(LEAF, leaf_hash(entry)), *kind_of(entry).keys(entry)]


def beginnings(kind: str) -> tuple[bytes, ...]:
    """Return what entries begin with that may have keys of a kind; b"" is what any entry begins with."""
    return tuple(each.begins for each in KINDS if kind in each.found_by) if kind != LEAF else (b"",)


def values_of(kind: str, entry: bytes) -> list[bytes]:
    """Return the values of the keys of one kind that an entry has, as `keys_of` does, and compute no others."""
    if kind == LEAF:
        return [leaf_hash(entry)]
    if not entry.startswith(_BEGINNINGS):
        digest = DIGESTS.get(kind)
        if digest is None:
            return subjects_in(entry) if kind == SUBJECT else _origins_in(entry) if kind == ORIGIN else []
        return [digest(entry).digest()]
    for each in KINDS:
        if entry.startswith(each.begins):
            with suppress(Malformed):
                return [key.value for key in each.keys(entry) if key.kind == kind]
    return []


def _origins_in(entry: bytes) -> list[bytes]:
    """Return the origin of the log that an entry endorses a checkpoint of, if it does."""
    if is_like_endorsement(entry):
        with suppress(Malformed):
            return [parse_endorsement(entry).origin.encode("utf-8")]
    return []
