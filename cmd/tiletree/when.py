"""By which day something was there: what kept checkpoints show, as fields and in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import click

from tiles.errors import ForkError
from tiles.read.client import LogClient
from tiles.read.histories import forked
from tiles.read.kept import Kept, KeptCheckpoints
from tiles.user.seen_checkpoints import Visits
from tiletree.pins import memory
from tiletree.remarks import shown_time
from tiletree.ui import Output

NOT_KNOWN = "not known by which day it was there: the log keeps no checkpoint that shows it"

when_option = click.option(
    "--when", is_flag=True, help="say by which day it was there, from the checkpoints that the log keeps"
)


def today() -> date:
    """Return the day it is (UTC)."""
    return datetime.now(UTC).date()


@contextmanager
def evidence_saved(kept: KeptCheckpoints) -> Iterator[None]:
    """Let a fork that is found be saved as evidence, and say where. kept: what finds it"""
    try:
        yield
    except ForkError as fork:
        visits = memory(Visits)
        if visits is None:
            raise
        raise forked(fork, kept.policy, visits) from None


class When:
    """Says of entries of one log by which day they were there."""

    def __init__(self, out: Output, client: LogClient) -> None:
        self._out = out
        self._client = client
        self._kept = KeptCheckpoints(client, today())

    def fields(self, index: int) -> dict[str, Any] | None:
        """Return by which day an entry was there; None if that is not known."""
        with evidence_saved(self._kept):
            kept = self._kept.by(index)
        remark_wrong(self._out, self._kept)
        return None if kept is None else kept_fields(kept)


def remark_when(out: Output, client: LogClient, index: int, *, wanted: bool) -> None:
    """Say of the one entry of an answer by which day it was there. wanted: whether the call asks for it"""
    if wanted:
        found = When(out, client).fields(index)
        out.remark("by", found, NOT_KNOWN if found is None else f"was there {words(found)}")


def kept_fields(kept: Kept) -> dict[str, Any]:
    """Return what a kept checkpoint shows, as fields."""
    cosigners = [str(cosignature.key) for cosignature in kept.accepted.cosignatures]
    return {
        "day": kept.day.isoformat(),
        "size": kept.size,
        "root": kept.accepted.signed.tree.root.hex(),
        "vkey": kept.accepted.log.vkey,
        **({"cosigned_by": cosigners} if cosigners else {}),
        **({"time": kept.time} if kept.time is not None else {}),
    }


def words(fields: dict[str, Any]) -> str:
    """Return by which day something was there, and whose word that is."""
    if "time" in fields:
        return f"by {fields['day']}, says the log; a quorum had seen it by {shown_time(fields['time'])}"
    return f"by {fields['day']}, says the log; no quorum of witnesses has dated that"


def remark_wrong(out: Output, kept: KeptCheckpoints) -> None:
    """Say what was found in the place of kept checkpoints and is none."""
    if kept.wrong:
        text = f"{len(kept.wrong)} kept checkpoints are none of this log, such as {kept.wrong[0]}"
        out.remark("not_kept", list(kept.wrong), text)
