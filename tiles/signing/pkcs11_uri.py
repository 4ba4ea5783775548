"""URIs that name a key on a token (RFC 7512): pkcs11:token=log;object=checkpoint?module-path=/usr/lib/….so. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from tiles.errors import UsageError

SCHEME = "pkcs11:"
PIN = "pin-value="  # a secret, and in no text that is shown

_TOKEN = ("token", "manufacturer", "model", "serial", "slot-id")  # which token
_KEY = ("object", "id", "type")  # which key on it
_QUERY = ("module-path", "pin-source", "pin-value")
_PCT = re.compile(r"(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9_.~:\[\]@!$'()*+,=&/|?-])*", re.ASCII)
_SLOT = re.compile(r"[0-9]{1,10}", re.ASCII)
_HINT = "such as pkcs11:token=LABEL;object=KEY?module-path=FILE&pin-source=file:FILE"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Which key is meant; "" where it is not said.

    token, manufacturer, model, serial, slot   of the token
    label, id       of the key: text, bytes
    module          the file with the library that speaks to the token
    pin, pin_file   the PIN, or the file with it
    """

    token: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    slot: int | None = None
    label: str = ""
    id: bytes = b""
    module: str = ""
    pin: str = field(default="", repr=False)
    pin_file: str = ""


def parse_pkcs11_uri(text: str) -> TokenKey:
    """Return what a URI names. Raises UsageError, which repeats no value of it: one may be a PIN.

    Attributes that are not known are refused, as they could say that another key is meant.
    """
    path, _, query = text[len(SCHEME) :].partition("?")
    given = _attributes(path, ";", (*_TOKEN, *_KEY)) | _attributes(query, "&", _QUERY)
    slot = _text(given, "slot-id")
    if slot and not _SLOT.fullmatch(slot):
        raise UsageError("pkcs11: slot-id is not a decimal number")
    if _text(given, "type") not in ("", "private"):
        raise UsageError("pkcs11: type is not private, and what signs is a private key")
    source = _text(given, "pin-source")
    if source.startswith("|") or (":" in source.partition("/")[0] and not source.startswith("file:/")):
        raise UsageError("pkcs11: pin-source is not the name of a file, nor file:/…")
    if not ("object" in given or "id" in given):
        raise UsageError("pkcs11: neither object= nor id= says which key is meant", hint=_HINT)
    return TokenKey(
        token=_text(given, "token"),
        manufacturer=_text(given, "manufacturer"),
        model=_text(given, "model"),
        serial=_text(given, "serial"),
        slot=int(slot) if slot else None,
        label=_text(given, "object"),
        id=given.get("id", b""),
        module=_text(given, "module-path"),
        pin=_text(given, "pin-value"),
        pin_file=re.sub("^file:(//)?(?=/)", "", source),
    )


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    given: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name not in known or not equals or not value or not _PCT.fullmatch(value) or name in given:
            shown = name if name in known else "an attribute"
            problem = "is there twice" if name in given else "has no value, or is not known here"
            raise UsageError(f"pkcs11: {shown} {problem}", hint=f"known are {', '.join(known)}; {_HINT}")
        given[name] = unquote_to_bytes(value)
    return given


def _text(given: dict[str, bytes], name: str) -> str:
    try:
        text = given.get(name, b"").decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageError(f"pkcs11: {name} is not UTF-8, or has a zero byte")
    return text
