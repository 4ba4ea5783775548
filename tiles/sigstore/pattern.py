r"""Regular expressions (https://github.com/google/re2/wiki/Syntax, a part of it) that take linear time, whatever is
matched.

The expression comes from whoever verifies; the text comes from whoever made a certificate. Python's `re` goes back and
tries again, for hours with `(a+)+b` and a text of forty letters. Here all places in the expression that the text can
have led to are followed at once (Thompson's construction), so a text costs at most its length times the length of the
expression, and both have a limit.

    x|y   (x)   (?:x)   x* x+ x? x{3} x{3,} x{3,5}   .   [a-z] [^a-z]   \d \w \s \D \W \S   \. for any sign
    (?i) first

What is lazy (`x*?`) matches the same texts. The whole text has to match, so `^` first and `$` last change nothing, also
in each part of `^x$|^y$`, and are allowed there only. Everything else is refused: look-around and back-references,
which RE2 does not have either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

from tiles.errors import UsageError

MAX_PATTERN = 1000  # characters
MAX_STATES = 2000  # of an expression, whose bounded repetitions are written out
MAX_TEXT = 4096  # characters; a longer one does not match

_REPEAT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}", re.ASCII)
_CLASS = re.compile(r"\[\^?(?:\\.|[^\]\\\[])(?:\\.|[^\]\\\[])*\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:[dwsDWS]|[^A-Za-z0-9])", re.DOTALL)
# in a class: other escapes, and what `re` warns of, because it will mean something else one day
_ODD = re.compile(r"\\[A-Za-z0-9]|--|&&|\|\||~~")
_SPECIAL = "|)*+?{}^$"

# what a state is: a class of characters to go on from, two places to go on at, or the end
_CHARACTER, _FORK, _END = range(3)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression. Make one with `parse_pattern`.

    program   (kind, class of characters, where to go on, where else) for each state
    """

    text: str
    program: tuple[tuple[int, str, int, int], ...] = field(repr=False)
    ignores_case: bool = False

    def matches(self, text: str) -> bool:
        """Whether the whole text is what the expression describes."""
        return len(text) <= MAX_TEXT and self._ends_in(text, whole=True)

    def finds(self, text: str) -> bool:
        """Whether a part of the text is. cosign is content with that; here it only makes a message clearer."""
        return len(text) <= MAX_TEXT and self._ends_in(text, whole=False)

    def _ends_in(self, text: str, *, whole: bool) -> bool:
        places = self._closure([0])
        for character in text:
            if not whole and len(self.program) - 1 in places:
                return True
            after = [
                go_on
                for kind, accepted, go_on, _ in map(self.program.__getitem__, places)
                if kind == _CHARACTER and _accepts(accepted, character, self.ignores_case)
            ]
            places = self._closure(after if whole else [0, *after])
        return len(self.program) - 1 in places

    def _closure(self, places: list[int]) -> set[int]:
        """Return all states that these lead to without a character."""
        reached: set[int] = set()
        while places:
            place = places.pop()
            if place not in reached:
                reached.add(place)
                kind, _, go_on, other = self.program[place]
                if kind == _FORK:
                    places += (go_on, other)
        return reached


@lru_cache(maxsize=4096)
def _accepts(accepted: str, character: str, ignores_case: bool) -> bool:
    """Whether one character is in a class, which Python's `re` judges: there is nothing to go back to."""
    return re.fullmatch(accepted, character, re.ASCII | (re.IGNORECASE if ignores_case else 0)) is not None


def parse_pattern(text: str) -> Pattern:
    """Return a regular expression. Raises UsageError for one that is too long or not of the part that is allowed."""
    if len(text) > MAX_PATTERN:
        raise UsageError(f"a regular expression of {len(text)} characters; {MAX_PATTERN} are the most")
    ignores_case = text.startswith("(?i)")
    parser = _Parser(text, len("(?i)") if ignores_case else 0)
    made = parser.alternatives()
    if parser.peek():
        parser.refuse("nothing is open that it closes" if parser.peek() == ")" else "it cannot stand there")
    return Pattern(text, (*_placed(made, 0), (_END, "", 0, 0)), ignores_case)


# a piece of program: its states, whose places are counted from its own beginning; it goes on right behind its end
_Piece = list[tuple[int, str, int, int]]


def _placed(piece: _Piece, at: int) -> _Piece:
    return [(kind, accepted, go_on + at, other + at) for kind, accepted, go_on, other in piece]


def _then(first: _Piece, second: _Piece) -> _Piece:
    return first + _placed(second, len(first))


def _either(first: _Piece, second: _Piece) -> _Piece:
    end = len(first) + len(second) + 2
    skip = (_FORK, "", end, end)
    return [(_FORK, "", 1, len(first) + 2), *_placed(first, 1), skip, *_placed(second, len(first) + 2)]


def _optional(piece: _Piece) -> _Piece:
    return [(_FORK, "", 1, len(piece) + 1), *_placed(piece, 1)]


def _star(piece: _Piece) -> _Piece:
    return [(_FORK, "", 1, len(piece) + 2), *_placed(piece, 1), (_FORK, "", 0, 0)]


def _plus(piece: _Piece) -> _Piece:
    return _then(piece, _star(piece))


@dataclass(slots=True)
class _Parser:
    text: str
    at: int

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def refuse(self, problem: str) -> NoReturn:
        raise UsageError(
            f"the regular expression {self.text!r} is not understood at character {self.at + 1}: {problem}",
            hint="it may have | ( ) (?: ) * + ? {3,5} . [a-z] \\d \\w \\s, and a sign behind \\ for itself",
        )

    def alternatives(self, depth: int = 0) -> _Piece:
        if depth > 50:
            self.refuse("too many groups inside each other")
        made = self.sequence(depth)
        while self.peek() == "|":
            self.at += 1
            made = self.bounded(_either(made, self.sequence(depth)))
        return made

    def sequence(self, depth: int) -> _Piece:
        made: _Piece = []
        if depth == 0 and self.peek() == "^":
            self.at += 1
        while self.peek() and self.peek() not in "|)":
            if depth == 0 and self.peek() == "$" and self.text[self.at + 1 : self.at + 2] in ("", "|"):
                self.at += 1
                break
            made = self.bounded(_then(made, self.repeated(depth)))
        return made

    def repeated(self, depth: int) -> _Piece:
        piece = self.atom(depth)
        match = _REPEAT.match(self.text, self.at)
        sign = self.peek()
        if match:
            least, most = int(match[1]), int(match[3] or match[1])
            self.at = match.end()
            if len(piece) * max(least, most) > MAX_STATES or least > most:
                self.refuse("too many repetitions, or fewer than none")
            rest: _Piece = _star(piece) if match[2] and not match[3] else []
            for _ in range(most - least):
                rest = _optional(_then(piece, rest))
            for _ in range(least):
                rest = _then(piece, rest)
            piece = rest
        elif sign and sign in "*+?":
            self.at += 1
            piece = {"*": _star, "?": _optional, "+": _plus}[sign](piece)
        else:
            return piece
        if self.peek() == "?":  # lazy, which makes no difference for the whole text
            self.at += 1
        if self.peek() and (self.peek() in "*+?" or _REPEAT.match(self.text, self.at)):
            self.refuse("a repetition of a repetition; put the first one into ( )")
        return self.bounded(piece)

    def atom(self, depth: int) -> _Piece:
        sign = self.peek()
        if sign == "(":
            self.at += 3 if self.text.startswith("(?:", self.at) else 1
            if self.peek() == "?":
                self.refuse("of (?…) only (?:…), and (?i) first, are known")
            made = self.alternatives(depth + 1)
            if self.peek() != ")":
                self.refuse("a ( is not closed")
            self.at += 1
            return made
        match = (_CLASS if sign == "[" else _ESCAPED).match(self.text, self.at) if sign in ("[", "\\") else None
        if match and not _ODD.search(re.sub(r"\\[dwsDWS]|\\\\", "", match[0])):
            accepted = match[0]
        elif sign in ("[", "\\") or sign in _SPECIAL:
            self.refuse(f"{sign!r} cannot stand there like this")
        else:
            accepted = "." if sign == "." else re.escape(sign)
        try:
            re.compile(accepted, re.ASCII)
        except re.error as error:
            self.refuse(str(error))
        self.at += len(match[0]) if match else 1
        return [(_CHARACTER, accepted, 1, 1)]

    def bounded(self, piece: _Piece) -> _Piece:
        if len(piece) > MAX_STATES:
            self.refuse(f"more than {MAX_STATES} states")
        return piece
