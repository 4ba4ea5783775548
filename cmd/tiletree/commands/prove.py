"""`tiletree prove`: the proof that an entry is in a log, or the proofs of many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiles.user.pinned import Pinned
from tiles.user.seen_checkpoints import Visits
from tiletree.files import digest_named, write_file
from tiletree.finding import check_named, find_provable
from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.picking import Purpose, pick
from tiletree.pins import memory
from tiletree.proof_files import ProofFiles
from tiletree.reading import Pins, pruned_option, public_options, reading_options
from tiletree.trusting import pinned as pinned_by
from tiletree.ui import Output
from tiletree.when import remark_when, when_option

if TYPE_CHECKING:
    from tiles.read.client import LogClient


_PROVING = Purpose(
    proofs_alone="name the files that they prove or sign", is_itself=lambda word: digest_named(word) is not None
)


@click.command()
@log_argument
@click.argument("files", metavar="[FILE|FOLDER]...", nargs=-1)
@click.option(
    "--index",
    "indexes",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="prove the entry at this index; can be given several times",
)
@click.option("--all", "every", is_flag=True, help="prove every entry")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="the proof's file, .tlog-proof by custom"
)
@click.option(
    "--out-dir",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="where many proofs go, each as INDEX.tlog-proof",
)
@click.option("--beside", is_flag=True, help="write the proof of each FILE beside it, as FILE.tlog-proof")
@click.option("--scan", is_flag=True, help="look for FILE in a log of any size, entry by entry")
@click.option("--through", metavar="ORIGIN", help="with the endorsement by the log of this name, for outsiders")
@when_option
@pruned_option
@reading_options("mirror", "layout")
@public_options
@json_option
@output
def prove(
    out: Output,
    log: str,
    files: tuple[str, ...],
    indexes: tuple[int, ...],
    every: bool,
    target: Path | None,
    folder: Path | None,
    beside: bool,
    scan: bool,
    when: bool,
    minimum: int,
    through: str | None,
    pins: Pins,
    public: Pins,
) -> None:
    """Write the proof that an entry is in a log, or many; each is verified offline, with `tiletree verify`.

    \b
    Examples:
      tiletree prove ./log --index 0 -o app.tlog-proof
      tiletree prove ./log dist/app.whl -o app.tlog-proof
      tiletree prove ./log dist --beside
      tiletree prove ./log dist/*.whl --out-dir proofs
      tiletree prove https://log.example.com --all --out-dir proofs
      tiletree prove ./private dist/app.whl --through log.example.com -o app.tlog-proof
      tiletree prove ./log sha256:3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b

    FILE is a file, or sha256:HEX. It is found under whatever name it was logged. A log of more than 16,384 entries
    needs an index for that, or --scan. What is not in the log: exit code 8.

    With --beside and --out-dir, FILE may be a folder or a pattern as well, as for `tiletree add`. The proofs are of one
    checkpoint, and each tile of the log is read once. Where some cannot be made, the others are written, and the exit
    code is the first of 7, 1, 8, 3 that occurred. --beside replaces a proof of the same log, and no other file.

    With --through, the proof is of the newest tree of LOG that `endorse` has logged in the log ORIGIN, and the
    endorsement is written beside it: -o app.tlog-proof also makes app.endorsement. `verify --endorsement` takes both.
    An entry that came later is not endorsed yet: exit code 8.
    """
    many = folder is not None or beside
    _check_many(files, indexes, target, through, beside=beside, folder=folder, every=every, when=when)
    if through is not None and target is None:
        raise click.UsageError("--through writes two files: name the proof's with -o", click.get_current_context())
    if through is None and public != Pins():
        raise click.UsageError("--public-vkey and --public-policy go with --through", click.get_current_context())
    if many and files:
        found = pick(files, purpose=_PROVING)
        found.say(out)
        files = found.files
    for each in files:
        check_named(each)
    places = ProofFiles(files, None) if beside else None
    client, accepted, pinned = visit(out, log, pins)
    origin, size = accepted.signed.origin, accepted.signed.tree.size
    with tiles_of(log, client, minimum):
        if (where := places or folder) is not None:
            from tiletree.commands.prove_many import ManyProofs  # not for one proof

            if places is not None:
                places.check(origin)
            ManyProofs(out, client, where).write(files, indexes or range(minimum, size), log, pinned.how, scan=scan)
            return
        index, extra = find_provable(out, client, files[0], log, scan=scan) if files else (indexes[0], b"")
        if through is not None and target is not None:
            _prove_through(out, client, index, extra, through, public, pinned, target)
            return
        proof = client.prove(index, extra)
        remark_when(out, client, proof.index, wanted=when)
    document = {"index": proof.index, "size": size, "origin": origin, "trust": pinned.how}
    if target is not None:
        write_file(target, proof.data)
        line = f"wrote {target}: entry {proof.index} of {origin}, size {size}"
        out.result({**document, "path": str(target)}, line)
        return
    out.answer({**document, "proof": proof.data.decode()})
    out.raw(proof.data)


def _check_many(
    files: tuple[str, ...],
    indexes: tuple[int, ...],
    target: Path | None,
    through: str | None,
    *,
    beside: bool,
    folder: Path | None,
    every: bool,
    when: bool,
) -> None:
    """Raise UsageError unless the call names what to prove, in one way, and a folder if that may be many."""
    context = click.get_current_context()
    if [bool(files), bool(indexes), every].count(True) != 1:
        raise click.UsageError("name files, or --index, or --all", context)
    if beside and (folder is not None or not files or any(each.startswith("sha256:") for each in files)):
        raise click.UsageError("--beside is for files, without --out-dir", context)
    if folder is None and not beside and (every or len(files) + len(indexes) > 1):
        what = "beside the files, with --beside, or into a folder" if files else "into a folder"
        raise click.UsageError(f"many proofs go {what}: name it with --out-dir", context)
    if (folder is not None or beside) and (target is not None or through is not None or when):
        raise click.UsageError("-o, --through and --when go with one proof, without --out-dir and --beside", context)
    if len(files) > 1 and "-" in files:
        raise click.UsageError("standard input is read alone", context)


def _prove_through(
    out: Output, client: LogClient, index: int, extra: bytes, through: str, public: Pins, own: Pinned, target: Path
) -> None:
    """Write the proof of an entry in the newest endorsed tree, and the endorsement."""
    from tiles.read.endorsed import check_endorsed, newest_endorsement, prove_endorsed  # few calls need it
    from tiletree.endorsing import endorsement_path, shown_endorsement

    trust = pinned_by(through, public)
    endorsement, endorsed = newest_endorsement(client.fetcher, through, trust.policy, own.policy)
    check_endorsed(client, endorsed.tree.signed, memory(Visits))
    proof = prove_endorsed(client, endorsed, index, extra)
    beside = endorsement_path(target)
    write_file(target, proof.data)
    write_file(beside, endorsement.data)
    document, lines = shown_endorsement(endorsed, trust.policy, trust.how)
    tree = proof.checkpoint
    out.result(
        {
            "index": proof.index,
            "size": tree.tree.size,
            "origin": tree.origin,
            "trust": own.how,
            "path": str(target),
            "endorsement": str(beside),
            "endorsed": document,
        },
        f"wrote {target}: entry {proof.index} of {tree.origin}, size {tree.tree.size}",
        f"wrote {beside}",
        *lines,
    )
