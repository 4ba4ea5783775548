"""`tiletree status`: what the next run on a log will find and do."""

from __future__ import annotations

import click

from tiles.notes.checkpoint import SignedCheckpoint
from tiles.tree.merkle import TreeHead
from tiles.upkeep.status import look
from tiles.user.places import private_store, public_store
from tiletree.opening import (
    find_anchor,
    find_key_path,
)
from tiletree.options import (
    Writer,
    json_option,
    log_argument,
    output,
    writer_options,
)
from tiletree.ui import EXIT_OK, EXIT_REFUSED, Output


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

    Exits 4 if the next run would refuse.
    """
    public, own = public_store(log), private_store(log, writer.private)
    memory = find_anchor(log, writer, find_key_path(log, writer))
    found = look(public, own, memory)
    head = found.head
    if found.hint:
        out.remark("hint", found.hint, f"hint: {found.hint}")
    out.answer(
        {
            "origin": head.origin,
            "head": {"size": head.tree.size, "root": head.tree.root.hex(), "base": head.base, "frozen": head.frozen},
            "published": _tree(found.published),
            "staged": list(found.staged),
            "anchor": _tree(found.anchor.tree if found.anchor else None),
            "next": found.next,
        },
        f"log        {head.origin}",
        f"head       {head.tree}, committed on size {head.base}{', frozen' if head.frozen else ''}",
        f"published  {found.published.tree if found.published else 'nothing'}",
        f"staged     {', '.join(found.staged) or 'nothing'}",
        f"anchor     {found.anchor.tree if found.anchor else f'nothing at {memory.url}'}",
        f"next run   will {found.next}",
    )
    return EXIT_REFUSED if found.refusal else EXIT_OK


def _tree(found: SignedCheckpoint | TreeHead | None) -> dict[str, int | str] | None:
    tree = found.tree if isinstance(found, SignedCheckpoint) else found
    return {"size": tree.size, "root": tree.root.hex()} if tree else None
