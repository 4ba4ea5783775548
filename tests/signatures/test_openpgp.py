"""Signatures of OpenPGP: what PySequoia is asked, what is made of its answers, and what is refused before."""

from __future__ import annotations

import sys
from hashlib import sha256
from types import SimpleNamespace

import pysequoia
import pytest

from tests.support.signature_texts import DATA, PRIMARY, stored
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.signatures import openpgp
from tiles.signatures.digests import signed

KEY = openpgp.parse_key(stored("pgp_rsa.pub"))
SIGNATURE = openpgp.parse_signature(stored("pgp_rsa.asc"))


def signature_by(tsk: pysequoia.Tsk, data: bytes = DATA) -> bytes:
    """Return a detached signature, armored."""
    return bytes(pysequoia.sign(tsk.signer(), data, mode=pysequoia.SignatureMode.DETACHED))


def test_what_is_shown() -> None:
    """The fingerprint as gpg has it, of both versions of keys."""
    assert openpgp.shown(KEY) == pysequoia.Cert.from_bytes(KEY).fingerprint.upper()
    six = pysequoia.Tsk.generate(user_id="x", profile=pysequoia.Profile.RFC9580).extract_certificate()
    assert openpgp.shown(bytes(six)) == six.fingerprint.upper()
    assert len(six.fingerprint) == 64
    assert openpgp.shown(b"none") == "a key that cannot be read"


@pytest.mark.parametrize(("key", "body"), PRIMARY.items(), ids=[key[:3].hex() for key in PRIMARY])
def test_primary_keys(key: bytes, body: bytes | None) -> None:
    """What of a certificate an entry is found by."""
    assert openpgp.primary_key(key) == body
    assert openpgp.key_value(key) == (None if body is None else sha256(body).digest())


def test_a_certificate_with_subkeys() -> None:
    """A subkey signs; the certificate is found by its primary key, also with one more name."""
    tsk = pysequoia.Tsk.generate(user_id="x")
    cert = tsk.extract_certificate()
    key = openpgp.parse_key(bytes(cert))
    openpgp.check(key, openpgp.parse_signature(signature_by(tsk)), signed(DATA))
    more = openpgp.parse_key(bytes(cert.add_user_id(value="y", certifier=tsk.certifier())))
    assert more != key
    assert openpgp.key_value(more) == openpgp.key_value(key)


def test_a_certificate_that_has_expired() -> None:
    """It was valid from 1 to 11 January 2020, and the signature says that it is of the 2nd."""
    key, signature = openpgp.parse_key(stored("pgp_expired.pub")), openpgp.parse_signature(stored("pgp_expired.asc"))
    openpgp.check(key, signature, signed(DATA))
    with pytest.raises(SignatureError):
        openpgp.check(key, signature, signed(DATA + b"!"))


def test_a_revoked_certificate() -> None:
    """Its signatures do not verify any more."""
    tsk = pysequoia.Tsk.generate(user_id="x")
    cert = tsk.extract_certificate()
    revoked = openpgp.parse_key(
        bytes(cert.merge(pysequoia.Cert.from_bytes(bytes(cert) + bytes(cert.revoke(tsk.certifier())))))
    )
    with pytest.raises(SignatureError, match="wrong OpenPGP signature"):
        openpgp.check(revoked, openpgp.parse_signature(signature_by(tsk)), signed(DATA))


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("pgp_rsa_text.asc", Malformed, "line ends do not count"),
        ("pgp_rsa_sha1.asc", SignatureError, "wrong OpenPGP signature"),
        ("pgp_ed25519.asc", SignatureError, "wrong OpenPGP signature"),
    ],
)
def test_what_is_wrong(name: str, error: type[Exception], says: str) -> None:
    """A text, SHA-1, another key: the messages have one line."""
    with pytest.raises(error, match=says) as caught:
        openpgp.check(KEY, openpgp.parse_signature(stored(name)), signed(DATA))
    assert "\n" not in str(caught.value)


def test_what_is_no_key() -> None:
    """Two of them, a signature, a secret key: of that, nothing is shown."""
    tsk = pysequoia.Tsk.generate(user_id="x")
    secret = bytes(tsk)
    for data in (KEY + KEY, SIGNATURE, b"", secret, pysequoia.armor(secret, pysequoia.ArmorKind.SecretKey).encode()):
        with pytest.raises(Malformed) as caught:
            openpgp.parse_key(data)
        assert "\n" not in str(caught.value)
    with pytest.raises(Malformed, match="it is a secret key"):
        openpgp.parse_key(secret)
    with pytest.raises(Malformed, match="detached"):
        openpgp.parse_signature(b"-----BEGIN PGP SIGNED MESSAGE-----\n")


def test_each_is_written_in_one_way() -> None:
    """What follows a signature, or a packet of the old form, is not what is logged."""
    assert openpgp.parse_signature(SIGNATURE + SIGNATURE) == SIGNATURE
    old = b"\x89" + (len(SIGNATURE) - 3).to_bytes(2, "big") + SIGNATURE[3:]
    assert openpgp.parse_signature(old) == SIGNATURE
    for other in (SIGNATURE + SIGNATURE, old):
        with pytest.raises(Malformed, match="as it is written here"):
            openpgp.check(KEY, other, signed(DATA))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install; keys are still found."""
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        openpgp.check(KEY, SIGNATURE, signed(DATA))
    assert "tiletree[pgp]" in caught.value.hint
    assert openpgp.key_value(KEY)


def test_whatever_the_library_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panic of its language is an error of ours, no valid signature is a wrong one; what ends the program does."""

    monkeypatch.setattr(pysequoia, "verify", lambda **_: SimpleNamespace(valid_sigs=[]))
    with pytest.raises(SignatureError, match="wrong OpenPGP signature"):
        openpgp.check(KEY, SIGNATURE, signed(DATA))

    class PanicException(BaseException):
        pass

    def panic(_data: bytes) -> None:
        raise PanicException("at src/lib.rs\nbacktrace")

    def stop(_data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pysequoia, "Sig", type("Sig", (), {"from_bytes": staticmethod(panic)}))
    with pytest.raises(Malformed, match="cannot read it"):
        openpgp.parse_signature(SIGNATURE)
    monkeypatch.setattr(pysequoia, "Sig", type("Sig", (), {"from_bytes": staticmethod(stop)}))
    with pytest.raises(KeyboardInterrupt):
        openpgp.parse_signature(SIGNATURE)
