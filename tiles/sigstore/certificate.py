"""Certificates of signers, as Fulcio issues them (https://github.com/sigstore/fulcio/blob/main/docs/
certificate-specification.md, https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md): whom they name, and what
they claim of where something was built.

Parsing verifies nothing: a certificate claims whatever its maker wrote into it, until `tiles.sigstore.keyless` has
checked who that was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tiles.errors import Malformed
from tiles.notes.encoding import is_line

if TYPE_CHECKING:
    from cryptography import x509

    from tiles.sigstore.trusted_root import Authority

MAX_CERTIFICATE_SIZE = 32 * 1024  # bytes; Fulcio's have two thousand

FULCIO = "1.3.6.1.4.1.57264.1"  # the arc of what Fulcio writes into certificates
# the last number of the object identifier → what the extension is called (oid-info.md, "Directory")
CLAIMS = {
    2: "GitHub Workflow Trigger",
    3: "GitHub Workflow SHA",
    4: "GitHub Workflow Name",
    5: "GitHub Workflow Repository",
    6: "GitHub Workflow Ref",
    9: "Build Signer URI",
    10: "Build Signer Digest",
    11: "Runner Environment",
    12: "Source Repository URI",
    13: "Source Repository Digest",
    14: "Source Repository Ref",
    15: "Source Repository Identifier",
    16: "Source Repository Owner URI",
    17: "Source Repository Owner Identifier",
    18: "Build Config URI",
    19: "Build Config Digest",
    20: "Build Trigger",
    21: "Run Invocation URI",
    22: "Source Repository Visibility At Signing",
    23: "Deployment Environment",
    24: "Token Subject",
}
_ISSUER_V1, _USERNAME, _ISSUER_V2 = 1, 7, 8  # of the same arc
_LAST_RAW = 6  # up to here values are "formatted as raw strings without any DER encoding" (oid-info.md)

# keys that sign; the library below warns about some others, on standard error, as soon as it reads them
_SIGNING_KEYS = {
    "1.2.840.10045.2.1": "ECDSA",
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.3.101.112": "Ed25519",
}

_WHAT = "certificate"
# version 3 and a serial number of at most 20 bytes that is positive (RFC 5280, 4.1.2.1 and 4.1.2.2). The library below
# only warns about other serial numbers, on standard error.
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
_BEGIN = re.compile(
    rb"\x30%b\x30%b\xa0\x03\x02\x01\x02\x02(?:\x01[\x01-\x7f]|[\x02-\x14][\x00-\x7f])" % (_LENGTH, _LENGTH), re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A name in a certificate's subject alternative name (RFC 5280, 4.2.1.6).

    kind    "email", "uri" or "username", which Sigstore's clients compare; "dns", "ip" or "other", which they do not
    value   as text
    """

    kind: str
    value: str


COMPARED = frozenset({"email", "uri", "username"})  # kinds of identities that a verifier can demand


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, of which nothing is verified; make one with `parse_certificate`.

    identities   whom it names, in the certificate's order
    issuer       who vouched for the identity (the identity token's `iss`), or ""
    fulcio       what it claims of a build: name in CLAIMS → text
    spki         DER SubjectPublicKeyInfo of its key, in the canonical encoding
    not_before, not_after   both included, in UTC
    loaded       the certificate as the library `cryptography` has it
    """

    der: bytes = field(repr=False)
    identities: tuple[Identity, ...]
    issuer: str
    fulcio: Mapping[str, str]
    spki: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    loaded: x509.Certificate = field(repr=False, compare=False)

    @property
    def repository(self) -> str:
        """The address of the repository that was built, or ""."""
        named = self.fulcio.get("GitHub Workflow Repository", "")
        return self.fulcio.get("Source Repository URI") or (f"https://github.com/{named}" if named else "")

    @property
    def commit(self) -> str:
        """What was built of it, such as a commit's hash, or ""."""
        return self.fulcio.get("Source Repository Digest") or self.fulcio.get("GitHub Workflow SHA", "")

    @property
    def workflow(self) -> str:
        """The instructions that built it, or ""."""
        return self.fulcio.get("Build Signer URI") or self.fulcio.get("GitHub Workflow Name", "")

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """What it says, for people: (name, text). The texts are the maker's."""
        return (
            *((f"identity ({identity.kind})", identity.value) for identity in self.identities),
            *((("issuer", self.issuer),) if self.issuer else ()),
            *((name.lower(), text) for name, text in self.fulcio.items()),
            ("valid from", f"{self.not_before:%Y-%m-%d %H:%M:%S} UTC"),
            ("valid until", f"{self.not_after:%Y-%m-%d %H:%M:%S} UTC"),
        )


def parse_certificate(der: bytes) -> Certificate:
    """Return what a certificate says. Raises Malformed for anything that is not one, and for odd ones.

    Odd is what readers disagree about: two issuers, claims that are not text, identities of more than one line.
    """
    from cryptography import x509

    loaded = load_certificate(der)
    if (algorithm := loaded.public_key_algorithm_oid.dotted_string) not in _SIGNING_KEYS:
        raise Malformed(_WHAT, f"its key is not of {', '.join(_SIGNING_KEYS.values())}", algorithm)
    try:
        extensions = {each.oid.dotted_string: each.value for each in loaded.extensions}
        names = [each for each in extensions.values() if isinstance(each, x509.SubjectAlternativeName)]
        identities = tuple(_identity(name) for each in names for name in each)
        claims = {
            number: _text(number, extensions[oid])
            for number in (_ISSUER_V1, *CLAIMS, _ISSUER_V2)
            if (oid := f"{FULCIO}.{number}") in extensions
        }
        spki = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise Malformed(_WHAT, "an extension or the key is not in its format") from None
    except UserWarning as warning:
        raise Malformed(_WHAT, f"the library that reads certificates warns: {warning}") from None
    issuer, older = claims.pop(_ISSUER_V2, ""), claims.pop(_ISSUER_V1, "")
    if issuer and older and issuer != older:
        raise Malformed(_WHAT, "its two extensions for the issuer name different ones", f"{issuer} {older}")
    texts = (*(each.value for each in identities), issuer, older, *claims.values())
    if odd := [text for text in texts if text and not is_line(text)]:
        raise Malformed(_WHAT, "a name or claim that is not one line of text", odd[0])
    return Certificate(
        bytes(der),
        identities,
        issuer or older,
        {CLAIMS[number]: text for number, text in claims.items() if text},
        spki,
        loaded.not_valid_before_utc,
        loaded.not_valid_after_utc,
        loaded,
    )


def load_certificate(der: bytes, what: str = _WHAT) -> x509.Certificate:
    """Return an X.509 certificate of version 3. Raises Malformed.

    what   for messages: the certificate of an authority, for instance
    """
    from cryptography import x509

    if len(der) > MAX_CERTIFICATE_SIZE:
        raise Malformed(what, f"more than {MAX_CERTIFICATE_SIZE} bytes", len(der))
    if not _BEGIN.match(der):
        raise Malformed(what, "not an X.509 certificate of version 3 with a positive serial number, in DER", der[:16])
    try:
        loaded = x509.load_der_x509_certificate(bytes(der))
        loaded.not_valid_before_utc, loaded.not_valid_after_utc  # noqa: B018  read only when it is asked for
    except (ValueError, TypeError, x509.InvalidVersion):
        raise Malformed(what, "not an X.509 certificate in DER", der[:16]) from None
    if not der.endswith(b"\0" + loaded.signature):  # a BIT STRING, in which some bits may be said to be unused
        raise Malformed(what, "its signature is not in whole bytes")
    return loaded


def load_chain(authority: Authority) -> list[x509.Certificate]:
    """Return the certificates of an authority of the trusted root, its root last. Raises Malformed."""
    return [load_certificate(each, "certificate of the trusted root") for each in authority.certificates]


def _identity(name: x509.GeneralName) -> Identity:
    from cryptography import x509

    value = name.value
    if isinstance(name, x509.RFC822Name):
        return Identity("email", str(value))
    if isinstance(name, x509.UniformResourceIdentifier):
        return Identity("uri", str(value))
    if isinstance(name, x509.OtherName):
        if name.type_id.dotted_string == f"{FULCIO}.{_USERNAME}":
            return Identity("username", _utf8_string(name.value))
        return Identity("other", f"{name.type_id.dotted_string} {name.value.hex()}")
    if isinstance(name, x509.DNSName):
        return Identity("dns", str(value))
    if isinstance(name, x509.IPAddress):
        return Identity("ip", str(value))
    if isinstance(name, x509.DirectoryName):
        return Identity("other", f"directory name {name.value.rfc4514_string()}")
    return Identity("other", f"{type(name).__name__} {getattr(value, 'dotted_string', '')}")


def _text(number: int, extension: Any) -> str:
    """Return the text of one of Fulcio's extensions. Raises ValueError if it is not in the form of its number."""
    raw: bytes = extension.value
    return raw.decode("utf-8") if number <= _LAST_RAW else _utf8_string(raw)


def _utf8_string(raw: bytes) -> str:
    from cryptography.hazmat import asn1

    return asn1.decode_der(str, raw)
