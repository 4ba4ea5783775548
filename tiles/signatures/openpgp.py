"""Certificates and detached signatures of OpenPGP (https://www.rfc-editor.org/rfc/rfc9580), verified by PySequoia.

What is hand-written here finds the first packet of a certificate, no more. PySequoia has Sequoia's standard policy,
which goes by the machine's clock: what rests on SHA-1, on a key that had expired at the time that the signature states,
or on one that is revoked, does not verify. It is an extra, as few need it.

A signature that is logged is one packet, and a certificate the packets of one, both as Sequoia writes them. Of a
signature, the unhashed subpackets (section 5.2.3) are signed by nobody: who changes them has another entry, and it
verifies just the same.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any, cast

from tiles.errors import Malformed, SignatureError, UsageError
from tiles.signatures.digests import WHOLE, Signed

if TYPE_CHECKING:
    from collections.abc import Callable

_WHAT_KEY, _WHAT = "OpenPGP certificate", "OpenPGP signature"
_PUBLIC_KEY = 0xC6  # section 4.2.1: the first octet of a packet with the type 6, Public Key (section 5.5.1.1)
_REASON = 200  # characters of what the library says
_SECRET = (b"\x94", b"\x95", b"\x96", b"\xc5")  # first octets of a Secret Key packet, in both forms (section 4.2)


def parse_key(data: bytes) -> bytes:
    """Return the certificate in a file, armored or not. Raises Malformed, also for a secret key."""
    if b"PRIVATE KEY BLOCK" in data[:200] or data.startswith(_SECRET):
        raise Malformed(_WHAT_KEY, "it is a secret key; name the public one, as `gpg --export` writes it")
    return _certificate(data)[1]


def parse_signature(data: bytes) -> bytes:
    """Return the detached signature in a file, armored or not; of several the first. Raises Malformed."""
    if data.startswith(b"-----BEGIN PGP SIGNED MESSAGE-----"):
        raise Malformed(_WHAT, "a signed message; make a detached signature, with `gpg --detach-sign`")
    return _signature(data)[1]


def signed_digest(_signature: bytes) -> str:
    """Return that a signature is over the file itself: its hash has the file and then more (section 5.2.4)."""
    return WHOLE


def check(key: bytes, signature: bytes, file: Signed) -> None:
    """Verify a signature over a file by the certificate that the verifier names.

    Raises SignatureError, or Malformed.
    """
    certificate, as_written = _certificate(key)
    found, found_as_written, kind = _signature(signature)
    if as_written != key or found_as_written != signature:
        raise Malformed(_WHAT, "it, or the certificate, is not one of its kind as it is written here")
    if kind != "SignatureType.Binary":  # section 5.2.1.1: 0x00
        raise Malformed(_WHAT, "over a text, of which line ends do not count; sign without --textmode")
    over = file.whole

    def verify(library: Any) -> bool:
        result = library.verify(bytes=over, store=lambda _: [certificate], signature=found)
        return [each.certificate for each in result.valid_sigs] == [certificate.fingerprint]

    with suppress(Malformed):  # it has one kind of error for whatever is wrong
        if _sequoia(_WHAT, verify):
            return
    raise SignatureError(
        f"wrong OpenPGP signature: it is not valid, by {shown(key)} over this file",
        hint="it is of another file or key, or rests on SHA-1, or its key had expired, or is revoked",
    )


def shown(key: bytes) -> str:
    """Return the fingerprint of a certificate in upper-case hexadecimal (section 5.5.4), as gpg shows it."""
    body = primary_key(key)
    if body is None:
        return "a key that cannot be read"
    if body[:1] == b"\x06":
        return sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    return sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()


def key_value(key: bytes) -> bytes | None:
    """Return by what an entry is found: SHA-256 of the body of the certificate's first packet, its primary key.

    So it is found by it also once the certificate has got more signatures, names or subkeys. None: it has no such
    packet.
    """
    body = primary_key(key)
    return None if body is None else sha256(body).digest()


def primary_key(key: bytes) -> bytes | None:
    """Return the body of the first packet if it is a Public Key, with one of the lengths of section 4.2.1."""
    if len(key) < 2 or key[0] != _PUBLIC_KEY:
        return None
    start, size = 2, key[1]
    if 192 <= size < 224:
        if len(key) < 3:
            return None
        start, size = 3, ((size - 192) << 8) + key[2] + 192
    elif size >= 224:
        return None  # a partial length, or one of more than 8383 octets: no key has one
    body = key[start : start + size]
    return body if len(body) == size and size else None


def _certificate(data: bytes) -> tuple[Any, bytes]:
    """Return a certificate, and how the library writes it. Raises Malformed."""

    def read(library: Any) -> tuple[Any, bytes]:
        found = library.Cert.from_bytes(data)
        return found, bytes(found)

    return cast("tuple[Any, bytes]", _sequoia(_WHAT_KEY, read))


def _signature(data: bytes) -> tuple[Any, bytes, str]:
    """Return a signature, how the library writes it, and its type. Raises Malformed."""

    def read(library: Any) -> tuple[Any, bytes, str]:
        found = library.Sig.from_bytes(data)
        return found, bytes(found), str(found.signature_type)

    return cast("tuple[Any, bytes, str]", _sequoia(_WHAT, read))


def _sequoia(what: str, call: Callable[[Any], Any]) -> Any:
    """Return what a call of the library returns. Raises Malformed for whatever it raises; UsageError without it."""
    try:
        import pysequoia  # slow, and most have no use for it
    except ImportError:
        raise UsageError(
            "OpenPGP signatures are verified by PySequoia, which is not installed",
            hint="install tiletree[pgp]; SSH and minisign need nothing more",
        ) from None
    try:
        return call(pysequoia)
    except Exception as error:  # noqa: BLE001  it has one kind of error for all
        raise Malformed(what, str(error).partition("\n")[0][:_REASON]) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of its language: no subclass of Exception
            raise Malformed(what, "the library cannot read it") from None
        raise
