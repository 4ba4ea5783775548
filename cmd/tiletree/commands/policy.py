"""`tiletree policy`: what a policy asks for, and what a checkpoint has of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiles.errors import NotFound
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.freshness import quorum_time
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.notes.policy_report import (
    BY_LOG,
    BY_WITNESS,
    OTHER_LOG,
    OUTSIDE,
    PARTIAL,
    UNKNOWN,
    Line,
    Report,
    remarks,
    report,
)
from tiles.notes.quorum import Standing, shown, standing
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, is_tlog_proof, parse_tlog_proof
from tiles.read.trouble import judged
from tiles.tree.layout import CHECKPOINT
from tiletree.files import read_limited
from tiletree.options import json_option, output
from tiletree.remarks import shown_time
from tiletree.ui import Output


@click.group()
def policy() -> None:
    """Show what a policy asks for, and what a checkpoint has of it."""


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("what", metavar="[CHECKPOINT|LOG]", required=False)
@json_option
@output
def check(out: Output, file: Path, what: str | None) -> None:
    """Say in words what the policy in FILE asks for, and of a checkpoint which signatures count and what is missing.

    \b
    Examples:
      tiletree policy check policy.txt
      tiletree policy check policy.txt https://log.example.com
      tiletree policy check policy.txt ./checkpoint
      tiletree policy check policy.txt app.tlog-proof

    CHECKPOINT is a file with a checkpoint, or a .tlog-proof, which holds one; LOG is read as it is served now. What is
    not accepted: exit code 1, and so is a FILE that is no policy. Nothing is remembered of the log, and its checkpoint
    is not compared with what was seen before: `tiletree info` does that.

    What is odd about the policy is remarked: witnesses that the quorum does not name, or that may be run by one
    operator, a quorum that can never be met or that one absent witness stops, and several `log` lines, any one of which
    is enough. The format: https://c2sp.org/tlog-policy
    """
    with judged(data := read_limited(file, MAX_POLICY_SIZE), str(file)):
        parsed = parse_policy(data)
    signed = _checkpoint(what) if what is not None else None
    found = report(parsed, signed) if signed is not None else None
    document, lines = _asks(parsed, found)
    if signed is not None and found is not None:
        more, said = _has(parsed, signed, found)
        document, lines = document | more, lines + said
    odd = remarks(parsed)
    document["remarks"] = [{"kind": one.kind, "text": one.text} for one in odd]
    lines += [f"remark  {one.text}" for one in odd]
    if found is not None and found.refusal is not None:
        out.partial = document
        for line in lines:
            out.line(line)
        raise found.refusal
    out.answer(document, *lines)


def _checkpoint(what: str) -> SignedCheckpoint:
    """Return the checkpoint in a file, in a proof, or of a log."""
    if Path(what).is_file():
        with judged(data := read_limited(Path(what), max(MAX_NOTE_SIZE, MAX_PROOF_SIZE)), what):
            return parse_tlog_proof(data).checkpoint if is_tlog_proof(data) else parse_signed_checkpoint(data)
    from tiles.read.fetcher import open_log  # slow to import, and not for files
    from tiles.read.other_layouts import explained
    from tiles.store.past_caches import fetch_for

    fetcher = open_log(what)

    def read(data: bytes) -> SignedCheckpoint:
        with judged(data, f"{fetcher.url}/{CHECKPOINT}"):
            return parse_signed_checkpoint(data)

    try:
        return fetch_for(fetcher, CHECKPOINT, MAX_NOTE_SIZE, read)
    except NotFound as error:
        raise explained(fetcher, error) from error


def _asks(parsed: Policy, found: Report | None) -> tuple[dict[str, Any], list[str]]:
    """Return what a policy asks for: as fields, and as lines."""
    quorum = found.quorum if found is not None else standing(parsed)
    inside = quorum.witnesses if quorum is not None else ()
    logs = [{"vkey": log.key.vkey, **_url(log.url)} for log in parsed.logs]
    witnesses = [
        {
            "name": shown(witness.name),
            "vkey": witness.key.vkey,
            "in_quorum": witness.name in inside,
            **_url(witness.url),
        }
        for witness in parsed.witnesses
    ]
    document: dict[str, Any] = {"policy": parsed.sha256, "logs": logs, "witnesses": witnesses}
    lines = [f"log     {log['vkey']}" for log in logs]
    lines += [f"witness {one['name']} {one['vkey']}" for one in witnesses]
    if quorum is None:
        return {**document, "quorum": None}, [*lines, "quorum  none: no cosignature is asked for"]
    document["quorum"] = {
        "name": quorum.shown,
        "asks": quorum.asks,
        "smallest": quorum.smallest,
        "groups": [_group(one) for _, one in quorum.walk() if one.is_group],
    }
    if found is not None:
        document["quorum"] |= {"met": quorum.met, "stands": quorum.stands, "missing": quorum.missing}
    return document, lines + _quorum_lines(quorum, checked=found is not None)


def _group(group: Standing) -> dict[str, Any]:
    members = [member.shown for member in group.members]
    return {"name": group.shown, "threshold": group.threshold, "members": members, "met": group.met}


def _quorum_lines(quorum: Standing, *, checked: bool) -> list[str]:
    """Return the quorum in words, a line for it and one for each group below it."""
    lines = []
    for depth, one in quorum.walk():
        if depth and not one.is_group:
            continue  # the group that it is in names it
        name = f"{one.shown}: {one.asks}" if one.is_group else one.shown
        said = f"; {one.stands}" if checked else ""
        lines.append(f"{'quorum  ' if not depth else '  ' * (depth + 3)}{name}{said}")
    least = quorum.smallest
    if checked and quorum.missing:
        lines.append(f"missing {_cosignatures(quorum.missing)} more, at least")
    elif checked:
        lines.append("missing nothing: the quorum is met")
    elif least > 1 or quorum.is_group:
        lines.append(f"needs   {_cosignatures(least)} at least, of {len(quorum.witnesses)} witnesses")
    return lines


def _cosignatures(count: int) -> str:
    return "one cosignature" if count == 1 else f"{count} cosignatures"


def _url(url: str) -> dict[str, str]:
    return {"url": url} if url else {}


def _has(parsed: Policy, signed: SignedCheckpoint, found: Report) -> tuple[dict[str, Any], list[str]]:
    """Return what a checkpoint has: as fields, and as lines."""
    tree = signed.tree
    document: dict[str, Any] = {
        "origin": signed.origin,
        "size": tree.size,
        "root": tree.root.hex(),
        "signatures": [
            {
                "name": line.signature.name,
                "key_id": line.signature.key_id.hex(),
                "comes_to": line.comes_to,
                **({"witness": line.witness} if line.witness else {}),
                **({"time": line.time} if line.time else {}),
                **({"problem": line.problem} if line.problem else {}),
            }
            for line in found.lines
        ],
        "accepted": found.refusal is None,
    }
    lines = [f"origin  {signed.origin}", f"size    {tree.size}", f"root    {tree.root.hex()}"]
    lines += [f"signed  {line.signature.name}+{line.signature.key_id.hex()}: {_words(line)}" for line in found.lines]
    if found.refusal is not None:
        return document, lines
    time = quorum_time(parsed, parsed.accept(signed).cosignatures)
    if time is not None:
        document["time"] = time
        lines.append(f"time    {shown_time(time)}, until which the quorum holds")
    return document, [*lines, "accepted"]


def _words(line: Line) -> str:
    """Return what a signature line comes to, in words."""
    time = f", at {shown_time(line.time)}" if line.time else ", without a time" if line.time == 0 else ""
    words = {
        BY_LOG: f"the log signs it{time}",
        BY_WITNESS: f"{line.witness} has cosigned{time}",
        OUTSIDE: f"{line.witness} has cosigned{time}, and the quorum does not name it",
        OTHER_LOG: "a log of the policy, and of another origin: it does not count",
        PARTIAL: "the log signs the tree, without the extension lines: it does not count",
        UNKNOWN: "the policy has no such key: it does not count",
    }
    return words.get(line.comes_to, f"does not verify, so nothing of this checkpoint is accepted: {line.problem}")
