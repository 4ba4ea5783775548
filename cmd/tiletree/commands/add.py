"""`tiletree add`: files or lines are appended to a log, and published."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click

from tiles.entries.batching import BATCH_SIZE, Batches
from tiles.errors import Unfinished
from tiles.log import Log
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.store import Store
from tiles.tree.merkle import leaf_hash
from tiles.write.ahead import MAX_BATCH
from tiles.write.results import indexes, runs
from tiletree.blinding import blinder_at, path_beside
from tiletree.inputs import (
    SHOWN_ENTRIES,
    Input,
    input_options,
)
from tiletree.keys import find_key
from tiletree.links import link, named
from tiletree.opening import open_sequencer, remark_readable, remark_undeleted
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, url_option, writer_options
from tiletree.progress import Progress
from tiletree.remarks import remark_index, remark_unsure
from tiletree.ui import Output


@click.command()
@log_argument
@input_options("files", "raw", "named", "blind", "again", "payload", "lines", "stdin_lines")
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
    batch_size: int,
    url: str | None,
    writer: Writer,
) -> None:
    """Append to a log, and publish.

    \b
    Examples:
      tiletree add ./log dist/*.whl
      tiletree add ./log --lines hashes.txt
      journalctl -o json | tiletree add ./log --stdin-lines

    Of a file, its SHA-256 and size are logged, and with --name its name without folders; its content is not published.
    `-` is standard input. With --raw, --lines and --stdin-lines, the bytes themselves are logged; the newline that ends
    a line is not part of it. With --payload, the content is published too, at payload/sha256/, and
    `tiletree get --payload` reads it.

    With --blind, nobody can tell from the log which file was logged, not even by guessing: the entry depends on a
    secret, which is made at the first use, beside the key file, at <KEY>.blinding. With it `tiletree prove` finds the
    file; the proof lets anyone who has it verify. Keep a copy of it with the key.

    A file whose entry is in the log already is not logged again, and the answer says where it is; with --again it is.
    Lines are logged as often as they are given. A call that was interrupted before it answered may be made again:
    entries that still wait to be published are not added twice. After exit code 5 do not add again; the next run
    publishes what is committed.
    """
    given.check()
    key = find_key(log, writer)
    sequencer = open_sequencer(log, writer, key)
    blinder = blinder_at(out, path_beside(key.place)) if given.blind else None
    remark_readable(out, sequencer.readable())
    report = _Report(out, given, partial(link, sequencer.verifier.name, url=url))
    if given.files:
        given.check_sizes()
        if given.payload:
            sequencer.finish()  # refuses what cannot be written soundly, before anything is stored
        payloads = sequencer.public if given.payload else None
        with out.progress("adding", len(given.files)) as progress:
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
    report.finish(checkpoint)


def _append(
    sequencer: Log,
    batches: Batches,
    report: _Report,
    progress: Progress,
    payloads: Store | None = None,
) -> None:
    taken: deque[Sequence[bytes]] = deque()  # of each batch the entries that the answer may list

    def take(size: int | None) -> list[bytes]:
        batch = batches.take(size)
        if payloads is not None:
            payloads.barrier()  # what is logged is never missing, not even after a power cut
        taken.append(batch if len(batch) <= SHOWN_ENTRIES else ())
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
        report.add(taken.popleft(), indexes(error.first_index, error.count, error.already), error.already, None)
        report.out.partial |= {"committed": True, "published": error.published}
        raise


@dataclass
class _Report:
    """What `add` did, for the person and for --json.

    link      gives the address at which the page shows an entry, by its leaf hash
    is_sure   whether what was logged was not in the log before, as far as that was asked for
    """

    out: Output
    given: Input
    link: Callable[[bytes], str]
    is_sure: bool = True
    already: int = 0
    ranges: list[dict[str, int]] = field(default_factory=list)
    entries: list[dict[str, Any]] | None = field(default_factory=list)
    count: int = 0
    checkpoint: SignedCheckpoint | None = None
    retries: int = 0
    index: str = ""  # why the index of the log does not cover all that it could

    def add(
        self,
        batch: Sequence[bytes],
        indexes: Sequence[int],
        already: Sequence[tuple[int, int]],
        checkpoint: SignedCheckpoint | None,
    ) -> None:
        """Take down where a batch is in the log, published by `checkpoint`; its entries one by one if they are few.

        batch     its entries, if they are no more than SHOWN_ENTRIES
        already   (position, index) of what was there before, or came twice
        """
        self.checkpoint = checkpoint
        there = {position for position, _ in already}
        for first, count in runs(indexes):
            self._add_range(first, count)
        if self.entries is not None and self.count + len(indexes) <= SHOWN_ENTRIES:
            for offset, (index, entry) in enumerate(zip(indexes, batch, strict=True)):
                name = self.given.name(self.count + offset)
                leaf = leaf_hash(entry)
                shown = {"already": True} if offset in there else {}
                self.entries.append({"index": index, "name": name, **named(leaf, self.link(leaf)), **shown})
                self.out.line(f"{index}  {leaf.hex()}  {name}{', already in the log' if shown else ''}")
        else:
            self.entries = None
            new = [index for n, index in enumerate(indexes) if n not in there] if there else indexes
            for first, count in runs(new):
                self.out.line(f"{first} to {first + count - 1}  {count} entries")
            if there:
                self.out.line(f"{len(there)} entries that were in the log already")
        self.count += len(indexes)
        self.already += len(there)
        self.out.partial = self.document()

    def _add_range(self, first: int, count: int) -> None:
        if self.ranges and sum(self.ranges[-1].values()) == first:
            self.ranges[-1]["count"] += count
        else:
            self.ranges.append({"first_index": first, "count": count})

    def document(self) -> dict[str, Any]:
        """Return the JSON document; `entries` is there up to SHOWN_ENTRIES."""
        tree = self.checkpoint.tree if self.checkpoint else None
        return {
            "ranges": self.ranges,
            **({"entries": self.entries} if self.entries is not None else {}),
            "origin": self.checkpoint.origin if self.checkpoint else None,
            "size": tree.size if tree else None,
            "root": tree.root.hex() if tree else None,
            "published": tree is not None,
            **({"already": self.already} if self.given.once else {}),
        }

    def finish(self, checkpoint: SignedCheckpoint) -> None:
        """Print the outcome."""
        self.checkpoint = checkpoint
        tree = checkpoint.tree
        line = f"published {checkpoint.origin}, size {tree.size}, root {tree.root.hex()}"
        if self.retries:
            self.out.remark("retries", self.retries, f"other writers were first {self.retries} times")
        if not self.is_sure:
            remark_unsure(self.out)
        if self.already and self.already == self.count:
            line = f"nothing new: all of it was in the log already; {line}"
        self.out.result(self.document(), line)
