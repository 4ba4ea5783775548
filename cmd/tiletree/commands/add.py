"""`tiletree add`: files or lines are appended to a log, and published."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import click

from tiles.entries.batching import BATCH_SIZE, Batches
from tiles.errors import Unfinished
from tiles.log import Log
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.store import Store
from tiles.tree.merkle import leaf_hash
from tiles.write.sequencer import MAX_BATCH
from tiletree.blinding import blinder_at, path_beside
from tiletree.inputs import (
    SHOWN_ENTRIES,
    Input,
    input_options,
)
from tiletree.opening import find_key, open_sequencer, remark_readable, remark_undeleted
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output, Progress


@click.command()
@log_argument
@input_options("files", "raw", "named", "blind", "payload", "lines", "stdin_lines")
@click.option(
    "--batch-size",
    type=click.IntRange(1, MAX_BATCH),
    default=BATCH_SIZE,
    show_default=True,
    help="entries committed and published at a time",
)
@writer_options("key", "private", "anchor", "policy")
@json_option
@output
def add(
    out: Output,
    log: str,
    given: Input,
    batch_size: int,
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

    A call that was interrupted before it answered may be made again: entries that still wait to be published are not
    added twice. After exit code 5 do not add again; the next run publishes what is committed.
    """
    given.check()
    key = find_key(log, writer)
    sequencer = open_sequencer(log, writer, key)
    blinder = blinder_at(out, path_beside(key[0])) if given.blind else None
    remark_readable(out, sequencer.readable())
    report = _Report(out, given)
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
    report.finish(checkpoint)


def _append(
    sequencer: Log,
    batches: Batches,
    report: _Report,
    progress: Progress,
    payloads: Store | None = None,
) -> None:
    taken: deque[list[bytes]] = deque()

    def take(size: int | None) -> list[bytes]:
        batch = batches.take(size)
        if payloads is not None:
            payloads.barrier()  # what is logged is never missing, not even after a power cut
        taken.append(batch)
        return batch

    try:
        for appended in sequencer.append_all(take):
            batch = taken.popleft()
            report.add(appended.first_index, batch, appended.checkpoint)
            report.retries += appended.retries
            progress.advance(len(batch))
    except Unfinished as error:
        report.add(error.first_index, taken.popleft(), None)
        report.out.partial |= {"committed": True, "published": error.published}
        raise


@dataclass
class _Report:
    """What `add` did, for the person and for --json."""

    out: Output
    given: Input
    ranges: list[dict[str, int]] = field(default_factory=list)
    entries: list[dict[str, Any]] | None = field(default_factory=list)
    count: int = 0
    checkpoint: SignedCheckpoint | None = None
    retries: int = 0

    def add(self, first: int, batch: list[bytes], checkpoint: SignedCheckpoint | None) -> None:
        """Take down that a batch is in the log, published by `checkpoint`; its entries one by one if they are few."""
        self.checkpoint = checkpoint
        self._add_range(first, len(batch))
        if self.entries is not None and self.count + len(batch) <= SHOWN_ENTRIES:
            for offset, entry in enumerate(batch):
                name = self.given.name(self.count + offset)
                leaf = leaf_hash(entry).hex()
                self.entries.append({"index": first + offset, "leaf_hash": leaf, "name": name})
                self.out.line(f"{first + offset}  {leaf}  {name}")
        else:
            self.entries = None
            self.out.line(f"{first} to {first + len(batch) - 1}  {len(batch)} entries")
        self.count += len(batch)
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
        }

    def finish(self, checkpoint: SignedCheckpoint) -> None:
        """Print the outcome."""
        self.checkpoint = checkpoint
        tree = checkpoint.tree
        line = f"published {checkpoint.origin}, size {tree.size}, root {tree.root.hex()}"
        if self.retries:
            self.out.remark("retries", self.retries, f"other writers were first {self.retries} times")
        self.out.result(self.document(), line)
