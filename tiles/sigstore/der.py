"""Certificates (https://www.rfc-editor.org/rfc/rfc5280#section-4.1), read for the keys by which entries are found.

docs/index-format.md, "Certificates", has the rules. What is found by an index has to follow from the bytes in the same
way everywhere and for ever, also for a certificate that somebody has made up. So this is a reader of its own, equal to
web/verifier/x509.js, and no general one: what does not decide the keys is not looked at. Nothing is verified here;
whether a certificate is a good one is for those who verify the signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tiles.errors import Malformed

MAX_TEXT_SIZE = 1024  # bytes of an identity, or of an issuer

_WHAT = "certificate"
_SEQUENCE, _INTEGER, _BITS, _OCTETS, _OID, _BOOLEAN, _UTF8 = 0x30, 0x02, 0x03, 0x04, 0x06, 0x01, 0x0C
_VERSION_3 = bytes.fromhex("a003020102")
_EXTENSIONS = 0xA3
_NAMES = bytes.fromhex("551d11")  # 2.5.29.17, subjectAltName
_FULCIO = bytes.fromhex("2b0601040183bf3001")  # 1.3.6.1.4.1.57264.1
_ISSUER, _OLD_ISSUER, _USER = _FULCIO + b"\x08", _FULCIO + b"\x01", _FULCIO + b"\x07"
_READ = (_NAMES, _ISSUER, _OLD_ISSUER)
_MAIL, _URI, _OTHER = 0x81, 0x86, 0xA0  # of GeneralName, RFC 5280 section 4.2.1.6

_Element = tuple[int, bytes, bytes]  # tag, content, and all of it


@dataclass(frozen=True, slots=True)
class CertificateClaims:
    """What a certificate says of whose it is. It may be hostile: nothing about it is verified.

    spki         the key: the DER element SubjectPublicKeyInfo
    identities   as they are written, in order: 1 to MAX_TEXT_SIZE characters of ! to ~
    issuer       of the identity, of such characters too; None if it names none
    """

    spki: bytes
    identities: tuple[str, ...]
    issuer: str | None


def read_certificate(data: bytes) -> CertificateClaims:
    """Return what a certificate says. Raises Malformed for bytes that break one of the rules."""
    whole = list(_elements(_only(data, _SEQUENCE)))
    _expect(_tags(whole) == [_SEQUENCE, _SEQUENCE, _BITS])
    parts = list(_elements(whole[0][1]))
    if parts and parts[0][2] == _VERSION_3:
        del parts[0]
    _expect(_tags(parts[:6]) == [_INTEGER, *[_SEQUENCE] * 5])
    rest = parts[6:]
    for unique in (0x81, 0x82):
        if rest and rest[0][0] == unique:
            del rest[0]
    _expect(not rest or _tags(rest) == [_EXTENSIONS])
    found = _extensions(rest[0][1]) if rest else {}
    return CertificateClaims(parts[5][2], _identities(found.get(_NAMES)), _issuer(found))


def _extensions(data: bytes) -> dict[bytes, bytes]:
    """Return the values of the extensions that are read, by object identifier."""
    found: dict[bytes, bytes] = {}
    for tag, extension, _ in _elements(_only(data, _SEQUENCE)):
        _expect(tag == _SEQUENCE)
        parts = list(_elements(extension))
        _expect(_tags(parts) in ([_OID, _OCTETS], [_OID, _BOOLEAN, _OCTETS]))
        name = parts[0][1]
        if name in _READ:
            _expect(name not in found)
            found[name] = parts[-1][1]
    return found


def _identities(names: bytes | None) -> tuple[str, ...]:
    if names is None:
        return ()
    found = [(tag, name) for tag, name, _ in _elements(_only(names, _SEQUENCE)) if tag in (_MAIL, _URI, _OTHER)]
    texts = [_user(name) if tag == _OTHER else name for tag, name in found]
    return tuple(text for text in map(_text, texts) if text is not None)


def _user(name: bytes) -> bytes:
    """Return the user's name in an otherName; b"" in one of another type."""
    parts = list(_elements(name))
    _expect(bool(parts) and parts[0][0] == _OID)
    if parts[0][1] != _USER:
        return b""
    _expect(_tags(parts) == [_OID, _OTHER])
    return _only(parts[1][1], _UTF8)


def _issuer(found: dict[bytes, bytes]) -> str | None:
    if _ISSUER in found:
        return _text(_only(found[_ISSUER], _UTF8))
    return _text(found.get(_OLD_ISSUER, b""))


def _text(data: bytes) -> str | None:
    """Return an identity or issuer as text; None for what is passed over."""
    usable = 1 <= len(data) <= MAX_TEXT_SIZE and all(0x21 <= byte <= 0x7E for byte in data)
    return data.decode("ascii") if usable else None


def _only(data: bytes, wanted: int) -> bytes:
    """Return the content of the one element of which data consists."""
    parts = list(_elements(data))
    _expect(_tags(parts) == [wanted])
    return parts[0][1]


def _tags(parts: list[_Element]) -> list[int]:
    return [tag for tag, _, _ in parts]


def _elements(data: bytes) -> Iterator[_Element]:
    """Yield tag, content and all of each element of which data consists. Raises Malformed if it does not."""
    at = 0
    while at < len(data):
        begin = at
        _expect(data[at] & 0x1F != 0x1F and at + 1 < len(data))
        size, at = data[at + 1], at + 2
        if size >= 0x80:
            digits = data[at : at + (size & 0x7F)]
            _expect(1 <= size & 0x7F <= 3 and len(digits) == size & 0x7F)
            at += len(digits)
            size = int.from_bytes(digits, "big")
            _expect(digits[0] != 0 and size >= 0x80)
        _expect(at + size <= len(data))
        yield data[begin], data[at : at + size], data[begin : at + size]
        at += size


def _expect(holds: bool) -> None:
    if not holds:
        raise Malformed(_WHAT, "not a certificate in DER")
