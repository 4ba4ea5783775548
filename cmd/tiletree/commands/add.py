"""The command that appends: add."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from tiles.entries.batching import BATCH_SIZE, Batches, read_lines
from tiles.errors import Unfinished
from tiles.log import Log
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.store import Store
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash
from tiles.write.sequencer import MAX_BATCH
from tiletree.inputs import SHOWN_ENTRIES, check_payloads, check_raw, file_entries, payload_entries
from tiletree.opening import (
    find_key,
    open_binary,
    open_sequencer,
)
from tiletree.options import json_option, log_argument, output, writer_options
from tiletree.ui import Output, Progress, shown


@click.command()
@log_argument
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--raw", is_flag=True, help=f"log the files' bytes, at most {MAX_ENTRY_SIZE}, instead of their digests")
@click.option("--payload", is_flag=True, help="publish the files, too, of which digests are logged")
@click.option("--lines", type=click.Path(exists=True, dir_okay=False), help="log each line of a file as an entry")
@click.option("--stdin-lines", is_flag=True, help="log each line of standard input as an entry")
@click.option(
    "--batch-size",
    type=click.IntRange(1, MAX_BATCH),
    default=BATCH_SIZE,
    show_default=True,
    help="entries committed and published at a time",
)
@writer_options
@json_option
@output
def add(
    out: Output,
    log: str,
    files: tuple[str, ...],
    raw: bool,
    payload: bool,
    lines: str | None,
    stdin_lines: bool,
    batch_size: int,
    key: Path | None,
    private: str | None,
    anchor: str | None,
    policy: Path | None,
) -> None:
    """Append to a log, and publish.

    \b
    Examples:
      tiletree add ./log dist/*.whl
      tiletree add ./log --lines hashes.txt
      journalctl -o json | tiletree add ./log --stdin-lines

    For a file, `-` is standard input, what is logged is its SHA-256 and size: its content is not published. With
    --raw, --lines and --stdin-lines it is the bytes themselves; a line ends at its newline, which is not part of it.
    With --payload the content is published too, at payload/sha256/, and `tiletree get --payload` reads it.

    A call that was interrupted before it answered may be made again: entries that still wait to be published are not
    added twice. After exit code 5 do not add again; the next run publishes what is committed.
    """
    if sum((bool(files), lines is not None, stdin_lines)) != 1:
        raise click.UsageError("name files, or --lines, or --stdin-lines", click.get_current_context())
    if payload and (raw or not files):
        raise click.UsageError("--payload is for files whose digests are logged", click.get_current_context())
    sequencer = open_sequencer(log, private, find_key(log, private, key), anchor, policy)
    report = _Report(out)
    if files:
        if raw:
            check_raw(files)
        if payload:
            check_payloads(files)
            sequencer.finish()  # refuses what cannot be written soundly, before anything is stored
        with out.progress("adding", len(files)) as progress:
            public = sequencer.public
            found = payload_entries(files, public, progress) if payload else file_entries(files, raw, progress)
            _append(sequencer, Batches(found, batch_size), report, files, Progress(), public if payload else None)
    else:
        name = lines or "standard input"
        with open_binary(lines or "-") as stream, out.progress("adding lines") as progress:
            _append(sequencer, Batches(read_lines(stream, name), batch_size), report, lines or "-", progress)
    if report.checkpoint is None:
        out.note("nothing to add: the input is empty")
    report.finish(report.checkpoint or sequencer.finish())


def _append(
    sequencer: Log,
    batches: Batches,
    report: _Report,
    names: tuple[str, ...] | str,
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
            report.add(appended.first_index, batch, names, appended.checkpoint)
            report.retries += appended.retries
            progress.advance(len(batch))
    except Unfinished as error:
        report.add(error.first_index, taken.popleft(), names, None)
        report.out.partial |= {"committed": True, "published": error.published}
        raise


@dataclass
class _Report:
    """What `add` did, for the person and for --json."""

    out: Output
    ranges: list[dict[str, int]] = field(default_factory=list)
    entries: list[dict[str, Any]] | None = field(default_factory=list)
    count: int = 0
    checkpoint: SignedCheckpoint | None = None
    retries: int = 0

    def add(
        self, first: int, batch: list[bytes], names: tuple[str, ...] | str, checkpoint: SignedCheckpoint | None
    ) -> None:
        """Take down that a batch is in the log, published by `checkpoint`; its entries one by one if they are few."""
        self.checkpoint = checkpoint
        self._add_range(first, len(batch))
        if self.entries is not None and self.count + len(batch) <= SHOWN_ENTRIES:
            for offset, entry in enumerate(batch):
                name = names[self.count + offset] if isinstance(names, tuple) else f"{names}:{self.count + offset + 1}"
                leaf = leaf_hash(entry).hex()
                self.entries.append({"index": first + offset, "leaf_hash": leaf, "name": name})
                self.out.line(f"{first + offset}  {leaf}  {shown(name)}")
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
            "size": tree.size if tree else None,
            "root": tree.root.hex() if tree else None,
            "published": tree is not None,
        }

    def finish(self, checkpoint: SignedCheckpoint) -> None:
        """Print the outcome."""
        self.checkpoint = checkpoint
        tree = checkpoint.tree
        line = f"published {shown(checkpoint.origin)}, size {tree.size}, root {tree.root.hex()}"
        self.out.result(self.document(), line)
        if self.retries:
            self.out.note(f"other writers were first {self.retries} times")
