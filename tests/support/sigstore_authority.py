"""A Sigstore instance for tests: certificate authority, CT log, timestamp authority. Made anew in each run, never kept.

`authority()` is the one that a test trusts, `stranger()` another one, with the same names. All of it is at decided
times: `T0` is when the leaf certificates begin, which are valid for ten minutes.

    who = authority()
    leaf = who.leaf("dev@example.com")                       leaf.der, leaf.key
    token = who.timestamp(signature, at=T0 + timedelta(minutes=1))
    root = who.trusted_root(log_instance(key))               the JSON document; trusted_root_bytes for the file
"""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.timestamping import OCTETS, UTF8, Timestamp, der
from tiles.notes.keys import SignatureType, VerifierKey

T0 = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(minutes=10)
DAY = timedelta(days=1)
ISSUER = "https://oidc.example.com"
IDENTITY = "dev@example.com"

FULCIO = "1.3.6.1.4.1.57264.1"
USERNAME = x509.ObjectIdentifier(f"{FULCIO}.7")
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")

# of a workflow, as GitHub's tokens give them: docs/oid-info.md of Fulcio
WORKFLOW = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1.0"
WORKFLOW_ISSUER = "https://token.actions.githubusercontent.com"
WORKFLOW_CLAIMS = {
    9: WORKFLOW,
    10: "1f" * 20,
    11: "github-hosted",
    12: "https://github.com/example/app",
    13: "2e" * 20,
    14: "refs/tags/v1.0",
    18: WORKFLOW,
    20: "push",
    21: "https://github.com/example/app/actions/runs/1/attempts/1",
}


def key_of(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """Return a new key, of P-256 if nothing else is said."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def spki_of(key: Any) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a private or public key."""
    public = key.public_key() if hasattr(key, "public_key") else key
    return bytes(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def utf8_string(text: str) -> bytes:
    """Return text as a DER UTF8String."""
    return der(UTF8, text.encode())


def general_name(text: str) -> x509.GeneralName:
    """Return a URI, an e-mail address, or a user name (otherName), by what the text looks like."""
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    if "@" in text:
        return x509.RFC822Name(text)
    return x509.OtherName(USERNAME, utf8_string(text))


def name_of(common_name: str) -> x509.Name:
    """Return the name of an authority."""
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "example.com")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def usage(**true: bool) -> x509.KeyUsage:
    """Return a key usage of which only the named bits are set."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: true.get(name, False) for name in names})


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        """The certificate's bytes."""
        return self.certificate.public_bytes(Encoding.DER)


def issue(
    subject: x509.Name,
    by: Signed | None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    *,
    key: Any = None,
    begin: datetime = T0 - 100 * DAY,
    end: datetime = T0 + 1000 * DAY,
    serial: int | None = None,
) -> Signed:
    """Return a certificate with these extensions and (value, critical) of the key identifiers; by itself if by None."""
    key = key or key_of()
    signer = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return Signed(builder.sign(signer, hashes.SHA256()), key)


def certificate_authority(common_name: str, by: Signed | None = None, **options: Any) -> Signed:
    """Return a root, or an intermediate by one, as Fulcio's certificate specification wants them."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(True, 0 if by else 1), True),
        (usage(key_cert_sign=True, crl_sign=True), True),
    ]
    if by:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False))
    return issue(name_of(common_name), by, extensions, **options)


def timestamp_leaf(by: Signed, **options: Any) -> Signed:
    """Return the certificate that a timestamp authority signs with (RFC 3161, 2.3)."""
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    return issue(name_of("tsa"), by, [(usage(digital_signature=True), True), (purposes, True)], **options)


@dataclass(frozen=True)
class Sct:
    """A signed certificate timestamp (https://www.rfc-editor.org/rfc/rfc6962#section-3.2), and what may be odd in it.

    at           when the CT log took the certificate: the leaf's begin, if nothing is said
    extensions   of the SCT, which are signed too
    key          of the CT log, if not the authority's
    """

    at: datetime | None = None
    extensions: bytes = b""
    key: Any = None
    algorithm: bytes = b"\4\3"  # sha256, ecdsa
    version: int = 0

    def encoded(self, precertificate: bytes, issuer_spki: bytes, key: Any, begin: datetime) -> bytes:
        """Return the SCT of a certificate, whose TBSCertificate without SCTs this is."""
        key = self.key or key
        milliseconds = round((self.at or begin).timestamp() * 1000)
        extensions = struct.pack(">H", len(self.extensions)) + self.extensions
        signed = (
            struct.pack(">BBQH", self.version, 0, milliseconds, 1)
            + sha256(issuer_spki).digest()
            + len(precertificate).to_bytes(3, "big")
            + precertificate
            + extensions
        )
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        sign = (padding.PKCS1v15(), hashes.SHA256()) if is_rsa else (ec.ECDSA(hashes.SHA256()),)
        signature = key.sign(signed, *sign)
        return (
            struct.pack(">B", self.version)
            + sha256(spki_of(key)).digest()
            + struct.pack(">Q", milliseconds)
            + extensions
            + self.algorithm
            + struct.pack(">H", len(signature))
            + signature
        )


def sct_list(scts: Iterable[bytes]) -> x509.UnrecognizedExtension:
    """Return the extension that holds these SCTs (RFC 6962, 3.3)."""
    entries = b"".join(struct.pack(">H", len(each)) + each for each in scts)
    return x509.UnrecognizedExtension(SCT_LIST, der(OCTETS, struct.pack(">H", len(entries)) + entries))


@dataclass(frozen=True)
class Authority:
    """Whoever issues certificates and timestamps, and the CT log that the certificates are in."""

    root: Signed = field(default_factory=lambda: certificate_authority("root"))
    intermediate: Signed = field(init=False)
    tsa_root: Signed = field(default_factory=lambda: certificate_authority("tsa root"))
    tsa: Signed = field(init=False)
    ct_key: ec.EllipticCurvePrivateKey = field(default_factory=key_of)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intermediate", certificate_authority("intermediate", self.root))
        object.__setattr__(self, "tsa", timestamp_leaf(self.tsa_root))

    def leaf(
        self,
        *names: str | x509.GeneralName,
        issuer: str | None = ISSUER,
        issuer_v1: str | None = None,
        claims: Mapping[int, str] | None = None,
        begin: datetime = T0,
        lifetime: timedelta = LIFETIME,
        key: Any = None,
        scts: tuple[Sct, ...] = (Sct(),),
        by: Signed | None = None,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] | None = None,
        added: Iterable[tuple[x509.ExtensionType, bool]] = (),
    ) -> Signed:
        """Return a certificate as Fulcio issues it.

        names        the identities: `general_name` says what text becomes; IDENTITY if there are none
        issuer       of the identity token, OID …1.8; issuer_v1: the older OID …1.1, the same if None, none if ""
        claims       last number of the OID → text: repository, workflow …; WORKFLOW_CLAIMS is such a table
        by           who signs it, if not the intermediate
        extensions   key usage and extended key usage (value, critical), instead of the right ones
        added        further extensions
        """
        by = by or self.intermediate
        key = key or key_of()
        if extensions is None:
            purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
            extensions = [(usage(digital_signature=True), True), (purposes, False)]
        sans = [general_name(each) if isinstance(each, str) else each for each in names or (IDENTITY,)]
        texts = dict(claims or {}) | ({8: issuer} if issuer is not None else {})
        every: list[tuple[x509.ExtensionType, bool]] = [
            *extensions,
            (x509.SubjectAlternativeName(sans), True),
            *((_claim(number, text), False) for number, text in sorted(texts.items())),
            *added,
        ]
        if issuer_v1 := issuer if issuer_v1 is None else issuer_v1:
            every.append((x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}.1"), issuer_v1.encode()), False))
        serial = x509.random_serial_number()

        def made(*more: tuple[x509.ExtensionType, bool]) -> Signed:
            end = begin + lifetime
            return issue(x509.Name([]), by, [*every, *more], key=key, begin=begin, end=end, serial=serial)

        if not scts:
            return made()
        before = made((sct_list([b"-"]), False)).certificate.tbs_precertificate_bytes
        signed = [each.encoded(before, spki_of(by.key), self.ct_key, begin) for each in scts]
        return made((sct_list(signed), False))

    def timestamp(
        self, data: bytes, timestamp: Timestamp | None = None, *, at: datetime = T0 + timedelta(minutes=1)
    ) -> bytes:
        """Return a timestamp of data, most often a signature, as bytes of a TimeStampResp."""
        return (timestamp or Timestamp(at)).response(data, self.tsa.certificate, self.tsa.key)

    def trusted_root(self, *tlogs: dict[str, Any]) -> dict[str, Any]:
        """Return a trusted root that all clients read, with these logs (`log_instance`)."""
        ct_spki = spki_of(self.ct_key)
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": list(tlogs),
            "certificateAuthorities": [_chain(self.intermediate, self.root)],
            "ctlogs": [
                _instance("https://ct.example.com", ct_spki, "PKIX_ECDSA_P256_SHA_256", sha256(ct_spki).digest())
            ],
            "timestampAuthorities": [_chain(self.tsa, self.tsa_root)],
        }

    def trusted_root_bytes(self, *tlogs: dict[str, Any]) -> bytes:
        """Return the trusted root as a file."""
        return json.dumps(self.trusted_root(*tlogs)).encode()


def log_instance(key: VerifierKey, base_url: str | None = None) -> dict[str, Any]:
    """Return what a trusted root says of a log with an Ed25519 key, whose name is the log's origin."""
    assert key.type == SignatureType.ED25519
    full = sha256(f"{key.name}\n".encode() + b"\1" + key.public).digest()
    spki = spki_of(Ed25519PublicKey.from_public_bytes(key.public))
    return _instance(base_url or f"https://{key.name}", spki, "PKIX_ED25519", full)


def period(start: datetime = T0 - 100 * DAY, end: datetime | None = None) -> dict[str, str]:
    """Return a validFor."""
    texts = {"start": start, "end": end}
    return {name: f"{at.isoformat().removesuffix('+00:00')}Z" for name, at in texts.items() if at}


def _instance(url: str, spki: bytes, details: str, key_id: bytes) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": _base64(spki), "keyDetails": details, "validFor": period()},
        "logId": {"keyId": _base64(key_id)},
    }


def _chain(*chain: Signed) -> dict[str, Any]:
    return {
        "subject": {"organization": "example.com", "commonName": "example.com"},
        "uri": "https://authority.example.com",
        "certChain": {"certificates": [{"rawBytes": _base64(each.der)} for each in chain]},
        "validFor": period(),
    }


def _claim(number: int, text: str) -> x509.UnrecognizedExtension:
    raw = text.encode() if number <= 6 else utf8_string(text)  # up to 6 they are plain text
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}.{number}"), raw)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


@cache
def authority() -> Authority:
    """Return the instance that tests trust, the same one in a whole run."""
    return Authority()


@cache
def stranger() -> Authority:
    """Return another instance, whose certificates have the same names and other keys."""
    return Authority()
