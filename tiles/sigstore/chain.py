"""From a signer's certificate to an authority that the verifier trusts (https://www.rfc-editor.org/rfc/rfc5280#section-6;
https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md), at the time of the signature.

That time is a verified one, and never the clock's: Fulcio's certificates are over after ten minutes. The path itself is
the library's (`cryptography.x509.verification`): signatures, validity, basic constraints, path lengths, name
constraints, critical extensions that nobody knows. What a code signing certificate is comes on top, in `_policies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from tiles.errors import Malformed, VerificationError
from tiles.sigstore.certificate import Certificate, load_certificate, load_chain
from tiles.sigstore.trusted_root import Authority

if TYPE_CHECKING:
    from cryptography import x509

MAX_DEPTH = 4  # authorities between the signer's certificate and the root
MAX_INTERMEDIATES = 8  # that a signer may add

_EXHAUSTED = "candidates exhausted: "
# RFC 5280, 4.2.1: last number of the object identifier → name
_EXTENSIONS = {
    14: "subject key identifier",
    15: "key usage",
    17: "subject alternative name",
    19: "basic constraints",
    30: "name constraints",
    35: "authority key identifier",
    37: "extended key usage",
}
_REASON = 200  # characters of what the library says, which may hold names that the certificate's maker chose


def verify_chain(
    certificate: Certificate, authorities: Sequence[Authority], at: datetime, added: Sequence[bytes] = ()
) -> tuple[x509.Certificate, ...]:
    """Return the path from a certificate to the root of an authority, both included, as it was valid at a time.

    authorities   of the trusted root; one that is not trusted at that time (`period`) is left out
    at            the time of the signature, with its zone
    added         further certificates, DER, in which a path may be looked for. They make nothing trusted
    Raises VerificationError that says why, of each authority; Malformed for what was added.
    """
    if len(added) > MAX_INTERMEDIATES:
        raise Malformed("certificate chain", f"{len(added)} certificates, {MAX_INTERMEDIATES} are the most")
    when = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if not certificate.not_before <= at <= certificate.not_after:
        raise VerificationError(
            f"the certificate was not valid when this was signed, at {when}: it is valid from "
            f"{certificate.not_before:%Y-%m-%d %H:%M:%S} to {certificate.not_after:%Y-%m-%d %H:%M:%S} UTC"
        )
    reasons = []
    others = tuple(load_certificate(each) for each in added)
    for authority in authorities:
        if not authority.period.holds(at):
            reasons.append(f"{authority.called} is not trusted at that time")
            continue
        try:
            *lower, root = load_chain(authority)
        except Malformed as error:  # of a kind that is newer, or older, than this library
            reasons.append(f"{authority.called}: {error.message}")
            continue
        path = _path(certificate, (*lower, *others), root, at)
        if not isinstance(path, str):
            return path
        reasons.append(f"{authority.called}: {path}")
    found = "; ".join(reasons) or "the trusted root has none"
    raise VerificationError(
        f"no certificate authority of the trusted root has issued this certificate, at {when}: {found}",
        hint="" if authorities else "add certificateAuthorities to the trusted root, or demand a key",
    )


def _path(
    certificate: Certificate, lower: Sequence[x509.Certificate], root: x509.Certificate, at: datetime
) -> tuple[x509.Certificate, ...] | str:
    """Return the path to this root, or why there is none."""
    from cryptography.x509 import UnsupportedGeneralNameType, verification

    ca_policy, ee_policy = _policies()
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([root]))
        .time(at)
        .max_chain_depth(MAX_DEPTH)
        .extension_policies(ca_policy=ca_policy, ee_policy=ee_policy)
        .build_client_verifier()
    )
    try:
        path = tuple(verifier.verify(certificate.loaded, list(lower)).chain)
    except (verification.VerificationError, UnsupportedGeneralNameType, ValueError) as error:
        return _plain(error)
    late = [each for each in path if not each.not_valid_before_utc <= at <= each.not_valid_after_utc]
    return "a certificate of the path is not valid at that time" if late else path  # the library compares seconds


@cache
def _policies() -> tuple[Any, Any]:
    """Return what extensions authorities and signers have to have.

    certificate-specification.md, "Intermediate Certificate": if an authority's purposes are limited, code signing is
    among them. "Issued Certificate": key usage digital signature, extended key usage code signing.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    signing = ExtendedKeyUsageOID.CODE_SIGNING

    def issues(_policy: object, _certificate: x509.Certificate, purposes: x509.ExtendedKeyUsage | None) -> None:
        if purposes is not None and signing not in purposes:
            raise ValueError("an authority that is not for code signing")

    def signs(_policy: object, _certificate: x509.Certificate, purposes: x509.ExtendedKeyUsage) -> None:
        if signing not in purposes:
            raise ValueError("the certificate is not for code signing")

    def usable(_policy: object, _certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
        if not usage.digital_signature:
            raise ValueError("the certificate's key is not for digital signatures")

    any_criticality = Criticality.AGNOSTIC
    ca_policy = ExtensionPolicy.webpki_defaults_ca().may_be_present(x509.ExtendedKeyUsage, any_criticality, issues)
    ee_policy = (
        ExtensionPolicy.webpki_defaults_ee()
        .require_present(x509.ExtendedKeyUsage, any_criticality, signs)
        .require_present(x509.KeyUsage, any_criticality, usable)
    )
    return ca_policy, ee_policy


def _plain(error: Exception) -> str:
    """Return what the library says, without what it prints of a certificate, and with names for extensions."""
    text = str(error).partition(" (encountered processing")[0].removeprefix("validation failed: ")
    text = text.replace("Python extension validator failed: ValueError: ", "")
    for number, name in _EXTENSIONS.items():
        text = text.replace(f"invalid extension: 2.5.29.{number}:", f"extension {name}:")
    if text.startswith(_EXHAUSTED):
        text = f"an authority that could have issued it: {text.removeprefix(_EXHAUSTED)}"
    return text[:_REASON]
