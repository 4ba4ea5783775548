"""Keys on tokens that speak PKCS#11 (OASIS, "PKCS #11 Specification Version 3.1"): CKM_EDDSA and CKM_ECDSA.

The library of the token's maker is loaded into this process. The PIN is taken from the URI, from the file that the URI
names, or from $TILETREE_PKCS11_PIN; the library from the URI, or from $TILETREE_PKCS11_MODULE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tiles.errors import AccessError, Denied, NotFound, Refused, UsageError
from tiles.signing.pkcs11_uri import TokenKey
from tiles.signing.service_key import Busy
from tiles.user.files import read_private

PIN_TEXT, MODULE = "TILETREE_PKCS11_PIN", "TILETREE_PKCS11_MODULE"  # variables
MAX_PIN_FILE = 4096  # bytes

_P256 = bytes.fromhex("06082a8648ce3d030107")  # CKA_EC_PARAMS, the curve's object identifier in DER
_OCTETS = 0x04  # the tag of a DER OCTET STRING; also the first byte of a point that is not compressed
_PIN_HINT = f"it is in the URI (pin-value), in a file (pin-source=file:FILE), or in ${PIN_TEXT}"
_TOKENS = "`pkcs11-tool --module FILE -L` lists tokens, `-O` what is on one"
_TRANSIENT = ("DeviceError", "DeviceMemory", "DeviceRemoved", "FunctionFailed", "GeneralError", "HostMemory")
_SESSION = ("SessionClosed", "SessionHandleInvalid", "UserNotLoggedIn", "ObjectHandleInvalid", "KeyHandleInvalid")


class Token:
    """One key on a token. where: its place, as it is shown"""

    def __init__(self, where: str, key: TokenKey) -> None:
        self.where = where
        self._key = key
        self._session: Any = None
        self._lock = Lock()  # a session has one operation at a time

    def public(self) -> bytes:
        """Return the public half, a DER SubjectPublicKeyInfo. Raises as `Service` says."""
        with self._asking() as p11:
            self._private(p11)  # what shows a public key and has no private one to it does not sign
            return self._spki(p11, self._find(p11, p11.ObjectClass.PUBLIC_KEY, "public half of a key"))

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over a message."""
        with self._asking() as p11:
            return bytes(self._private(p11).sign(message, mechanism=p11.Mechanism.EDDSA))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the ECDSA signature, in DER, over what has this SHA-256."""
        with self._asking() as p11:
            raw = bytes(self._private(p11).sign(digest, mechanism=p11.Mechanism.ECDSA))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """Give pkcs11, for one operation. Its errors become ours, and show no value of the token."""
        try:
            import pkcs11
        except ImportError:
            raise UsageError(
                f"for {self.where}, python-pkcs11 is needed", hint="pip install 'tiletree[pkcs11]'"
            ) from None
        with self._lock:
            try:
                if self._session is None:
                    self._session = self._open(pkcs11)
                yield pkcs11
            except pkcs11.PKCS11Error as error:
                name = type(error).__name__
                if name in _SESSION + _TRANSIENT:
                    self._session = None  # opened again by the next try
                raise self._trouble(name) from None

    def _open(self, p11: Any) -> Any:
        key, module = self._key, self._key.module or os.environ.get(MODULE, "")
        if not module:
            raise UsageError(
                f"{self.where}: the library that speaks to the token is not named",
                hint=f"add module-path=FILE to the URI, or set ${MODULE}",
            )
        if not Path(module).is_file():
            raise UsageError(f"{self.where}: there is no library {module}", hint="the maker of the token has it")
        pin = self._pin()
        try:
            library = p11.lib(module)
        except RuntimeError as error:
            if type(error) not in (RuntimeError, p11.PKCS11Error):
                raise  # an answer of the library, which was loaded
            raise UsageError(f"{self.where}: {module} is no library of PKCS#11") from None
        tokens = [token for token in library.get_tokens() if _is_meant(key, token)]
        if len(tokens) != 1:
            found = "no such token" if not tokens else f"{len(tokens)} such tokens"
            kind = AccessError if not tokens else UsageError
            raise kind(f"{self.where}: there is {found}", hint=_TOKENS)
        try:
            return tokens[0].open(user_pin=pin)
        except p11.UserAlreadyLoggedIn:  # for another key of the token: a process logs in once, for all its sessions
            return tokens[0].open()

    def _pin(self) -> str:
        if self._key.pin:
            return self._key.pin
        if not self._key.pin_file:
            if pin := os.environ.get(PIN_TEXT):
                return pin
            raise UsageError(f"{self.where}: the PIN of the token is not known", hint=_PIN_HINT)
        data = read_private(Path(self._key.pin_file), MAX_PIN_FILE)
        if data is None:
            raise UsageError(f"{self.where}: there is no file {self._key.pin_file} with the PIN", hint=_PIN_HINT)
        try:
            return data.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise UsageError(f"{self.where}: what is in {self._key.pin_file} is no PIN") from None

    def _private(self, p11: Any) -> Any:
        return self._find(p11, p11.ObjectClass.PRIVATE_KEY, "private key")

    def _find(self, p11: Any, kind: Any, what: str) -> Any:
        named = {"label": self._key.label or None, "id": self._key.id or None}
        try:
            return self._session.get_key(object_class=kind, **named)
        except p11.NoSuchKey:
            raise NotFound(f"{self.where}: there is no such {what} on the token", hint=_TOKENS) from None
        except p11.MultipleObjectsReturned:
            raise UsageError(f"{self.where}: there are several such keys", hint="name one by id=%01, too") from None

    def _spki(self, p11: Any, key: Any) -> bytes:
        public: Ed25519PublicKey | ec.EllipticCurvePublicKey
        try:
            if key.key_type == p11.KeyType.EC_EDWARDS:
                public = Ed25519PublicKey.from_public_bytes(_unwrapped(bytes(key[p11.Attribute.EC_POINT]), 32))
            elif key.key_type == p11.KeyType.EC and bytes(key[p11.Attribute.EC_PARAMS]) == _P256:
                point = _unwrapped(bytes(key[p11.Attribute.EC_POINT]), 65)
                public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            else:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"{self.where}: the key is neither Ed25519 nor ECDSA P-256", hint="docs/keys.md has the commands"
            ) from None
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def _trouble(self, name: str) -> AccessError | UsageError | Refused:
        if name.startswith("Pin") or name == "UserPinNotInitialized":
            again = "; do not try again blindly: most tokens lock after a few wrong ones"
            return Denied(f"{self.where}: the token does not take the PIN ({name})", hint=f"{_PIN_HINT}{again}")
        if name in _SESSION + _TRANSIENT:
            return Busy(
                f"{self.where}: the token did not answer ({name})", hint="look whether it is there, and its log"
            )
        if name in ("MechanismInvalid", "KeyTypeInconsistent", "FunctionNotSupported", "MechanismParamInvalid"):
            return UsageError(f"{self.where}: the token does not sign like that ({name})", hint=_TOKENS)
        return AccessError(f"{self.where}: the token answers {name}", hint=_TOKENS)


def _is_meant(key: TokenKey, token: Any) -> bool:
    """Whether a token has all that the URI says of it."""
    serial = token.serial.decode("utf-8", "replace") if isinstance(token.serial, bytes) else str(token.serial)
    said = (key.token, token.label), (key.manufacturer, token.manufacturer_id), (key.model, token.model)
    return (
        all(wanted in ("", found.rstrip()) for wanted, found in said)
        and key.serial in ("", serial.rstrip(" \0"))
        and key.slot in (None, token.slot.slot_id)
    )


def _unwrapped(point: bytes, size: int) -> bytes:
    """Return a point that a token gives as it is, or in a DER OCTET STRING, as the specification says."""
    return point[2:] if len(point) == size + 2 and point[:2] == bytes([_OCTETS, size]) else point
