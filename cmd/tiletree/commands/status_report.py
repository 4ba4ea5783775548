"""What `status` found, as a JSON document and in words."""

from __future__ import annotations

from typing import Any

from tiles.inbox.selection import Backlog
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.tree.merkle import TreeHead
from tiles.upkeep.alarms import Alarm
from tiles.upkeep.status import Status
from tiletree.ui import lasted


def document(
    found: Status, now: float, key: str | None, problem: str, will: str, alarms: tuple[Alarm, ...]
) -> dict[str, Any]:
    """Return the document of a log's status. now: POSIX seconds.

    key, problem   where the key is, and why no run can sign with it, "" if one can; None if it was not looked for
    will           what the next run will do
    """
    head, waiting = found.head, found.backlog
    published = _tree(found.published)
    return {
        "origin": head.origin,
        "head": {
            **_of(head.tree),
            "base": head.base,
            "frozen": head.frozen,
            "age": found.age(now),
        },
        "published": published and {**published, "age": found.published_age(now)},
        "staged": list(found.staged),
        "anchor": _tree(found.anchor.tree if found.anchor else None),
        "key": None if key is None else {"path": key, "problem": problem or None},
        "backlog": {
            "objects": waiting.objects,
            "bytes": waiting.bytes,
            "oldest": waiting.oldest,
            "undeletable": waiting.undeletable,
            "unlistable": list(waiting.unlistable),
            "problem": found.inbox or None,
        },
        "indexes": [
            {"kind": kind, "covered": covered, "problem": wrong or None} for kind, covered, wrong in found.indexes
        ],
        "alarms": [
            {"alarm": alarm.name, "text": alarm.text, "value": alarm.value, "limit": alarm.limit} for alarm in alarms
        ],
        "next": will,
    }


def lines(found: Status, now: float, key: str | None, problem: str, will: str, memory: str) -> list[str]:
    """Return the same in words. memory: where the anchor is looked for."""
    head = found.head
    age, since = lasted(found.age(now)), lasted(found.published_age(now) or 0.0)
    return [
        f"log        {head.origin}",
        f"head       {head.tree}, committed {age} ago, on size {head.base}{', frozen' if head.frozen else ''}",
        f"published  {f'{found.published.tree}, {since} ago' if found.published else 'nothing'}",
        f"staged     {', '.join(found.staged) or 'nothing'}",
        f"anchor     {found.anchor.tree if found.anchor else f'nothing at {memory}'}",
        f"key        {key or 'not looked for'}{f', not usable: {problem}' if problem else ''}",
        f"inbox      {_waits(found.backlog) if not found.inbox else f'cannot be listed: {found.inbox}'}",
        f"index      {_indexed(found)}",
        f"next run   will {will}",
    ]


def _indexed(found: Status) -> str:
    """Return how far the index of each kind of keys is, in words."""
    words = [f"{kind} {wrong or f'covers {covered} entries'}" for kind, covered, wrong in found.indexes]
    return ", ".join(words) or "nothing"


def _waits(backlog: Backlog) -> str:
    """Return what waits, in words."""
    words = []
    if backlog.objects:
        words.append(f"{backlog.objects} waiting, {backlog.bytes} bytes, the oldest for {lasted(backlog.oldest)}")
    if backlog.undeletable:
        words.append(f"{backlog.undeletable} decided and not deleted")
    if backlog.unlistable:
        words.append(f"{len(backlog.unlistable)} submitters that cannot be listed")
    return "; ".join(words) or "nothing waiting"


def _tree(found: SignedCheckpoint | TreeHead | None) -> dict[str, int | str] | None:
    tree = found.tree if isinstance(found, SignedCheckpoint) else found
    return _of(tree) if tree else None


def _of(tree: TreeHead) -> dict[str, int | str]:
    return {"size": tree.size, "root": tree.root.hex()}
