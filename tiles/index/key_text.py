"""Keys as people write them: hexadecimal digits for hashes, text for all others; docs/index-format.md, "Keys". Pure."""

from __future__ import annotations

import re

from tiles.entries import file_digest
from tiles.entries.file_digest import encode_name
from tiles.entries.key_kinds import check_known
from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, NAME, SHA256, SHA512, SUBJECT, Key
from tiles.errors import UsageError
from tiles.sigstore.der import MAX_TEXT_SIZE
from tiles.sigstore.image_signature import signed_digests
from tiles.sigstore.names import spelled

# bytes of a hash, from and to
_SIZES = {LEAF: (32, 32), SHA256: (32, 32), SHA512: (64, 64), KEY: (32, 32), SUBJECT: (20, 64)}
_CLAIMED = (IDENTITY, ISSUER)
_IMAGE = re.compile("(?:[^@]{1,1024}@)?sha256:([0-9a-fA-F]{64})", re.ASCII)
_CLAIM = re.compile(f"[!-~]{{1,{MAX_TEXT_SIZE}}}", re.ASCII)


def key_from(kind: str, text: str) -> Key:
    """Return the key that somebody wrote. Raises UsageError for a kind that nobody knows here, or no value of it."""
    check_known(kind)
    if kind == NAME:
        encode_name(text)
        return Key(kind, text.encode("utf-8"))
    if kind in _CLAIMED:
        if not _CLAIM.fullmatch(text):
            raise UsageError(
                f"a key of {kind} is 1 to {MAX_TEXT_SIZE} characters of ASCII without spaces, not {text[:140]!r}"
            )
        return Key(kind, spelled(text).encode("ascii"))
    if (sizes := _SIZES.get(kind)) is None:
        return Key(kind, text.encode("utf-8", "surrogateescape"))
    try:
        value = bytes.fromhex(text) if text.isalnum() else b""
    except ValueError:
        value = b""
    least, most = sizes
    if not least <= len(value) <= most:
        digits = f"{2 * least}" if least == most else f"{2 * least} to {2 * most}"
        raise UsageError(f"a key of {kind} is {digits} hexadecimal digits, not {text[:140]!r}")
    return Key(kind, value)


def image_keys(text: str) -> tuple[Key, ...]:
    """Return the keys by which cosign's signature of an image is found; each is of one way to write what it signs.

    text   sha256:HEX, the digest of the image, or its name with @ and the digest. Raises UsageError for anything else.
    """
    digest = _IMAGE.fullmatch(text)
    if digest is None:
        raise UsageError(
            f"an image is named by its digest, [NAME@]sha256: and 64 hexadecimal digits, not {text[:140]!r}",
            hint="a tag names another image each time that it is moved",
        )
    return tuple(Key(SHA256, each) for each in signed_digests(bytes.fromhex(digest[1])))


def spellings(key: Key) -> tuple[Key, ...]:
    """Return a key and the others by which the same is found.

    That is a name's Unicode normal form C, and of a URI that ends with a slash the one without.
    """
    if key.kind in _CLAIMED and b"://" in key.value and key.value.endswith(b"/"):
        return (key, Key(key.kind, key.value[:-1]))
    if key.kind != NAME:
        return (key,)
    return tuple(Key(NAME, name.encode("utf-8")) for name in file_digest.spellings(key.value.decode("utf-8")))


def pattern_from(kind: str, text: str) -> str:
    """Return a glob over the texts of keys (`text_of`) as it is compared. Raises UsageError for an unknown kind."""
    check_known(kind)
    if kind in _CLAIMED:
        return spelled(text)
    return text.lower() if kind in _SIZES else text


def text_of(key: Key) -> str:
    """Return a key's value as people read it. It may be hostile unless it is a hash."""
    return key.value.hex() if key.kind in _SIZES else key.value.decode("utf-8", "replace")
