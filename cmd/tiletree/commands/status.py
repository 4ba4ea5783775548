"""`tiletree status`: what the next run on a log will find and do."""

from __future__ import annotations

import time

import click

from tiles.errors import TilesError
from tiles.inbox.selection import Backlog
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import VerifierKey
from tiles.tree.merkle import TreeHead
from tiles.upkeep.status import Status, look
from tiles.user.exposed import readable
from tiles.user.places import private_store, public_store
from tiletree.keys import find_anchor, key_place, open_named
from tiletree.opening import remark_readable
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.ui import EXIT_OK, EXIT_REFUSED, Output, lasted


@click.command()
@log_argument
@writer_options("key", "private", "anchor")
@json_option
@output
def status(out: Output, log: str, writer: Writer) -> int:
    """Say what the next run will find and do. For whoever writes to LOG; changes nothing.

    \b
    Example:
      tiletree status ./log

    Exits 4 if the next run would refuse, or has no key to sign with.
    """
    public, own = public_store(log), private_store(log, writer.private)
    place = key_place(log, writer)
    memory = find_anchor(log, writer, place)
    now = time.time()
    found = look(public, own, memory, now)
    key, problem, hint = str(place), "", ""
    try:
        problem = _other(open_named(place, log, writer).verifier, found)
    except TilesError as error:
        problem, hint = error.message, error.hint
    head, age, waiting = found.head, max(0.0, now - found.modified), found.backlog
    published, since = _tree(found.published), max(0.0, now - (found.since or 0.0))
    will = f"refuse: {problem}" if problem and not found.refusal else found.next
    remark_readable(out, readable(own, memory))
    if hint := found.hint or hint:
        out.remark("hint", hint, f"hint: {hint}")
    out.answer(
        {
            "origin": head.origin,
            "head": {**_of(head.tree), "base": head.base, "frozen": head.frozen, "age": age},
            "published": published and {**published, "age": since},
            "staged": list(found.staged),
            "anchor": _tree(found.anchor.tree if found.anchor else None),
            "key": {"path": key, "problem": problem or None},
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
            "next": will,
        },
        f"log        {head.origin}",
        f"head       {head.tree}, committed {lasted(age)} ago, on size {head.base}{', frozen' if head.frozen else ''}",
        f"published  {f'{found.published.tree}, {lasted(since)} ago' if found.published else 'nothing'}",
        f"staged     {', '.join(found.staged) or 'nothing'}",
        f"anchor     {found.anchor.tree if found.anchor else f'nothing at {memory.url}'}",
        f"key        {key}{f', not usable: {problem}' if problem else ''}",
        f"inbox      {_waits(waiting) if not found.inbox else f'cannot be listed: {found.inbox}'}",
        f"index      {_indexed(found)}",
        f"next run   will {will}",
    )
    return EXIT_REFUSED if found.refusal or problem else EXIT_OK


def _other(key: VerifierKey, found: Status) -> str:
    """Return what is wrong with a key that is not the log's; "" if it is."""
    return "" if key.vkey in found.head.vkeys else f"it is the key {key.vkey}, not the log's"


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
