"""JSON of others, strictly read (https://www.rfc-editor.org/rfc/rfc8259), and its canonical form for what we write
(https://www.rfc-editor.org/rfc/rfc8785).

Two readers that take the same bytes for different values are how a signature is separated from what it is about. So
what readers are known to disagree about is refused: a key that comes twice, NaN, text that is not UTF-8.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import base64_or_none, decode_base64, decode_decimal

MAX_DEPTH = 64  # objects and lists inside each other
MAX_SAFE_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: above it, implementations round

# a string that never ends is matched as well, up to the end of the text: otherwise the search would be quadratic
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_MAX_DIGITS = 20  # of an integer; more than any format here has


def parse_json(data: bytes, what: str, max_size: int) -> dict[str, Any]:
    """Return the JSON object in `data`. what: the format, for the message. max_size: bytes.

    Raises Malformed for anything that is too long or too deep, that is no object, or that readers disagree about.
    """
    if len(data) > max_size:
        raise Malformed(what, f"more than {max_size} bytes", len(data))
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(what, f"not UTF-8 at byte {error.start}", error.object[error.start : error.end]) from None
    _check_depth(text, what)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Unique(what),
            parse_constant=_Refusing(what),
            parse_int=_Integer(what),
        )
    except json.JSONDecodeError as error:
        raise Malformed(
            what, f"not JSON: {error.msg} at character {error.pos}", text[error.pos : error.pos + 40]
        ) from None
    if not isinstance(value, dict):
        raise Malformed(what, "not a JSON object", text[:40])
    if "\\u" in text:
        _check_pairs(value, what)
    return value


def canonical_json(value: Any) -> bytes:
    """Return a value as canonical JSON (RFC 8785): keys in the order of their UTF-16, no space, nothing escaped that
    need not be.

    Raises UsageError for a number that is no integer of at most 53 bits, and for what JSON does not have: what we write
    has neither.
    """
    try:
        return json.dumps(_sorted(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("half a surrogate pair, which no JSON text can hold") from None


@dataclass(frozen=True, slots=True)
class Item:
    """A JSON object while it is read, in the JSON mapping of protocol buffers (https://protobuf.dev/programming-guides/
    json/): a field that is absent or null has its default; bytes are base64; 64-bit numbers are decimal strings.

    what     the format, for messages
    fields   by name; those that nobody asked for are found by `only`
    place    of this object in the whole, for messages
    """

    what: str
    fields: dict[str, Any] = field(repr=False)
    place: str = ""

    def only(self, *names: str) -> Item:
        """Return this object. Raises Malformed if it has other fields: what nobody knows may change the meaning."""
        for name in self.fields:
            if name not in names:
                self.refuse("unknown field", self._where(name))
        return self

    def has(self, name: str) -> bool:
        """Whether there is a field of that name, with a value."""
        return self.fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string. Raises Malformed if there is none, and no default."""
        text: str = self._one(name, str, "string", default)
        return text

    def number(self, name: str, default: int | None = None) -> int:
        """Return a number 0 ≤ n ≤ MAX_TREE_SIZE, from a decimal string, or from an integer that all read alike."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SAFE_INTEGER:
            return value
        text = self.text(name, None if default is None else str(default))
        return decode_decimal(text, f"{self.what} {self._where(name)}")

    def data(self, name: str, default: bytes | None = None) -> bytes:
        """Return bytes, from canonical base64."""
        if default is not None and not self.has(name):
            return default
        return decode_base64(self.text(name), f"{self.what} {self._where(name)}")

    def data_any(self, name: str) -> bytes:
        """Return bytes, from canonical base64 of either alphabet, where a specification allows both."""
        text = self.text(name)
        data = base64_or_none(text)
        if data is None:
            data = _url_safe(text)
        if data is None:
            self.refuse("not canonical base64", f"{self._where(name)} {text}")
        return data

    def object(self, name: str) -> Item:
        """Return an object."""
        return Item(self.what, self._one(name, dict, "object"), self._where(name))

    def objects(self, name: str, maximum: int) -> list[Item]:
        """Return the objects of a list, at most so many; [] if there is none."""
        values = self._one(name, list, "list", [])
        if len(values) > maximum:
            self.refuse(f"more than {maximum} in {self._where(name)}", str(len(values)))
        places = [f"{self._where(name)}[{number}]" for number in range(len(values))]
        for place, value in zip(places, values, strict=True):
            if not isinstance(value, dict):
                self.refuse(f"{place} is not an object", repr(value))
        return [Item(self.what, value, place) for place, value in zip(places, values, strict=True)]

    def texts(self, name: str, maximum: int) -> list[str]:
        """Return the strings of a list, at most so many; [] if there is none."""
        values = self._one(name, list, "list", [])
        if len(values) > maximum or not all(isinstance(value, str) for value in values):
            self.refuse(f"{self._where(name)} is not a list of at most {maximum} strings", repr(values))
        return list(values)

    def data_list(self, name: str, maximum: int) -> list[bytes]:
        """Return the bytes of a list of base64, at most so many; [] if there is none."""
        return [decode_base64(text, f"{self.what} {self._where(name)}") for text in self.texts(name, maximum)]

    def refuse(self, problem: str, found: str | None = None) -> NoReturn:
        """Raise Malformed for this object."""
        raise Malformed(self.what, problem, found)

    def _where(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _one(self, name: str, kind: type[Any], called: str, default: Any = None) -> Any:
        value = self.fields.get(name)
        if value is None:
            if default is None:
                self.refuse(f"no {self._where(name)}")
            return default
        if not isinstance(value, kind):
            self.refuse(f"{self._where(name)} is not a {called}", repr(value))
        return value


def parse_item(data: bytes, what: str, max_size: int) -> Item:
    """Return the JSON object in `data`, to be read field by field. Raises Malformed."""
    return Item(what, parse_json(data, what, max_size))


def _check_depth(text: str, what: str) -> None:
    """Raise Malformed for too many brackets inside each other, before anything follows them."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed(what, f"more than {MAX_DEPTH} objects and lists inside each other")
        elif match[0] in "]}":
            depth -= 1


def _check_pairs(value: Any, what: str) -> None:
    """Raise Malformed for half a surrogate pair, which some readers replace, and no UTF-8 can hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed(what, "half a surrogate pair") from None


@dataclass(frozen=True, slots=True)
class _Unique:
    what: str

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object. Raises Malformed if a key comes twice."""
        made = dict(pairs)
        if len(made) != len(pairs):
            counted = Counter(key for key, _ in pairs)
            raise Malformed(self.what, "a key comes twice", counted.most_common(1)[0][0])
        return made


@dataclass(frozen=True, slots=True)
class _Refusing:
    what: str

    def __call__(self, name: str) -> NoReturn:
        """Raise Malformed for NaN and Infinity, which JSON does not have."""
        raise Malformed(self.what, "not a JSON number", name)


@dataclass(frozen=True, slots=True)
class _Integer:
    what: str

    def __call__(self, text: str) -> int:
        """Return an integer. Raises Malformed for one that takes long to read."""
        if len(text) > _MAX_DIGITS:
            raise Malformed(self.what, f"a number of more than {_MAX_DIGITS} digits", text)
        return int(text)


def _sorted(value: Any) -> Any:
    """Return a value whose objects are in canonical order. Raises UsageError for what is not written here."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise UsageError("the key of a JSON object is text")
        return {key: _sorted(value[key]) for key in sorted(value, key=_utf_16)}
    if isinstance(value, list | tuple):
        return [_sorted(one) for one in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER:
        return value
    raise UsageError(f"canonical JSON is written here without such a value: {type(value).__name__}")


def _utf_16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _url_safe(text: str) -> bytes | None:
    try:
        data = urlsafe_b64decode(text)
    except ValueError:
        return None
    return data if urlsafe_b64encode(data).decode("ascii") == text else None
