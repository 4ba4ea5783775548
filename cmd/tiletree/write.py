"""Commands that write: init, add."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from tiles.bundle import MAX_ENTRY_SIZE
from tiles.checkpoint import SignedCheckpoint
from tiles.config import Remembered, try_to_remember
from tiles.errors import NotFound, Refused, Unfinished, UsageError
from tiles.intake import BATCH_SIZE, Batches, read_lines
from tiles.keyfile import read_key, write_key
from tiles.keys import SEED_SIZE, SigningKey, signing_key
from tiles.log import Log
from tiles.merkle import leaf_hash
from tiles.places import absolute, default_key_path, is_same_bucket, name_of, private_url
from tiles.places import private_in_bucket as private_in_bucket_of
from tiles.sequencer import MAX_BATCH
from tiles.store import Store
from tiles.store.url import is_object_url
from tiletree.entries import SHOWN_ENTRIES, check_payloads, check_raw, file_entries, payload_entries
from tiletree.options import (
    admission_option,
    find_anchor,
    find_key,
    json_option,
    log_argument,
    open_binary,
    open_sequencer,
    output,
    writer_options,
)
from tiletree.ui import Output, Progress, shown


@click.command()
@log_argument
@click.option("--origin", metavar="NAME", required=True, help="the log's name, such as log.example.com/releases")
@click.option("--private-in-bucket", is_flag=True, help="keep the private part beside the public one, in its bucket")
@click.option("--readable-private", is_flag=True, help="begin even if anyone can read the private part")
@click.option("--gzip", is_flag=True, help="store entries gzip-encoded, in a bucket")
@admission_option
@writer_options
@json_option
@output
def init(
    out: Output,
    log: str,
    origin: str,
    private_in_bucket: bool,
    readable_private: bool,
    gzip: bool,
    admission: Path | None,
    key: Path | None,
    private: str | None,
    anchor: str | None,
    policy: Path | None,
) -> None:
    """Begin a log: a key, and an empty signed checkpoint.

    \b
    Examples:
      tiletree init ./log --origin log.example.com/releases
      tiletree init s3://public-bucket/log --private s3://own-bucket/log --origin log.example.com

    The key goes to a new file, unless --key names one that exists; it is never overwritten. Interrupted, the same call
    finishes its work; on a log that is complete it changes nothing. Where the private part, the key and the anchor are
    is remembered: other commands need to be told LOG only.
    """
    private = _private_place(log, private, in_bucket=private_in_bucket)
    path = key or default_key_path(origin)
    signing, is_new = _init_key(path, origin)
    begun = open_sequencer(log, private, (path, signing), anchor, policy, admission, look_closer=not readable_private)
    if is_new:
        begun.check_new(gzip=gzip)
        write_key(path, signing)
    published = begun.create(gzip=gzip)
    is_remembered = _remember(log, private, key, anchor)
    vkey = signing.verifier.vkey
    out.result(
        {"origin": origin, "vkey": vkey, "size": published.tree.size},
        f"log      {shown(origin)}, size {published.tree.size}",
        f"public   {begun.public.url}",
        f"private  {begun.private.url}",
        f"key      {path}, keep it secret and keep a copy",
        f"anchor   {find_anchor(log, path, anchor).url}",
        f"vkey     {vkey}",
    )
    if not is_remembered:
        out.note("where these are could not be remembered: name --private, --key and --anchor in later calls")
    out.note(f"whoever verifies needs the vkey: hand it out by a way that nobody can change, not from {shown(log)}")


def _private_place(log: str, private: str | None, *, in_bucket: bool) -> str:
    if in_bucket and private:
        raise UsageError("--private names another place, --private-in-bucket the same one: give one of them")
    place = private_in_bucket_of(log) if in_bucket else private_url(log, private)
    if not in_bucket and private and is_same_bucket(log, place):
        raise UsageError(
            "the private part is in the bucket of the public one",
            hint="if readers are kept from it there, say --private-in-bucket instead; another bucket is safer",
        )
    return place


def _remember(log: str, private: str, key: Path | None, anchor: str | None) -> bool:
    """Remember what later commands could not guess; return whether they will find it."""
    default = Remembered(log=absolute(log))
    own = absolute(private)
    if not is_object_url(log) and own == absolute(private_url(log, None)):
        own = ""
    what = Remembered(
        default.log, own or None, str(key.absolute()) if key else None, absolute(anchor) if anchor else None
    )
    return (what == default and not is_object_url(log)) or try_to_remember(name_of(log), what)


def _init_key(path: Path, origin: str) -> tuple[SigningKey, bool]:
    """Return the key of the log to begin, and whether it still has to be written."""
    try:
        signing = read_key(path)
    except NotFound:
        return signing_key(origin, secrets.token_bytes(SEED_SIZE)), True
    if signing.name != origin:
        raise Refused(f"{path} is the key of {signing.name}, not of {origin}", hint="choose another --key")
    return signing, False


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
