"""What commands say besides their results: of the index and name of a log, how far they are, and who cosigned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from tiles.notes.freshness import quorum_time
from tiles.notes.policy import Accepted, Policy
from tiles.sigstore.origin import refused_by
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.read.addresses import Report
    from tiles.read.client import LogClient
    from tiles.read.memories import CheckpointMemory


def remark_unsure(out: Output) -> None:
    """Say that entries were logged of which nobody could see whether they are in the log already."""
    text = "some may have been in the log already: its index does not cover all of it (`tiletree index build LOG`)"
    out.remark("once", False, text)


def remark_index(out: Output, log: str, problem: str, name: str = "index") -> None:
    """Say why the index of a log does not cover all that it could; nothing if it does."""
    from tiles.store.address import shown_address  # `verify` does without

    if problem:
        command = f"`tiletree index build {quote(shown_address(log))}`"
        out.remark(name, problem, f"the index is not up to date: {problem}; {command} lets it catch up")


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


def say_addresses(out: Output, reports: Sequence[Report]) -> None:
    """Say which objects were read at another address than the log's first one, and why; nothing if none was."""
    for report in reports:
        if report.trouble:
            out.note(f"{report.url}: {report.trouble}")
    for report in reports[1:]:
        if report.objects:
            such = f", such as {report.such_as}" if report.such_as else ""
            out.note(f"objects read at {report.url}: {report.objects}{such}")
    if reports:
        out.remarks["addresses"] = [
            {"url": report.url, "objects": report.objects, "trouble": report.trouble} for report in reports
        ]


def remark_elsewhere(out: Output, client: LogClient, visits: CheckpointMemory | None) -> None:
    """Say what the log's other addresses show, where that is not what is read. Raises ForkError."""
    from tiles.read.elsewhere import compare

    found = compare(client, visits)
    for shown in found:
        if shown.problem:
            out.warn(f"{shown.url} was not compared: {shown.problem}")
        elif shown.tree is not None and shown.tree.size > client.tree.size:
            out.warn(f"{shown.url} shows a larger tree, which extends this one: size {shown.tree.size}")
    out.remarks["elsewhere"] = [
        {"url": shown.url, "size": shown.tree.size if shown.tree else None, "problem": shown.problem} for shown in found
    ]
