"""The kinds of entries that are signatures, or are signed themselves; `kinds` has them all."""

from __future__ import annotations

from collections.abc import Iterator

from tiles.entries.kind import SHA256, SHA512, Content, Key
from tiles.entries.signer_keys import KEY, claims_of, signer_keys
from tiles.signatures.entry import TITLE as SIGNATURE
from tiles.signatures.entry import parse_signature_entry
from tiles.signatures.formats import FORMATS, TITLES
from tiles.sigstore.hashedrekord import parse_hashedrekord
from tiles.sigstore.revocation import REVOKED, parse_revocation
from tiles.sigstore.revocation import TITLE as REVOCATION


class Rekor:
    """What Rekor v2 logs of a signature (`tiles.sigstore.hashedrekord`)."""

    name = "hashedrekord"
    begins = b'{"apiVersion":"0.0.2","kind":"hashedrekord",'

    def make(self, content: Content) -> Iterator[bytes]:  # noqa: ARG002
        """Yield nothing: it takes a signature."""
        yield from ()

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

    def make(self, content: Content) -> Iterator[bytes]:  # noqa: ARG002
        """Yield nothing: it takes a signature."""
        yield from ()

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

    name = "signature"
    begins = f"{SIGNATURE}\n".encode()

    def make(self, content: Content) -> Iterator[bytes]:  # noqa: ARG002
        """Yield nothing: it takes a signature."""
        yield from ()

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
