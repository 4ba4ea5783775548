"""Keys as people write them: hexadecimal digits for hashes, text for names; docs/index-format.md, "Keys". Pure."""

from __future__ import annotations

from tiles.entries import file_digest
from tiles.entries.file_digest import encode_name
from tiles.entries.kinds import LEAF, NAME, SHA256, SHA512, Key
from tiles.errors import UsageError
from tiles.notes.index_head import check_kind

_SIZES = {LEAF: 32, SHA256: 32, SHA512: 64}  # bytes of a hash
KINDS = (*_SIZES, NAME)


def key_from(kind: str, text: str) -> Key:
    """Return the key that somebody wrote. Raises UsageError for a kind that nobody knows here, or no value of it."""
    check_kind(kind)
    if kind == NAME:
        encode_name(text)
        return Key(kind, text.encode("utf-8"))
    size = _SIZES.get(kind)
    if size is None:
        raise UsageError(f"no entry is found by {kind} here; kinds of keys are {', '.join(KINDS)}")
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
    """Return a key's value as people read it. That of a name may be hostile."""
    return key.value.decode("utf-8", "replace") if key.kind == NAME else key.value.hex()
