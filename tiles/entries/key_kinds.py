"""The kinds of keys by which entries are found here: those of docs/index-format.md, and those of applications.

An application declares an extractor as an entry point of its Python package, in the group `tiletree.keys`. Its name is
the kind, with a dot in it, such as `acme.build/1`; it is a function from an entry to the values of its keys. Nobody
else can be sure to compute the same, so such kinds are local, and prove no absence (`notes.index_head.is_local`).

Whatever an extractor does wrong with an entry is its own trouble: the entry has no keys of this kind, and is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TYPE_CHECKING

from tiles.entries.kind import IDENTITY, ISSUER, KEY, LEAF, NAME, SHA256, SHA512, SUBJECT, Key
from tiles.entries.kinds import beginnings, values_of
from tiles.errors import UsageError
from tiles.notes.endorsement import ORIGIN
from tiles.notes.index_head import MAX_KEYS, check_kind, is_local
from tiles.sigstore.revocation import REVOKED
from tiles.tree.bundle import MAX_ENTRY_SIZE

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "tiletree.keys"
OWN_KINDS = (LEAF, SHA256, SHA512, NAME, KEY, IDENTITY, ISSUER, SUBJECT, REVOKED, ORIGIN)
MAX_VALUE_SIZE = MAX_ENTRY_SIZE  # bytes of a key's value


class Extractor:
    """What computes the keys of an application's kind.

    failed   for how many entries it did not do so
    """

    def __init__(self, kind: str, function: Callable[[bytes], Iterable[bytes]]) -> None:
        self.kind = kind
        self.failed = 0
        self._function = function

    def values(self, entry: bytes) -> list[bytes]:
        """Return the values of an entry's keys, each once, at most MAX_KEYS; none if it fails, or returns others."""
        try:
            found: dict[bytes, None] = {}
            for value in self._function(entry):
                if type(value) is not bytes or len(value) > MAX_VALUE_SIZE:
                    raise TypeError
                found[value] = None
                if len(found) == MAX_KEYS:
                    break
        except Exception:  # noqa: BLE001  whatever it is, it is of the application
            self.failed += 1
            return []
        return list(found)


def known_kinds() -> tuple[str, ...]:
    """Return all kinds of which keys can be computed here; those of applications last, by name."""
    return (*OWN_KINDS, *sorted(_declared()))


def check_known(kind: str) -> None:
    """Raise UsageError for a kind of which no keys can be computed here."""
    check_kind(kind)
    if kind not in OWN_KINDS and kind not in _declared():
        raise UsageError(
            f"no entry is found by {kind} here; kinds of keys are {', '.join(known_kinds())}",
            hint=f"that of an application is installed with its Python package (entry points {GROUP})",
        )


def values_by(kind: str) -> Callable[[bytes], list[bytes]]:
    """Return what computes the values of an entry's keys of one kind, each once. Raises UsageError as `extractor`."""
    return extractor(kind).values if is_local(kind) else partial(values_of, kind)


def may_have(kind: str) -> tuple[bytes, ...]:
    """Return what entries begin with that may have keys of a kind; b"" is what any entry begins with."""
    return (b"",) if is_local(kind) else beginnings(kind)


def keys_of_kind(entry: bytes, kind: str) -> list[Key]:
    """Return the keys of one kind that count of an entry, each once. Raises UsageError as `extractor`."""
    return [Key(kind, value) for value in values_by(kind)(entry)]


def failures(kind: str) -> int:
    """Return for how many entries keys of a kind could not be computed, since this was asked last."""
    if not is_local(kind):
        return 0
    failed, extractor(kind).failed = extractor(kind).failed, 0
    return failed


@cache
def extractor(kind: str) -> Extractor:
    """Return an application's extractor. Raises UsageError if there is none, or it cannot be loaded."""
    check_known(kind)
    found = _declared()[kind]
    try:
        function = found.load()
    except Exception as error:
        raise UsageError(f"{found.value}, which computes {kind}, cannot be loaded: {type(error).__name__}") from error
    return Extractor(kind, function)


@cache
def _declared() -> dict[str, EntryPoint]:
    """Return what applications have declared, by kind: of two for one kind neither, and local kinds only."""
    from importlib.metadata import entry_points  # only here: most calls do not ask, and it takes a while

    found: dict[str, EntryPoint] = {}
    twice: set[str] = set()
    for point in entry_points(group=GROUP):
        if point.name in found and found[point.name].value != point.value:
            twice.add(point.name)
        found[point.name] = point
    return {kind: point for kind, point in found.items() if kind not in twice and _is_usable(kind)}


def _is_usable(kind: str) -> bool:
    try:
        check_kind(kind)
    except UsageError:
        return False
    return is_local(kind)
