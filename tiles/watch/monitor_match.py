"""Which entries somebody looks for: KIND=PATTERN, a key by which entries are found (docs/index-format.md, "Keys").

A pattern without a star is one key, as `tiletree search` takes it. With stars it is a glob over what keys of that kind
read like; a star stands for any characters, / and @ among them: who watches wants to see too much rather than too
little. What an entry says of itself decides, whoever wrote it: a match is a hint to look, and no verdict. An entry of
another log that cannot be read, such as a certificate that no parser takes, is found by all that it might have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tiles.entries.file_digest import spellings as names
from tiles.entries.kind import NAME, Key
from tiles.entries.other_keys import DNS, FOREIGN_KINDS, kinds_in, values_in
from tiles.errors import UsageError
from tiles.index.key_text import key_from, pattern_from, spellings, text_of
from tiles.records.layout_names import TLOG_TILES
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
    if kind in FOREIGN_KINDS:
        return _foreign(kind, wanted, text)
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


def _foreign(kind: str, wanted: str, text: str) -> Pattern:
    compared = wanted.lower() if kind == DNS else wanted
    try:
        glob = Glob(compared)
    except UsageError as error:
        raise UsageError(f"{text[:140]}: {error.message}") from None
    # a certificate for *.example.com is one for www.example.com, too
    above = f"*.{compared.partition('.')[2]}" if kind == DNS and STAR not in compared else compared

    def is_sought(value: bytes) -> bool:
        found = value.decode("utf-8", "replace")
        return glob.matches(found) or found == above

    return Pattern(kind, text, is_sought)


def pattern_of(key: Key, text: str) -> Pattern:
    """Return what looks for one key, however it is spelled. text: what it is called where it is found"""
    wanted = frozenset(each.value for each in spellings(key))
    return Pattern(key.kind, text, wanted.__contains__)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. patterns: an entry that any of them finds; None: every entry"""

    patterns: tuple[Pattern, ...] | None = ()

    def matcher(self, layout: str) -> Matcher:
        """Return what finds these entries in a log. layout: the name of its format"""
        if self.patterns is None:
            return lambda _entry: ()
        by_kind: dict[str, list[Pattern]] = {}
        for pattern in self.patterns:
            by_kind.setdefault(pattern.kind, []).append(pattern)
        kinds = [(values, some) for kind, some in by_kind.items() if (values := values_in(layout, kind)) is not None]

        def find(entry: bytes) -> Sequence[str] | None:
            found = [one.text for values, some in kinds for one in _found(some, values(entry))]
            return found or None

        return find

    def check(self, layout: str) -> None:
        """Raise UsageError if there are patterns, and none of them can find an entry in a log of that format."""
        if self.patterns and not any(values_in(layout, each.kind) for each in self.patterns):
            kinds = ", ".join(dict.fromkeys(each.kind for each in self.patterns))
            theirs = "" if layout == TLOG_TILES else f"they are found by {', '.join(kinds_in(layout))}"
            raise UsageError(f"no entry of a log that is kept as {layout} is found by {kinds}", hint=theirs)


EVERY = Sought(None)


def _found(patterns: Iterable[Pattern], values: Sequence[bytes] | None) -> Iterable[Pattern]:
    """Return the patterns that one of these is sought by; all, if nobody can tell."""
    if values is None:
        return patterns
    return [pattern for pattern in patterns if any(map(pattern.is_sought, values))] if values else []
