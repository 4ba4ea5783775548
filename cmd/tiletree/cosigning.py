"""What a command says of the witnesses that it asked: who cosigned, and who did not, and why."""

from __future__ import annotations

from typing import Any

import click

from tiles.write.cosign import TIMEOUT, Cosigned, Witnessing
from tiletree.options import Writer
from tiletree.ui import Output


def witnessing(writer: Writer, out: Output | None = None) -> Witnessing:
    """Return how a command asks witnesses, as its options say. out: who is told; None: the output of the command"""
    if out is None and (context := click.get_current_context(silent=True)) is not None:
        out = context.find_object(Output)
    timeout = TIMEOUT if writer.witness_timeout is None else writer.witness_timeout
    how = Witnessing(timeout, writer.wait_extra or 0.0, writer.fail_open)
    told = out
    return how if told is None else Witnessing(how.timeout, how.extra, how.fail_open, lambda done: tell(told, done))


def tell(out: Output, done: Cosigned) -> None:
    """Say what came of asking the witnesses; nothing where the policy is met. An error says itself who is missing."""
    out.quorum_missed = bool(done.shortfall)
    out.below_quorum = done.published and out.quorum_missed
    fields = cosigned_fields(done)
    if not done.shortfall:
        for name in fields:
            out.remarks.pop(name, None)
        for name, why in done.missing:
            out.detail("witness", f"witness {name} has not cosigned size {done.signed.tree.size}: {why}")
        return
    out.remarks |= fields
    if done.published:
        out.warn(f"published below the quorum: {done.shortfall}")
        for name, why in done.missing:
            out.note(f"witness {name} has not cosigned: {why}")
        out.note("hint: `tiletree refresh LOG` asks them again")


def cosigned_fields(done: Cosigned) -> dict[str, Any]:
    """Return what a JSON document says of it."""
    return {
        "cosigned_by": list(done.cosigned_by),
        "missing": [{"witness": name, "why": why} for name, why in done.missing],
    }
