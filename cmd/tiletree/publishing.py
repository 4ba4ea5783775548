"""What a command says at its end of the checkpoint: whether it has published one, or has found it published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiles.log import Log
    from tiles.tree.merkle import TreeHead
    from tiles.write.results import Made
    from tiletree.ui import Output


def published_line(origin: str, tree: TreeHead, made: Made, added: int) -> str:
    """Return the line of a report that says which checkpoint is published.

    made    what the command has published
    added   how many entries it has added itself
    """
    which = f"{origin}, size {tree.size}, root {tree.root.hex()}"
    if not made.checkpoints:
        return f"the published checkpoint is unchanged: {which}"
    if added or made.finished:
        return f"published {which}"
    return f"published {which}: no new entries, but signatures that it lacked"


def finished_field(made: Made) -> list[dict[str, int]]:
    """Return the batches that a command has finished for earlier runs, as a JSON document has them."""
    return [{"first_index": first, "count": count} for first, count in made.finished]


def finished_lines(made: Made) -> list[str]:
    """Return a line for each batch that a command has finished for an earlier run."""
    return [
        f"{first} to {first + count - 1}  entries {count}, committed by an earlier run and published by this one"
        for first, count in made.finished
    ]


def remark_made(out: Output, opened: Log) -> Made:
    """Return what a command has published, once; say which batches it has finished for earlier runs."""
    made = opened.made()
    if made.finished:
        fields: list[dict[str, Any]] = [*finished_field(made)]
        out.remarks["finished"] = fields
        for text in finished_lines(made):
            out.line(text)
    return made
