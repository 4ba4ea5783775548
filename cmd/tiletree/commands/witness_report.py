"""What a run of a witness comes to, in words and in a document."""

from __future__ import annotations

from typing import Any

from tiles.errors import TilesError
from tiles.watch.witness import WitnessedLog
from tiles.watch.witness_run import Visited
from tiletree.ui import (
    EXIT_ACCESS,
    EXIT_FAULT,
    EXIT_OTHER_HISTORY,
    EXIT_REFUSED,
    EXIT_USAGE,
    EXIT_WRONG,
    exit_code,
    own_fault,
)


def document_of(visited: Visited) -> dict[str, Any]:
    """Return what became of a log, for a document."""
    if visited.error is not None:
        message, hint, kind = worded(visited.error)
        return {"origin": visited.log.origin, "error": {"kind": kind, "message": message, "hint": hint}}
    tree = visited.tree
    return {
        "origin": visited.log.origin,
        "outcome": visited.outcome,
        "size": tree.size,
        "root": tree.root.hex(),
        "time": visited.time,
    }


def worded(error: BaseException) -> tuple[str, str, str]:
    """Return message, hint and kind of what was raised."""
    if isinstance(error, TilesError):
        return error.message, error.hint, type(error).__name__
    return (*own_fault(error), "Unexpected") if isinstance(error, Exception) else ("interrupted", "", "Interrupted")


def seriousness(failed: tuple[WitnessedLog, BaseException]) -> int:
    """Return a number that is the smaller the more somebody has to look."""
    order = (EXIT_OTHER_HISTORY, EXIT_FAULT, EXIT_WRONG, EXIT_REFUSED, EXIT_USAGE, EXIT_ACCESS)
    return order.index(exit_code(failed[1]) if isinstance(failed[1], TilesError) else EXIT_FAULT)
