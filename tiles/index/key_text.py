"""Keys as people write them: hexadecimal digits for hashes, text for names; docs/index-format.md, "Keys". Pure."""

from __future__ import annotations

from unicodedata import normalize

from tiles.entries.file_digest import encode_name
from tiles.entries.kinds import LEAF, Key
from tiles.errors import UsageError
from tiles.notes.index_head import check_kind

_SIZES = {LEAF: 32, "sha256/1": 32, "sha512/1": 64}  # bytes of a hash
_NAME = "name/1"
KINDS = (*_SIZES, _NAME)


def key_from(kind: str, text: str) -> Key:
    """Return the key that somebody wrote. Raises UsageError for a kind that nobody knows here, or no value of it."""
    check_kind(kind)
    if kind == _NAME:
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
    if key.kind != _NAME:
        return (key,)
    composed = normalize("NFC", key.value.decode("utf-8")).encode("utf-8")
    return tuple(dict.fromkeys((key, Key(_NAME, composed))))


def text_of(key: Key) -> str:
    """Return a key's value as people read it. That of a name may be hostile."""
    return key.value.decode("utf-8", "replace") if key.kind == _NAME else key.value.hex()
