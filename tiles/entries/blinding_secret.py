"""The secret of blinded entries, in a file of its owner's; docs/entry-formats.md, "The blinding secret".

    tiletree/blinding-secret/v1\\n
    secret <32 bytes in base64>\\n
    check <the first 16 hexadecimal digits of SHA-256 of the 32 bytes>\\n

`secret_at` makes the file when it is first needed. A run that dies before the file has its name leaves nothing of it,
and afterwards the file is whole. Of several runs that make it at once one does, and all use what that one wrote. The
file and its name last before the secret is returned, so nothing is ever logged with one that a power cut could take.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from tiles.entries.blinded import SECRET_SIZE
from tiles.errors import Malformed, NotFound, UsageError, explained
from tiles.notes.encoding import decode_base64, encode_base64
from tiles.user.files import create_file, make_lasting, read_private

TITLE = "tiletree/blinding-secret/v1"
MAX_FILE_SIZE = 1024  # bytes

_FILE = re.compile(rb"tiletree/blinding-secret/v1\nsecret ([A-Za-z0-9+/=]{44})\ncheck [0-9a-f]{16}\n")
_DAMAGED = explained("the-blinding-secret-is-gone", "restore it from a copy, or move it away")


def secret_at(path: Path) -> tuple[bytes, bool]:
    """Return the secret that is in a file, and whether it was made by this call, because nothing was there.

    Raises what `read_secret` raises, except NotFound; AccessError where the file cannot be made, or made to last.
    """
    try:
        secret = read_secret(path)
    except NotFound:
        is_new = create_file(path, _formatted(token_bytes(SECRET_SIZE)))
        return read_secret(path), is_new
    make_lasting(path)  # whoever made it may have died before it did
    return secret, False


def read_secret(path: Path) -> bytes:
    """Return the secret, SECRET_SIZE bytes, in a file. No error shows anything of what is in the file.

    Raises NotFound; UsageError for a file that is none, or is damaged; AccessError; Refused for one that somebody else
    wrote, that others than its owner may read, or that everyone may exchange.
    """
    data = read_private(path, MAX_FILE_SIZE)
    if data is None:
        raise NotFound(f"there is no blinding secret at {path}")
    try:
        match = _FILE.fullmatch(data)
        secret = decode_base64(match[1].decode("ascii"), TITLE) if match else b""
    except Malformed:
        secret = b""
    if len(secret) != SECRET_SIZE or _formatted(secret) != data:
        raise UsageError(f"{path} is not a blinding secret, or is damaged", hint=_DAMAGED)
    return secret


def _formatted(secret: bytes) -> bytes:
    return f"{TITLE}\nsecret {encode_base64(secret)}\ncheck {sha256(secret).hexdigest()[:16]}\n".encode("ascii")
