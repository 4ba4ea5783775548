"""The command that asks for entries to be logged: submit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from secrets import token_bytes
from typing import BinaryIO

import click

from tiles.entries.batching import read_lines
from tiles.errors import UsageError
from tiles.inbox.submission import NONCE_SIZE, is_submitter
from tiles.inbox.submit import SubmissionUnknown, pack, wait_until_logged
from tiles.inbox.submit import submit as put
from tiles.store import Store
from tiles.store.address import normal_url
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.user.places import inbox_store
from tiletree.commands.prove import visit
from tiletree.commands.submit_report import Report
from tiletree.inputs import check_raw, file_entries
from tiletree.options import json_option, log_argument, open_binary, output, private_option, trust_options
from tiletree.ui import Output, shown

TIMEOUT = 600.0  # seconds


@click.command()
@log_argument
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--raw", is_flag=True, help=f"log the files' bytes, at most {MAX_ENTRY_SIZE}, instead of their digests")
@click.option("--lines", type=click.Path(exists=True, dir_okay=False), help="log each line of a file as an entry")
@click.option("--stdin-lines", is_flag=True, help="log each line of standard input as an entry")
@click.option("--submitter", metavar="NAME", help="whose inbox to submit to  [default: the login name]")
@click.option("--wait", is_flag=True, help="wait until the log has published the entries, and write proofs of files")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="how long to wait",
)
@click.option("--receipt", type=click.Path(path_type=Path), help="write the receipt to this new file")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="write proofs to this directory  [default: the current one]",
)
@private_option
@trust_options
@json_option
@output
def submit(
    out: Output,
    log: str,
    files: tuple[str, ...],
    raw: bool,
    lines: str | None,
    stdin_lines: bool,
    submitter: str | None,
    wait: bool,
    timeout: float,
    receipt: Path | None,
    target: Path | None,
    private: str | None,
    vkey: str | None,
    policy: Path | None,
) -> None:
    """Ask for entries to be logged: put them into the log's inbox, for `tiletree sequence` to add.

    \b
    Examples:
      tiletree submit s3://public-bucket/log --private s3://own-bucket/log dist/app.whl --wait
      tiletree submit ./log --lines hashes.txt --receipt submitted

    Needs permission to create below inbox/NAME/ of the private part, and none to read or list there. What is logged of
    a file or a line is what `tiletree add` logs of it. The receipt says what was submitted, and what to look for in the
    log; without --receipt it is printed, and with --wait only if the entries were not logged in time: exit code 4.

    With --wait the public log is read until it has the entries. Then each one's index is printed, and a proof of each
    file is written to <its name>.tlog-proof.

    With --json the document has `submitter`, `submissions` (name, number of entries and, once logged, first_index of
    each), `logged`, with up to 1,000 entries `entries` (name, leaf_hash and, once logged, index, and proof, a path),
    `receipt` or `receipt_path`, and once logged `size` and `trust`.
    """
    if sum((bool(files), lines is not None, stdin_lines)) != 1:
        raise click.UsageError("name files, or --lines, or --stdin-lines", click.get_current_context())
    if target is not None and not (wait and files):
        raise click.UsageError("-o is for proofs of files, which --wait writes", click.get_current_context())
    if raw:
        check_raw(files)
    proofs = _proof_paths(files, target or Path()) if wait else []
    report = Report(out, submitter or _login_name(), files or (lines or "-"), receipt)
    inbox = _inbox(log, private)
    if not wait:
        _send(report, inbox, log, files, raw=raw, lines=lines)
        report.finish()
        return
    client, accepted, pinned = visit(out, log, vkey, policy)
    report.trust = pinned.how
    unknown = _send(report, inbox, log, files, raw=raw, lines=lines, go_on=True)
    if unknown is not None:
        out.note(f"{shown(unknown.message)}; the log will tell")
    deadline = time.monotonic() + timeout
    try:
        for one in report.receipts:
            left = max(0.0, deadline - time.monotonic())
            indexes = wait_until_logged(client, one, accepted.signed.tree.size, left)
            report.logged(indexes[0], client, proofs)
    except BaseException:
        report.show_receipt()
        raise
    report.finish()


def _send(
    report: Report,
    inbox: Store,
    log: str,
    files: tuple[str, ...],
    *,
    raw: bool,
    lines: str | None,
    go_on: bool = False,
) -> SubmissionUnknown | None:
    """Submit what the call names.

    go_on   return the error of the last object, if it is not known to be there, instead of raising it
    """
    name = normal_url(log)
    report.reserve()
    try:
        with _chunks(report.out, files, raw=raw, lines=lines) as chunks:
            objects = pack(chunks)
            for entries in objects:
                try:
                    report.receipts.append(put(inbox, report.submitter, entries, token_bytes(NONCE_SIZE), log=name))
                except SubmissionUnknown as error:
                    report.receipts.append(error.receipt)
                    if go_on and next(objects, None) is None:
                        return error
                    raise
    except BaseException:
        report.show_receipt()
        raise
    finally:
        report.keep()
    return None


@contextmanager
def _chunks(out: Output, files: tuple[str, ...], *, raw: bool, lines: str | None) -> Iterator[Iterator[list[bytes]]]:
    if files:
        with out.progress("submitting", len(files)) as progress:
            yield file_entries(files, raw, progress)
    else:
        with open_binary(lines or "-") as stream:
            yield _lines(stream, lines or "standard input")


def _lines(stream: BinaryIO, name: str) -> Iterator[list[bytes]]:
    try:
        yield from read_lines(stream, name)
    except UsageError as error:
        hint = "the receipt says what was submitted before; log longer content as a file, by its digest"
        raise UsageError(error.message, hint=hint) from error


def _login_name() -> str:
    try:
        name = getuser()
    except (KeyError, OSError):  # no such user, and no variable that says one
        name = ""
    if not is_submitter(name):
        raise UsageError("the login name cannot be the name of a submitter", hint="choose one with --submitter")
    return name


def _inbox(log: str, private: str | None) -> Store:
    """Return where to submit; it has to be named for a log that is read from a server, which says nothing of it."""
    if private is None and log.lower().startswith(("http://", "https://")):
        raise UsageError(f"the private part of {normal_url(log)} is not known", hint="name it with --private")
    return inbox_store(log, private)


def _proof_paths(files: tuple[str, ...], directory: Path) -> list[Path]:
    """Return where the proofs of files are to be. Raises UsageError if that is taken."""
    paths = [directory / f"{'stdin' if name == '-' else Path(name).name}.tlog-proof" for name in files]
    for number, path in enumerate(paths):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; nothing was submitted", hint="choose another directory with -o")
        if path in paths[:number]:
            raise UsageError(f"two files would have the proof {path}; nothing was submitted", hint="submit them apart")
    return paths
