"""Revocations, and bytes that nearly are: what is found of each."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

HEX = sha256(b"").hexdigest()
VKEY = "log.example.com+d57f2dee+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"  # of the seed 00 01 … 1f
ID = "https://github.com/Org/repo"


def revocation(
    what: str = f"sha256 {HEX}", reason: str = "broken", by: str = f"log {VKEY}", signature: bytes = bytes(64)
) -> bytes:
    """Return what is a revocation if its parts are right."""
    encoded = b64encode(signature).decode()
    return f"tiletree/revocation/v1\n{what}\nreason {reason}\nby {by}\nsignature {encoded}\n".encode()


def key(size: int) -> str:
    """Return a line of a key that is a number of bytes."""
    return f"key {b64encode(bytes(size)).decode()}"


ONE = revocation()

# entry → what it revokes; None: it is raw
REVOCATIONS: dict[bytes, str | None] = {
    ONE: f"sha256 {HEX}",
    revocation(f"key {HEX}", by=key(91)): f"key {HEX}",
    revocation(f"identity {ID}"): f"identity {ID}",
    revocation("identity @example.com"): "identity @example.com",
    revocation(f"identity {'x' * 1024}"): f"identity {'x' * 1024}",
    revocation(reason="%0B".replace("0B", "7F")): f"sha256 {HEX}",
    revocation(reason="a%2Fb%20%C3%A9%E2%80%A8"): f"sha256 {HEX}",
    revocation(reason="%C3%A9" * 512): f"sha256 {HEX}",
    revocation(by=key(1), signature=b"s"): f"sha256 {HEX}",
    revocation(by=key(2048), signature=bytes(2048)): f"sha256 {HEX}",
    revocation(by=f"log {'v' * 1024}"): f"sha256 {HEX}",
    revocation(f"sha256 {HEX.upper()}"): None,
    revocation(f"sha256 {HEX[1:]}"): None,
    revocation(f"key {HEX}0"): None,
    revocation(f"leaf {HEX}"): None,
    revocation("identity HTTPS://github.com/Org"): None,
    revocation("identity A@b"): None,
    revocation("identity a b"): None,
    revocation("identity é"): None,
    revocation("identity "): None,
    revocation(f"identity {'x' * 1025}"): None,
    revocation(reason=""): None,
    revocation(reason="a b"): None,
    revocation(reason="a/b"): None,
    revocation(reason="%2f"): None,
    revocation(reason="%61"): None,
    revocation(reason="%"): None,
    revocation(reason="%0A"): None,
    revocation(reason="%1F"): None,
    revocation(reason="%FF"): None,
    revocation(reason="%ED%A0%80"): None,
    revocation(reason="%C3%A9" * 513): None,
    revocation(by=key(0)): None,
    revocation(by=key(2049)): None,
    revocation(by="key AA="): None,
    revocation(by="key AAB="): None,
    revocation(by=f"log {'v' * 1025}"): None,
    revocation(by="log a b"): None,
    revocation(by=f"witness {VKEY}"): None,
    revocation(signature=b""): None,
    revocation(signature=bytes(2049)): None,
    ONE[:-1]: None,
    ONE + b"\n": None,
    ONE.replace(b"v1", b"v2"): None,
    ONE.replace(b"\n", b"\r\n"): None,
    ONE.replace(b"signature A", b"signature A "): None,
    b"\xef\xbb\xbf" + ONE: None,
}
