"""Kinds of entries of applications, which are checked before they are logged: what pluggable types are for Rekor.

An application declares a kind as an entry point of its Python package, in the group `tiletree.entries`. Its name is the
kind, such as `acme.build/1`; it is an object with `begins`, what every entry of the kind begins with, and `check`, a
function that raises for an entry that is not to be logged. Where the package is installed, `add` and `submit` ask it.

What Rekor v2 logs of a signature (hashedrekord 0.0.2) is checked as well, wherever it is from: its signature has to
hold.

Readers do not: what is logged stays logged, and says of itself what it is. An entry of no declared kind is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tiles.entries.kinds import Rekor
from tiles.errors import TilesError, UsageError

GROUP = "tiletree.entries"

_REASON = 200  # characters of what an application says


@dataclass(frozen=True, slots=True)
class OwnKind:
    """A kind that an application has declared.

    begins   at least one byte
    check    raises, whatever it likes, for an entry that is not to be logged
    """

    name: str
    begins: bytes
    check: Callable[[bytes], object]


def checked(batches: Iterator[list[bytes]], name: str) -> Iterator[list[bytes]]:
    """Yield entries as they come, each of a declared kind checked by its application.

    name   of the file that they are from
    Raises UsageError for one that is refused, after those before it; and for a kind that cannot be loaded, as nothing
    of that kind could be checked.
    """
    kinds = (REKOR, *own_kinds())
    begins = tuple(kind.begins for kind in kinds)
    number = 0
    for batch in batches:
        together = b"\n".join(batch)  # looking through all at once takes a quarter of the time of asking each
        some = batch if any(begin in together for begin in begins) else ()
        for at in [at for at, entry in enumerate(some) if entry.startswith(begins)]:  # few, of millions
            for kind in kinds:
                reason = _refusal(kind, batch[at]) if batch[at].startswith(kind.begins) else None
                if reason is not None:
                    if at:
                        yield batch[:at]
                    raise UsageError(
                        f"{name}: entry {number + at + 1} begins as {kind.name} does, and is refused: {reason}",
                        hint="what came before it is in the log" if number + at else "",
                    )
        number += len(batch)
        yield batch


def _check_hashedrekord(entry: bytes) -> None:
    from tiles.sigstore.hashedrekord import check_hashedrekord  # slow to import, and few entries are of the kind

    check_hashedrekord(entry)


REKOR = OwnKind(Rekor.name, Rekor.begins, _check_hashedrekord)


@cache
def own_kinds() -> tuple[OwnKind, ...]:
    """Return what applications have declared, by name. Raises UsageError for what cannot be loaded or used."""
    from importlib.metadata import entry_points  # only here: most calls do not ask, and it takes a while

    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        try:
            loaded = point.load()
            begins, check = loaded.begins, loaded.check
        except Exception as error:
            raise _unusable(point.name, point.value, type(error).__name__) from error
        if type(begins) is not bytes or not begins or not callable(check):
            raise _unusable(point.name, point.value, "begins is bytes, not empty, and check a function")
        found.append(OwnKind(point.name, begins, check))
    return tuple(found)


def _refusal(kind: OwnKind, entry: bytes) -> str | None:
    """Return why an application refuses an entry; None if it does not."""
    try:
        kind.check(entry)
    except TilesError as error:
        return error.message[:_REASON]
    except Exception as error:  # noqa: BLE001  whatever it is, it says no
        return f"{type(error).__name__} {error}"[:_REASON].strip()
    return None


def _unusable(name: str, value: str, problem: str) -> UsageError:
    return UsageError(
        f"{value}, which checks entries of the kind {name}, cannot be used: {problem}",
        hint=f"it is installed as an entry point {GROUP}; without it such entries are not checked",
    )
