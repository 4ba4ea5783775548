"""Keys on a token, by SoftHSM: what is signed, and what keeps a token from signing."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tiles.errors import AccessError, Denied, NotFound, Refused, TilesError, UsageError
from tiles.signing.key_place import parse_key_place
from tiles.signing.pkcs11_token import MODULE, PIN_TEXT, Token
from tiles.signing.service_key import HeldKey, ServiceArtifactKey, ServiceKey
from tiles.sigstore.public_key import verify_digest

if TYPE_CHECKING:
    from tests.support.softhsm import SoftToken

pytest_plugins = ["tests.support.softhsm"]
DIGEST = sha256(b"content").digest()


def token(uri: str) -> Token:
    """Return the key that a URI names."""
    place = parse_key_place(uri)
    return Token(str(place), place.pkcs11)


@pytest.fixture(autouse=True)
def _environment(soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PIN_TEXT, soft_token.pin)
    monkeypatch.delenv(MODULE, raising=False)


def test_two_keys_of_one_token(soft_token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process logs in once, and signs checkpoints with one key and artifacts with the other."""
    (tmp_path / "pin").write_text(f"{soft_token.pin}\n")
    (tmp_path / "pin").chmod(0o600)
    log = ServiceKey("log.example.com", HeldKey(token(soft_token.uri("ed", f"pin-source={tmp_path}/pin"))))
    monkeypatch.delenv(PIN_TEXT)
    art = ServiceArtifactKey(HeldKey(token(soft_token.uri("p256", f"pin-value={soft_token.pin}"))))
    for _ in range(2):
        assert log.sign(b"text") == log.sign(b"text")  # which are verified
        verify_digest(art.public, DIGEST, art.sign_digest(DIGEST))
    by_id = f"pkcs11:token=log;id=%02?module-path={soft_token.module}&pin-value={soft_token.pin}"
    assert ServiceArtifactKey(HeldKey(token(by_id))).sign_digest(DIGEST)


@pytest.mark.parametrize(
    ("label", "error", "message"),
    [
        ("none", NotFound, "there is no such private key on the token"),
        ("half", NotFound, "there is no such private key on the token"),
        ("twice", UsageError, "there are several such keys"),
        ("rsa", UsageError, "neither Ed25519 nor ECDSA P-256"),
    ],
)
def test_keys_that_do_not_sign(soft_token: SoftToken, label: str, error: type[TilesError], message: str) -> None:
    """None, half of one, more than one, one of another kind."""
    with pytest.raises(error, match=message):
        token(soft_token.uri(label)).public()


def test_pins(soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wrong one is not tried twice; without one, nothing is asked. None is shown."""
    import pkcs11

    tries = 0

    def refuse(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1
        raise pkcs11.PinIncorrect

    monkeypatch.delenv(PIN_TEXT)
    with pytest.raises(UsageError, match="the PIN of the token is not known"):
        token(soft_token.uri("ed")).public()
    with pytest.raises(UsageError, match="there is no file"):
        token(soft_token.uri("ed", "pin-source=/nowhere")).public()
    (tmp_path / "pin").write_text(soft_token.pin)
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(Refused):
        token(soft_token.uri("ed", f"pin-source={tmp_path}/pin")).public()
    monkeypatch.setattr(Token, "_open", refuse)
    with pytest.raises(Denied, match=r"does not take the PIN \(PinIncorrect\)") as caught:
        HeldKey(token(soft_token.uri("ed", "pin-value=s3cr3t"))).spki  # noqa: B018
    assert (tries, "s3cr3t" in caught.value.message) == (1, False)


def test_libraries_and_tokens(soft_token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None named, none there, one of something else; a token that is not there; the package that is not installed."""
    (tmp_path / "m.so").write_bytes(b"no library")
    for uri, error, message in (
        ("pkcs11:object=ed", UsageError, "the library that speaks to the token is not named"),
        ("pkcs11:object=ed?module-path=/nowhere.so", UsageError, "there is no library"),
        (f"pkcs11:object=ed?module-path={tmp_path}/m.so", UsageError, "is no library of PKCS#11"),
        (f"pkcs11:token=other;object=ed?module-path={soft_token.module}", AccessError, "there is no such token"),
        (f"pkcs11:token=log;model=x;object=ed?module-path={soft_token.module}", AccessError, "no such token"),
    ):
        with pytest.raises(error, match=message):
            token(uri).public()
    monkeypatch.setenv(MODULE, str(soft_token.module))
    assert token("pkcs11:token=log;object=ed;manufacturer=SoftHSM%20project").public()
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(UsageError, match="python-pkcs11 is needed") as caught:
        token("pkcs11:token=log;object=ed").public()
    assert caught.value.hint == "pip install 'tiletree[pkcs11]'"
