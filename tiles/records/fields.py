"""Records: the small texts of the private part (head, anchor, head of a staged batch). Pure.

    <title>\\n
    <name> <value>\\n        in a fixed order, each exactly once
    …
    <name> <value>\\n        the last name of the record may repeat, also zero times, where the record says so

A value is one line of printable text. Every parser below formats again and compares, so one content has one form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tiles.errors import Malformed
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text
from tiles.tree.merkle import TreeHead, to_hash

MAX_RECORD_SIZE = 64 * 1024  # bytes

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RANDOM_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def is_value(text: str) -> bool:
    """Whether a record can hold this: one line of printable text without spaces around it."""
    return bool(text) and text.isprintable() and text == text.strip(" ")


def format_record(title: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """Return the record as bytes."""
    return "".join([f"{title}\n", *(f"{name} {value}\n" for name, value in fields)]).encode()


def parse_record(title: str, data: bytes, names: Sequence[str]) -> list[str]:
    """Return the values of a record, in the order of `names`.

    Raises Malformed unless title, names and their order are exactly those.
    """
    values = parse_repeating_record(title, data, names, None)
    return values[: len(names)]


def parse_repeating_record(title: str, data: bytes, names: Sequence[str], last: str | None) -> list[str]:
    """Return the values in the order of `names`, then those of all further lines, which must be named `last`."""
    if len(data) > MAX_RECORD_SIZE:
        raise Malformed(title, f"{len(data)} bytes, {MAX_RECORD_SIZE} is the most")
    text = decode_text(data, title)
    lines = text.split("\n")
    if lines[0] != title or lines[-1] or len(lines) < 2 + len(names):
        raise Malformed(title, "not a whole record that begins with its title", text)
    values = []
    for number, line in enumerate(lines[1:-1]):
        name, _, value = line.partition(" ")
        expected = names[number] if number < len(names) else last
        if name != expected or not is_value(value):
            raise Malformed(title, f"line {number + 2} is not '{expected} <value>'", line)
        values.append(value)
    return values


def parse_digest(what: str, text: str) -> str:
    """Return 64 lower-case hexadecimal digits as they are."""
    if not _DIGEST.fullmatch(text):
        raise Malformed(what, "not 64 lower-case hexadecimal digits", text)
    return text


def parse_random_id(what: str, text: str) -> str:
    """Return 32 lower-case hexadecimal digits, as `Clock.random_id` makes them, as they are."""
    if not _RANDOM_ID.fullmatch(text):
        raise Malformed(what, "not 32 lower-case hexadecimal digits", text)
    return text


def parse_tree(what: str, size: str, root: str) -> TreeHead:
    """Return the tree head of a decimal size and a base64 root hash."""
    return TreeHead(decode_decimal(size, what), to_hash(decode_base64(root, what)))
