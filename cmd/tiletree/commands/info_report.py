"""What `tiletree info` says of a log besides its newest checkpoint: how it was on a day, and other copies of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from tiles.errors import NotFound, UsageError
from tiles.notes.policy import Accepted, Policy
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.kept import REACH, KeptCheckpoints
from tiles.read.memories import CheckpointMemory
from tiles.read.same_history import AHEAD, BEHIND, FORK, SAME, Copy
from tiles.read.same_history import compare as compare_all
from tiles.store.address import shown_address
from tiletree.opening import OnlyCompared
from tiletree.pins import memory
from tiletree.remarks import shown_time
from tiletree.ui import Output
from tiletree.when import evidence_saved, kept_fields, remark_wrong, today


def on_day(out: Output, client: LogClient, day: date) -> tuple[dict[str, Any], list[str]]:
    """Return how a log was on a day: as fields, and as lines. Raises NotFound where that is not known."""
    now = today()
    if day > now:
        raise UsageError(f"--at {day} has not come yet: it is {now} (UTC)")
    kept = KeptCheckpoints(client, now)
    with evidence_saved(kept):
        found = kept.on(day)
    remark_wrong(out, kept)
    size = client.tree.size
    after = {"day": found.after.day.isoformat(), "size": found.after.size} if found.after is not None else None
    fields = {"at": {"day": day.isoformat(), "by": None, "after": after}}
    if found.by is None:
        out.partial = {**out.partial, **fields}
        later = f"; by {after['day']} it had {after['size']} entries" if after else ""
        raise NotFound(
            f"not known: of {day} and the {REACH - 1} days before, the log keeps no checkpoint{later}",
            hint="it may not have existed, published nothing, or not keep any; that none is there proves nothing",
        )
    by = kept_fields(found.by)
    fields["at"]["by"] = by
    lines = [
        f"at      {day}",
        f"by      {by['day']}: {by['size']} entries were there by that day, says the log",
        f"root    {by['root']}",
        f"signed  by {by['vkey']}",
        *(f"cosigned by {name}" for name in by.get("cosigned_by", ())),
        f"time    {shown_time(by['time'])}, by which a quorum had seen it"
        if "time" in by
        else "time    no quorum of witnesses has dated it",
        f"it is a beginning of the present tree, of {size} entries",
    ]
    until, most = (after["day"], after["size"]) if after else ("now", size)
    if most == by["size"]:
        lines.append(f"there were no more until {until}" if after else "there are no more now")
    else:
        lines.append(f"not known: how many of the {most - by['size']} that came until {until} were there on {day}")
    return fields, lines


def compare(
    client: LogClient, accepted: Accepted, policy: Policy, others: Sequence[str]
) -> tuple[dict[str, Any], list[str], list[Copy]]:
    """Return how other copies of a log stand to it: as fields, as lines, and as what was found."""
    visits = memory(OnlyCompared)
    origin = accepted.signed.origin

    def reader(place: str, seen: CheckpointMemory | None) -> LogClient:
        return LogClient(open_log(place), policy, visits=seen, origin=origin)

    named = [(shown_address(other), partial(reader, other)) for other in others]
    copies = compare_all(client, named, policy, visits)
    lines = [f"copy    {copy.place}: {_words(copy, client.tree.size)}" for copy in copies]
    return {"compared": [_row(copy) for copy in copies]}, lines, copies


def _row(copy: Copy) -> dict[str, Any]:
    tree = copy.signed.tree if copy.signed is not None else None
    return {
        "place": copy.place,
        "relation": copy.relation,
        **({} if tree is None else {"size": tree.size, "root": tree.root.hex()}),
        **({} if copy.error is None else {"problem": copy.error.message}),
    }


def _words(copy: Copy, size: int) -> str:
    if copy.signed is None or copy.error is not None:
        said = "another history" if copy.relation == FORK else "not compared"
        return f"{said}: {copy.error.message}" if copy.error is not None else said
    theirs = copy.signed.tree.size
    return {
        SAME: f"the same tree, of {theirs} entries",
        BEHIND: f"behind by {size - theirs}: its {theirs} entries are shown to be the first ones of this log",
        AHEAD: f"ahead by {theirs - size}: its {theirs} entries are shown to begin with those of this log",
    }[copy.relation]
