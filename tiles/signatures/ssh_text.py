"""The line in which OpenSSH writes a public key (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"), and the armor of a signature
(https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.sshsig, "Armored format").
"""

from __future__ import annotations

import re

from tiles.errors import Malformed
from tiles.notes.encoding import base64_or_none

KEY_LINE = re.compile(rb"((?:sk-)?(?:ssh|ecdsa)-[!-~]{1,80}) ([A-Za-z0-9+/]{1,65536}={0,2})(?: [^\r\n]*)?\r?\n?")
BEGIN = b"-----BEGIN SSH SIGNATURE-----"

_ARMOR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]{1,65536})-----END SSH SIGNATURE-----\s{0,8}"
)


def parse_key_line(data: bytes) -> bytes:
    """Return the key blob in a .pub file, which has one line. Raises Malformed, also if the line names another type."""
    match = KEY_LINE.fullmatch(data)
    blob = base64_or_none(match[2].decode("ascii")) if match else None
    if not match or not blob:
        raise Malformed("SSH key", "not one line with type, key in base64 and comment")
    if not blob.startswith(len(match[1]).to_bytes(4, "big") + match[1]):
        raise Malformed("SSH key", "the line names another type than the key does", match[1])
    return blob


def parse_armor(data: bytes) -> bytes:
    """Return the signature blob in an armored file. Lines may have any length, as the specification says."""
    match = _ARMOR.fullmatch(data)
    blob = base64_or_none(re.sub(rb"[\r\n]", b"", match[1]).decode("ascii")) if match else None
    if not blob:
        raise Malformed("SSH signature", "not one armored signature")
    return blob
