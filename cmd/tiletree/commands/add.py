"""`tiletree add`: files or lines are appended to a log, and published."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import click

from tiles.entries.batching import BATCH_SIZE, Batches
from tiles.errors import Unfinished
from tiles.log import Log
from tiles.store import Store
from tiles.write.ahead import MAX_BATCH
from tiles.write.results import indexes
from tiletree.blinding import blinder_at, path_beside
from tiletree.commands.add_report import LATER, Added, Report
from tiletree.inputs import SHOWN_ENTRIES, Input, input_options
from tiletree.keys import find_key, own_places
from tiletree.links import link
from tiletree.opening import open_sequencer, remark_readable, remark_undeleted
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, url_option, writer_options
from tiletree.progress import Progress
from tiletree.proof_files import Asked, proofs_options
from tiletree.publishing import remark_made
from tiletree.remarks import remark_index
from tiletree.ui import Output


@click.command()
@log_argument
@input_options("files", "raw", "named", "blind", "again", "payload", "lines", "stdin_lines")
@proofs_options
@click.option("--dry-run", is_flag=True, help="say what would be recorded, and write nothing; no key is needed")
@click.option(
    "--batch-size",
    type=click.IntRange(1, MAX_BATCH),
    default=BATCH_SIZE,
    show_default=True,
    help="entries committed and published at a time",
)
@url_option
@writer_options("key", "private", "anchor", "policy", *WITNESSES)
@json_option
@output
def add(
    out: Output,
    log: str,
    given: Input,
    asked: Asked,
    dry_run: bool,
    batch_size: int,
    url: str | None,
    writer: Writer,
) -> None:
    """Append to a log, and publish.

    \b
    Examples:
      tiletree add ./log dist --proofs
      tiletree add ./log dist/*.whl --dry-run
      tiletree add ./log --lines hashes.txt
      journalctl -o json | tiletree add ./log --stdin-lines

    Of a file, its SHA-256 and size are logged, and with --name its name without folders; its content is not published.
    `-` is standard input. With --raw, --lines and --stdin-lines, the bytes themselves are logged; the newline that ends
    a line is not part of it. With --payload, the content is published too, at payload/sha256/, and
    `tiletree get --payload` reads it.

    Of a FOLDER, all files in it and below it are meant, in the order of their names, but nothing hidden, no symbolic
    links, and nothing of the log itself; a pattern such as 'dist/*.whl' may be quoted. Proof files are left out, and so
    is a file that signs another one of the call (FILE.sigstore.json, .sig, .asc, .minisig). What is left out is said.

    With --proofs, the proof of each file is written beside it, as FILE.tlog-proof, with --proofs-in into one folder.
    One that is there and verifies is kept; if it is of another history than the log's, that is an error: exit code 7.
    Where too few witnesses have cosigned, no proof is written, because readers would not accept it: once the log is
    published, `tiletree prove LOG FILE… --beside` writes them.

    With --blind, nobody can tell from the log which file was logged, not even by guessing: the entry depends on a
    secret, which is made at the first use, beside the key file, at <KEY>.blinding. With it `tiletree prove` finds the
    file; the proof lets anyone who has it verify. Keep a copy of it with the key.

    A file whose entry is in the log already is not logged again, and the answer says where it is; with --again it is.
    Lines are logged as often as they are given. A call that was interrupted before it answered may be made again:
    entries that still wait to be published are not added twice. After exit code 5 do not add again; the next run
    publishes what is committed.
    """
    given.check()
    asked.check(given.files)
    if dry_run:
        from tiletree.commands.add_dry_run import foresee  # few calls ask

        foresee(out, log, given, asked, writer)
        return
    key = find_key(log, writer)
    given = given.picked(out, own_places(log, writer, key.place) if given.files else ())
    places = asked.of(given.files)
    sequencer = open_sequencer(log, writer, key)
    if places is not None:
        places.check(sequencer.verifier.name)
    blinder = blinder_at(out, path_beside(key.place)) if given.blind else None
    remark_readable(out, sequencer.readable())
    added = Added(given, blinder) if places is not None else None
    report = Report(out, given, partial(link, sequencer.verifier.name, url=url), added)
    if given.files:
        if given.payload:
            sequencer.finish()  # refuses what cannot be written soundly, before anything is stored
        payloads = sequencer.public if given.payload else None
        with _safe_to_repeat(given), out.progress("adding", len(given.files), "publishing") as progress:
            _append(
                sequencer, Batches(given.entries(progress, payloads, blinder), batch_size), report, Progress(), payloads
            )
    else:
        with given.open_lines() as found, out.progress("adding lines") as progress:
            _append(sequencer, Batches(found, batch_size), report, progress)
    if report.checkpoint is None:
        out.note("nothing to add: the input is empty")
    checkpoint = report.checkpoint or sequencer.finish()
    remark_undeleted(out, sequencer.undeleted())
    remark_index(out, log, report.index)
    if added is not None and places is not None:
        added.write_proofs(out, sequencer, places)
    report.finish(checkpoint, remark_made(out, sequencer))
    if added is not None:
        added.check_all_written()


@contextmanager
def _safe_to_repeat(given: Input) -> Iterator[None]:
    """Say to whom interrupts it that the same call goes on, where what is in the log is not added twice."""
    try:
        yield
    except KeyboardInterrupt as error:
        if given.once:
            error.add_note("make the same call again to go on: what is in the log is not added twice")
        raise


def _append(
    sequencer: Log,
    batches: Batches,
    report: Report,
    progress: Progress,
    payloads: Store | None = None,
) -> None:
    taken: deque[Sequence[bytes]] = deque()  # of each batch the entries that the answer may list

    def take(size: int | None) -> list[bytes]:
        batch = batches.take(size)
        if payloads is not None:
            payloads.barrier()  # what is logged is never missing, not even after a power cut
        taken.append(batch if len(batch) <= SHOWN_ENTRIES else ())
        if report.added is not None:
            report.added.expect(batch)
        return batch

    try:
        for appended in sequencer.append_all(take, once=report.given.once):
            report.add(taken.popleft(), appended.indexes, appended.already, appended.checkpoint)
            report.retries += appended.retries
            report.is_sure = report.is_sure and appended.once
            progress.advance(len(appended.indexes))
            sequencer.update_index(more=True)  # the answer has been printed
        report.index = sequencer.update_index()
    except Unfinished as error:
        if report.added is not None:
            error.hint = "; ".join(filter(None, [error.hint, f"no proof was written: {LATER}"]))
        report.add(taken.popleft(), indexes(error.first_index, error.count, error.already), error.already, None)
        report.out.partial |= {"committed": True, "published": error.published}
        raise
