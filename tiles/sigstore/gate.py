"""A gate: who has to have signed which files before they are used (docs/recipes/gate.md#the-format).

    # a remark, or an empty line
    <pattern> <identity> <issuer> [<predicate type>]
    <pattern> key <key> [<predicate type>]

The first line whose pattern matches a file's name decides about it, together with the lines of the same pattern that
follow it: one of them has to be met. A name that no pattern matches is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import normalize

from tiles.errors import Malformed, SignatureError, UsageError, VerificationError
from tiles.sigstore.body import body_of
from tiles.sigstore.bundle import Bundle
from tiles.sigstore.certificate import Certificate
from tiles.sigstore.glob import STAR, Glob
from tiles.sigstore.identity import Condition, Demanded
from tiles.sigstore.public_key import PublicKey, certificate_key, parse_public_key
from tiles.sigstore.verdict import Verdict, entry_in

MAX_GATE_SIZE = 64 * 1024  # bytes
MAX_GATE_LINES = 1000
MAX_WORD = 1024  # characters

_WHAT = "gate"
_KEY = "key"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NO_PATTERN = re.compile(r"[/\\?\[\]{}]")  # what stands for something in globs of others


@dataclass(frozen=True, slots=True)
class GateLine:
    """One line of a gate.

    text             as it stands there
    pattern          of names of files
    demanded         of a certificate; None where a key has to have signed
    key              SHA-256 of that key, or the file with it; "" where a certificate is demanded
    predicate_type   of the statement that has to be signed; "" where the file itself has to be
    """

    number: int
    text: str
    pattern: Glob
    demanded: Demanded | None
    key: str
    predicate_type: str

    @property
    def key_file(self) -> str:
        """The file with the key; "" if the line names none."""
        return "" if _FINGERPRINT.fullmatch(self.key) else self.key


@dataclass(frozen=True, slots=True)
class Gate:
    """What `parse_gate` returns. source: how messages call it"""

    lines: tuple[GateLine, ...]
    source: str
    data: bytes = field(repr=False)

    def required(self, name: str, keys: Mapping[str, PublicKey]) -> Required:
        """Return what is required of a file of that name, without its folders. keys: those in files, by their names

        Raises VerificationError if no line matches the name.
        """
        name = normalize("NFC", name)
        first = next((line for line in self.lines if line.pattern.matches(name)), None)
        if first is None:
            raise VerificationError(
                f"no line of {self.source} matches the name {name!r}, so nobody can let it pass",
                hint="a line for it says who has to have signed it, if it may be used at all",
            )
        lines = tuple(line for line in self.lines if line.pattern == first.pattern)
        hints = {line.key: keys[line.key].hint.hex() for line in lines if line.key_file}
        return Required(self.source, lines, hints)


@dataclass(frozen=True, slots=True)
class Required:
    """The lines that decide about one file, one of which has to be met. What certificates have to say, too.

    hints   SHA-256 of each key in a file, by the file's name
    """

    source: str
    lines: tuple[GateLine, ...]
    hints: Mapping[str, str]

    def demanded(self, bundle: Bundle) -> PublicKey | Required:
        """Return what `verify_bundle` has to demand of a bundle. Raises VerificationError if no line allows its key."""
        if bundle.certificates:
            return self
        body = body_of(entry_in(bundle))
        key = certificate_key(body.raw) if body.is_certificate else parse_public_key(body.raw)
        if key.hint.hex() not in map(self._hint, self.lines):
            raise SignatureError(f"signed by the key {key.hint.hex()}, and {self}")
        return key

    def check(self, certificate: Certificate) -> None:
        """Raise VerificationError unless a certificate says what one of the lines demands."""
        if not any(_holds(line, certificate) for line in self.lines):
            raise VerificationError(f"signed by {_named(certificate)}, and {self}")

    def met(self, verdict: Verdict) -> GateLine:
        """Return the line that a verified bundle meets. Raises VerificationError if it is of another statement."""
        found = "" if verdict.statement is None else verdict.statement.predicate_type
        signed = [line for line in self.lines if self._is_signer(line, verdict)]
        for line in signed:
            if line.predicate_type == found:
                return line
        what = f"a statement of the type {found!r:.300} is signed" if found else "the file itself is signed"
        raise VerificationError(f"{what}, and {Required(self.source, tuple(signed), self.hints)}")

    def __str__(self) -> str:
        numbers = " or ".join(str(line.number) for line in self.lines)
        return (
            f"line{'s' if len(self.lines) > 1 else ''} {numbers} of {self.source} demand"
            f"{'' if len(self.lines) > 1 else 's'}: {' | '.join(line.text for line in self.lines)}"
        )

    def _hint(self, line: GateLine) -> str:
        return self.hints.get(line.key, line.key)

    def _is_signer(self, line: GateLine, verdict: Verdict) -> bool:
        if verdict.checked is None:
            return self._hint(line) == verdict.key.hint.hex()
        return _holds(line, verdict.checked.certificate)


def parse_gate(data: bytes, source: str = "the gate") -> Gate:
    """Return the gate in a file. Raises Malformed, which names the line and shows nothing of it."""
    if len(data) > MAX_GATE_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_GATE_SIZE} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(_WHAT, f"not UTF-8 at byte {error.start}") from None
    found = text.split("\n")
    if found.pop():
        raise Malformed(_WHAT, "the last line does not end in a newline")
    if len(found) > MAX_GATE_LINES:
        raise Malformed(_WHAT, f"more than {MAX_GATE_LINES} lines")
    parsed = (_parse_line(number, line) for number, line in enumerate(found, 1))
    lines = tuple(line for line in parsed if line is not None)
    if not lines:
        raise Malformed(_WHAT, "no line says who has to have signed what")
    _check_order(lines)
    return Gate(lines, source, data)


def _parse_line(number: int, text: str) -> GateLine | None:
    """Return what a line says; None for a remark or an empty line."""
    words = [word for word in text.split(" ") if word]
    if not words or words[0].startswith("#"):
        return None
    if problem := _problem(text, words):
        raise Malformed(_WHAT, f"line {number}: {problem}")
    pattern, who, what, *rest = words
    type_ = rest[0] if rest else ""
    glob = Glob(normalize("NFC", pattern))
    if who == _KEY:
        return GateLine(number, text, glob, None, what, type_)
    identity = Condition(pattern=Glob(who, in_parts=True)) if STAR in who else Condition(who)
    return GateLine(number, text, glob, Demanded(identity, Condition(what)), "", type_)


def _problem(text: str, words: list[str]) -> str:
    """Return what is wrong with a line, or "". Nothing of it is repeated, as it may be of another file."""
    if not text.isprintable():
        return "has a character that is not printable, such as a tab or carriage return; words have spaces between them"
    if not 3 <= len(words) <= 4:
        return "not PATTERN IDENTITY ISSUER or PATTERN key KEY, with or without the type of a statement behind"
    if max(map(len, words)) > MAX_WORD:
        return f"a word of more than {MAX_WORD} characters"
    pattern, who, what, *rest = words
    if _NO_PATTERN.search(pattern):
        return "a pattern has no / and no other wildcard than *, so none of ? [ ] { } \\ either"
    try:
        Glob(pattern), Glob(who, in_parts=True)
    except UsageError as error:
        return error.message
    if who != _KEY and (STAR in what or ":" not in what):
        return "an issuer is a URL, and has no *"
    if rest and ":" not in rest[0]:
        return "the type of a statement is a URI, as `tiletree verify` shows it"
    return ""


def _check_order(lines: tuple[GateLine, ...]) -> None:
    """Raise Malformed for a line that decides about no file, or stands apart from those of its pattern."""
    for number, line in enumerate(lines):
        for before in lines[:number]:
            if before.pattern != line.pattern and before.pattern.covers(line.pattern):
                raise Malformed(
                    _WHAT,
                    f"line {line.number}: line {before.number} decides about every file that it matches; put it before",
                )
    seen = set()
    for before, line in pairwise(lines):
        seen.add(before.pattern)
        if line.pattern != before.pattern and line.pattern in seen:
            raise Malformed(_WHAT, f"line {line.number}: lines of one pattern stand together")


def _holds(line: GateLine, certificate: Certificate) -> bool:
    if line.demanded is None:
        return False
    try:
        line.demanded.check(certificate)
    except VerificationError:
        return False
    return True


def _named(certificate: Certificate) -> str:
    who = ", ".join(repr(each.value) for each in certificate.identities) or "nobody who is named"
    return f"{who:.300}, for whom {certificate.issuer!r:.300} vouches"
