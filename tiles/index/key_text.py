"""Keys as people write them: hexadecimal digits for hashes, text for all others; docs/index-format.md, "Keys". Pure."""

from __future__ import annotations

from tiles.entries import file_digest
from tiles.entries.file_digest import encode_name
from tiles.entries.key_kinds import check_known
from tiles.entries.kinds import LEAF, NAME, SHA256, SHA512, Key
from tiles.errors import UsageError

_SIZES = {LEAF: 32, SHA256: 32, SHA512: 64}  # bytes of a hash


def key_from(kind: str, text: str) -> Key:
    """Return the key that somebody wrote. Raises UsageError for a kind that nobody knows here, or no value of it."""
    check_known(kind)
    if kind == NAME:
        encode_name(text)
        return Key(kind, text.encode("utf-8"))
    if (size := _SIZES.get(kind)) is None:
        return Key(kind, text.encode("utf-8", "surrogateescape"))
    try:
        value = bytes.fromhex(text) if text.isalnum() else b""
    except ValueError:
        value = b""
    if len(value) != size:
        raise UsageError(f"a key of {kind} is {2 * size} hexadecimal digits, not {text[:140]!r}")
    return Key(kind, value)


def spellings(key: Key) -> tuple[Key, ...]:
    """Return a key and the others by which the same is found: a name, and its Unicode normal form C."""
    if key.kind != NAME:
        return (key,)
    return tuple(Key(NAME, name.encode("utf-8")) for name in file_digest.spellings(key.value.decode("utf-8")))


def text_of(key: Key) -> str:
    """Return a key's value as people read it. That of a name, or of an application's kind, may be hostile."""
    return key.value.hex() if key.kind in _SIZES else key.value.decode("utf-8", "replace")
