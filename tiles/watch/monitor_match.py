"""Which entries somebody looks for: KIND=PATTERN, a key by which entries are found (docs/index-format.md, "Keys").

A pattern without a star is one key, as `tiletree search` takes it. With stars it is a glob over what keys of that kind
read like; a star stands for any characters, / and @ among them: who watches wants to see too much rather than too
little. What an entry says of itself decides, whoever wrote it: a match is a hint to look, and no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tiles.entries.file_digest import spellings as names
from tiles.entries.key_kinds import values_by
from tiles.entries.kind import NAME, Key
from tiles.errors import UsageError
from tiles.index.key_text import key_from, pattern_from, spellings, text_of
from tiles.sigstore.glob import STAR, Glob

MAX_PATTERN_SIZE = 4096  # characters

Matcher = Callable[[bytes], Sequence[str] | None]  # of an entry: by what it is found, None if it is not looked for


@dataclass(frozen=True, slots=True)
class Pattern:
    """One thing that is looked for. text: as it was written. Raises UsageError."""

    kind: str
    text: str
    is_sought: Callable[[bytes], bool]


def parse_pattern(text: str) -> Pattern:
    """Return what KIND=PATTERN looks for. Raises UsageError."""
    kind, equals, wanted = text.partition("=")
    if not equals or not wanted or len(wanted) > MAX_PATTERN_SIZE:
        raise UsageError(f"{text[:140]}: it is KIND=PATTERN, such as name/1=app-*", hint="KIND is a kind of keys")
    if STAR not in wanted:
        return pattern_of(key_from(kind, wanted), text)
    compared = pattern_from(kind, wanted)
    try:
        globs = [Glob(one) for one in (names(compared) if kind == NAME else (compared,))]
    except UsageError as error:
        raise UsageError(f"{text[:140]}: {error.message}") from None

    def is_sought(value: bytes) -> bool:
        found = text_of(Key(kind, value))
        texts = names(found) if kind == NAME else (found,)
        return any(glob.matches(one) for glob in globs for one in texts)

    return Pattern(kind, text, is_sought)


def pattern_of(key: Key, text: str) -> Pattern:
    """Return what looks for one key, however it is spelled. text: what it is called where it is found"""
    wanted = frozenset(each.value for each in spellings(key))
    return Pattern(key.kind, text, wanted.__contains__)


def matcher_of(patterns: Iterable[Pattern]) -> Matcher:
    """Return what finds the entries that any of the patterns looks for; none, without patterns."""
    by_kind: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        by_kind.setdefault(pattern.kind, []).append(pattern)
    kinds = [(values_by(kind), some) for kind, some in by_kind.items()]

    def find(entry: bytes) -> Sequence[str] | None:
        found = [one.text for values, some in kinds for one in _found(some, values(entry))]
        return found or None

    return find


def _found(patterns: Iterable[Pattern], values: Sequence[bytes]) -> list[Pattern]:
    return [pattern for pattern in patterns if any(map(pattern.is_sought, values))] if values else []


def every_entry(_: bytes) -> Sequence[str]:
    """Find every entry, by nothing."""
    return ()
