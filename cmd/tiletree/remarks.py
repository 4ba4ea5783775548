"""What commands say besides their results: of the index and name of a log, how far they are, and who cosigned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from tiles.notes.freshness import quorum_time
from tiles.notes.policy import Accepted, Policy
from tiles.sigstore.origin import refused_by
from tiles.store.address import shown_address
from tiletree.ui import Output


def remark_unsure(out: Output) -> None:
    """Say that entries were logged of which nobody could see whether they are in the log already."""
    text = "some may have been in the log already: its index does not cover all of it (`tiletree index build LOG`)"
    out.remark("once", False, text)


def remark_index(out: Output, log: str, problem: str) -> None:
    """Say why the index of a log does not cover all that it could; nothing if it does."""
    if problem:
        command = f"`tiletree index build {quote(shown_address(log))}`"
        out.remark("index", problem, f"the index is not up to date: {problem}; {command} lets it catch up")


def remark_origin(out: Output, origin: str) -> None:
    """Say which clients of Sigstore accept no proof of a log of that origin; nothing if all do."""
    if refusing := refused_by(origin):
        out.remark(
            "refused_by",
            list(refusing),
            f"warning: {', '.join(refusing)} accept no proof of a log whose name is more than a host name, such as "
            "log.example.com",
        )
        out.note("hint: if they are to verify what is logged, begin a log under another name: no log can be renamed")


@contextmanager
def covering(out: Output, label: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show how many entries an index covers by now: what is given is to be called with that number."""
    covered = 0
    with out.progress(label, size) as progress:

        def told(now: int) -> None:
            nonlocal covered
            progress.advance(now - covered)
            covered = now

        yield told


def cosigned(accepted: Accepted, policy: Policy) -> tuple[dict[str, Any], list[str]]:
    """Return who cosigned, and when the quorum still held: as fields of a JSON document, and as lines."""
    keys = [str(cosignature.key) for cosignature in accepted.cosignatures]
    fields: dict[str, Any] = {"cosigned_by": keys} if keys else {}
    lines = [f"cosigned by {key}" for key in keys]
    if (time := quorum_time(policy, accepted.cosignatures)) is not None:
        fields["time"] = time
        lines.append(f"time    {shown_time(time)}, until which the quorum holds")
    return fields, lines


def shown_time(seconds: int) -> str:
    """Return a time, in POSIX seconds, as it is shown."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):  # no calendar has such a year
        return f"{seconds} seconds after 1970"
