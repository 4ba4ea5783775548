"""Several files in one call: what goes wrong with one of them does not keep the others from being looked at."""

from __future__ import annotations

from tiles.errors import TilesError
from tiletree.ui import EXIT_ACCESS, EXIT_NOT_LOGGED, EXIT_OTHER_HISTORY, EXIT_WRONG, Output, exit_code

# of several files with which something is wrong, the first of these codes that occurred is the exit code of the call;
# any other error ends the call
WORST = (EXIT_OTHER_HISTORY, EXIT_WRONG, EXIT_NOT_LOGGED, EXIT_ACCESS)


def said(out: Output, error: TilesError) -> dict[str, str]:
    """Return what is wrong with one file, for the document of the call: as that says what is wrong with the call."""
    return {"kind": type(error).__name__, "message": out.plain(error.message), "hint": out.plain(error.hint)}


def worst(errors: list[tuple[str, TilesError]], summary: str) -> TilesError:
    """Return the error that decides the exit code, which names its file.

    errors    each with the name of its file
    summary   how many it is one of, as in "1 of 3 files not verified"; "" for the one file of a call
    """
    file, error = min(errors, key=lambda each: WORST.index(exit_code(each[1])))
    if summary:
        error.message = f"{summary}; {file}: {error.message}"
        error.args = (error.message,)
    return error
