"""What entries of other people's logs say: records of Go's checksum database, and certificates.

Which kind an entry is of follows from the log's format, never from its bytes, so that no kind of our own changes: these
are read, and nothing here logs them. By what they are found is in `other_keys`. What is returned may be hostile text,
and is cut.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tiles.errors import Malformed
from tiles.records.layout_names import STATIC_CT, SUMDB
from tiles.tree.ct_bundle import CtEntry, parse_ct_entry
from tiles.tree.sumdb_bundle import check_record

if TYPE_CHECKING:
    from cryptography import x509

Said = list[tuple[str, str]]

MAX_LINES = 50  # of one entry
MAX_TEXT = 300  # characters of one of them
MAX_CERTIFICATE_SIZE = 1 << 18  # bytes that are handed to a parser of certificates

# a certificate around a TBSCertificate: signed by nobody, only so that it can be parsed
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_NO_SIGNATURE = bytes.fromhex("030100")


def describe_record(entry: bytes) -> Said:
    """Return which versions of which modules a record gives which hashes. Raises Malformed."""
    check_record(entry)
    said: Said = []
    for line in entry.decode("utf-8").splitlines():
        parts = line.split(" ")
        if len(parts) != 3:
            said.append(("Line", line))
            continue
        module, version, hash_ = parts
        label = "go.mod" if version.endswith("/go.mod") else "Module"
        said.append((label, f"{module} {version.removesuffix('/go.mod')} {hash_}"))
    return _cut(said)


def describe_certificate(entry: bytes) -> Said:
    """Return whose certificate an entry is of, by whom, and when it was logged. Raises Malformed."""
    found = parse_ct_entry(entry)
    kind = "precertificate" if found.is_precert else "certificate"
    said = [("Kind", kind), ("Logged", _time(found.timestamp))]
    if found.index is not None:
        said.append(("Index", str(found.index)))
    if found.is_precert:
        said.append(("Issuer key", found.issuer_key.hex()))
    return _cut([*said, *_certificate(found)])


DESCRIBED: dict[str, tuple[str, Callable[[bytes], Said]]] = {
    SUMDB: ("sumdb-record", describe_record),
    STATIC_CT: ("certificate", describe_certificate),
}


def kind_in(layout: str, entry: bytes) -> str:
    """Return the kind of an entry. layout: the name of the log's format; entries of tlog-tiles are of our own kinds"""
    if layout in DESCRIBED:
        return DESCRIBED[layout][0]
    from tiles.entries.kinds import kind_of  # slow to import, and not for other logs

    return kind_of(entry).name


def described(layout: str, entry: bytes) -> tuple[str, Said]:
    """Return the kind of an entry, and what it says.

    layout   the name of the log's format; entries of tlog-tiles are of our own kinds
    """
    if layout not in DESCRIBED:
        from tiles.entries.kinds import kind_of  # slow to import, and not for other logs

        kind = kind_of(entry)
        return kind.name, _cut(kind.describe(entry))
    name, describe = DESCRIBED[layout]
    try:
        return name, describe(entry)
    except Malformed as error:
        return name, [("Not readable", error.plain), ("Size", f"{len(entry)} bytes")]


def parsed_certificate(found: CtEntry) -> x509.Certificate:
    """Return the certificate in an entry; a precertificate's is signed by nobody.

    Logs take certificates that no parser of ours has to like: this, and whatever is asked of it, may raise any error.
    """
    if len(found.certificate) > MAX_CERTIFICATE_SIZE:
        raise Malformed("certificate", f"more than {MAX_CERTIFICATE_SIZE} bytes", len(found.certificate))
    from cryptography import x509  # slow to import

    with warnings.catch_warnings():  # about odd serial numbers and the like, on standard error
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(_wrapped(found.certificate) if found.is_precert else found.certificate)


def _certificate(found: CtEntry) -> Said:
    size = ("Size", f"{len(found.certificate)} bytes")
    if len(found.certificate) > MAX_CERTIFICATE_SIZE:
        return [size]
    try:
        return [*_said(parsed_certificate(found)), size]
    except Exception as error:  # noqa: BLE001  whatever it is, the rest is shown
        return [("Not readable", type(error).__name__), size]


def _said(certificate: x509.Certificate) -> Said:
    from cryptography import x509

    said = [("Subject", certificate.subject.rfc4514_string()), ("Issuer", certificate.issuer.rfc4514_string())]
    said.append(("Valid", f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"))
    said.append(("Serial", f"{certificate.serial_number:x}"))
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return said
    return [*said, *(("Name", str(name.value)) for name in names)]


def _wrapped(tbs: bytes) -> bytes:
    """Return a certificate that has this content: a SEQUENCE, with its length in as few bytes as DER has it."""
    content = tbs + _ECDSA_SHA256 + _NO_SIGNATURE
    size = len(content)
    if size < 0x80:
        return bytes([0x30, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 | len(length)]) + length + content


def _time(milliseconds: int) -> str:
    try:
        at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (OverflowError, ValueError, OSError):  # no calendar has such a year
        return f"{milliseconds} milliseconds after 1970"
    return f"{at:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d} UTC"


def _cut(said: Said) -> Said:
    shown = [(label, text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…") for label, text in said[:MAX_LINES]]
    return shown if len(said) <= MAX_LINES else [*shown, ("And", f"{len(said) - MAX_LINES} more")]
