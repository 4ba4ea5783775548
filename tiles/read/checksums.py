"""Lists of checksums, as `sha256sum` and the `sha256` of the BSDs write them; nothing here reads a file.

    3a7b…1b  app.whl                 text mode
    3a7b…1b *app.whl                 binary mode: the same
    SHA256 (app.whl) = 3a7b…1b       as `sha256sum --tag` writes it
    \\3a7b…1b  a\\nb                   a name with a newline, carriage return or backslash; so with SHA256, too

Empty lines and lines that begin with # say nothing, as for `sha256sum --check`. Everything else is an error: where that
program cannot read a line, it passes over it, and nobody looks at the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import normpath

from tiles.errors import Malformed

MAX_LIST_SIZE = 16 << 20  # bytes

_WHAT = "list of checksums"
_PLAIN = re.compile(rb"(\\?)([0-9A-Fa-f]{64}) [ *](.+)", re.DOTALL)
_TAGGED = re.compile(rb"(\\?)SHA256 \((.+)\) = ([0-9A-Fa-f]{64})", re.DOTALL)
_OTHER = re.compile(rb"\\?(?:[0-9A-Fa-f]{32,128} [ *].|[A-Z0-9/-]+ ?\(.+\) ?= ?[0-9A-Fa-f]+$)", re.DOTALL)
_ESCAPES = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}
_ESCAPED = re.compile(rb"\\.?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a list. name: as written there; octets that are no UTF-8 as in file names; line: from 1"""

    name: str
    sha256: str
    line: int

    @property
    def leads_out(self) -> bool:
        """Whether the name is not that of something in the folder that it is taken from, or below it."""
        return self.name.startswith("/") or ".." in self.name.split("/")


def parse_checksums(data: bytes) -> list[Listed]:
    """Return the files in a list, at least one, in its order; what it says twice, once. ./a is a.

    Raises Malformed, with the line, for any line that cannot be read, and for a file with two digests.
    """
    if len(data) > MAX_LIST_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_LIST_SIZE} bytes", len(data))
    found: dict[str, Listed] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        text = line.removesuffix(b"\r")  # of a list that was saved on Windows; in a name, it is escaped
        if not text or text.startswith(b"#"):
            continue
        listed = _parse_line(text, number)
        if (before := found.setdefault(normpath(listed.name), listed)).sha256 != listed.sha256:
            raise Malformed(_where(number), f"a second digest of a file that is in line {before.line}", listed.name)
    if not found:
        raise Malformed(_WHAT, "it lists no file")
    return list(found.values())


def _parse_line(text: bytes, number: int) -> Listed:
    if plain := _PLAIN.fullmatch(text):
        mark, digest, name = plain.groups()
    elif tagged := _TAGGED.fullmatch(text):
        mark, name, digest = tagged.groups()
    else:
        of_others = "a digest of another kind than SHA-256" if _OTHER.match(text) else "not a SHA-256 and a name"
        raise Malformed(_where(number), of_others, text.decode("utf-8", "backslashreplace"))
    if mark:
        name = _ESCAPED.sub(lambda match: _unescaped(match[0], number), name)
    if b"\0" in name:
        raise Malformed(_where(number), "a name with a zero byte")
    if name == b"-":
        raise Malformed(_where(number), "the digest of standard input, which has no name")
    return Listed(name.decode("utf-8", "surrogateescape"), digest.decode("ascii").lower(), number)


def _unescaped(escape: bytes, number: int) -> bytes:
    if escape not in _ESCAPES:
        raise Malformed(_where(number), "not an escape of a name", escape.decode("utf-8", "backslashreplace"))
    return _ESCAPES[escape]


def _where(number: int) -> str:
    return f"{_WHAT}, line {number}"
