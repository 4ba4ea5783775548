"""`tiletree submit`: somebody without the key asks for entries to be logged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

import click

from tiles.errors import UsageError
from tiles.inbox.attachments import Attachments
from tiles.inbox.submission import NONCE_SIZE
from tiles.inbox.submit import SubmissionUnknown, pack, wait_until_logged
from tiles.inbox.submit import submit as put
from tiles.index.known import find_in
from tiles.store import Store
from tiles.store.address import normal_url
from tiles.user.places import blinding_path
from tiletree.blinding import blinder_at
from tiletree.commands.submit_report import Report
from tiletree.inputs import Input, input_options
from tiletree.keys import own_places
from tiletree.opening import visit
from tiletree.options import Writer, json_option, log_argument, output, private_option
from tiletree.proof_files import ProofFiles
from tiletree.reading import Pins, trust_options
from tiletree.submission import check_inbox, inbox_of, submitter_name, submitter_option, timeout_option, waiting
from tiletree.submitting import Submitting, check_all_unlogged, read_bundles
from tiletree.ui import Output

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@log_argument
@input_options("files", "raw", "named", "blind", "again", "payload", "lines", "stdin_lines")
@click.option(
    "--bundle", "bundles", multiple=True, type=_file, help="submit the entry of a signature bundle; repeatable"
)
@click.option("--public-key", type=_file, help="that signed, where --bundle names a bundle without a certificate")
@submitter_option
@click.option("--wait", is_flag=True, help="wait until the log has published the entries, and write proofs of files")
@timeout_option()
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
    given: Input,
    bundles: tuple[Path, ...],
    public_key: Path | None,
    submitter: str | None,
    wait: bool,
    timeout: float,
    receipt: Path | None,
    target: Path | None,
    private: str | None,
    pins: Pins,
) -> None:
    """Ask for entries to be logged: put them into the log's inbox, for `tiletree sequence` to add.

    \b
    Examples:
      tiletree submit s3://public-bucket/log --private s3://own-bucket/log dist/app.whl --wait
      tiletree submit ./log --lines hashes.txt --receipt submitted
      tiletree submit ./log --bundle app.whl.sigstore.json --wait

    Needs permission to create below inbox/NAME/ of the private part, and none to read or list there. What is logged of
    a file or a line is what `tiletree add` logs of it. The receipt says what was submitted, and what to look for in the
    log; without --receipt it is printed, and with --wait only if the entries were not logged in time: exit code 8.

    A file whose entry is in the log already is not logged again, except with --again; with --wait the answer says where
    it is, as soon as the log shows it. With --blind the secret is in your configuration, in tiletree/blinding; keep a
    copy of it.

    With --wait the public log is read until it has the entries. Then each one's index is printed, and a proof of each
    file is written to <its name>.tlog-proof. Without it there is nothing to prove yet: once the log has published them,
    `tiletree prove LOG FILE… --beside` writes the proofs.

    A FOLDER stands for the files in it, and a pattern for what fits it, as for `tiletree add`.

    With --payload the file itself is submitted, to be published at payload/sha256/ before its entry is logged. Each
    file is a submission then, and is refused unless the log's admission policy has a max-payload-bytes that admits it.
    Where the entry is in the log already, --wait does not wait for the file.

    With --bundle the entry of a signature is submitted, as `tiletree staple` logs it; each bundle is a submission. The
    bundle's timestamps, certificates and envelope are attached, because the log's admission policy may judge the entry
    by them. With --wait the entry is put into the bundle.
    """
    signed = _bundles(given, bundles, public_key)
    if signed:
        given = replace(given, files=tuple(map(str, bundles)))
    given.check()
    own = () if signed or not given.files else own_places(log, Writer(private=private))
    given = given if signed else given.picked(out, own)
    if target is not None and not (wait and given.files and not signed):
        raise click.UsageError("-o is for proofs of files, which --wait writes", click.get_current_context())
    proofs = _proof_paths(given.files, target or Path()) if wait and not signed else []
    report = Report(out, submitter_name(submitter), given, receipt)
    inbox = inbox_of(log, private)
    report.blinder = blinder_at(out, blinding_path(None)) if given.blind else None
    if not wait:
        _send(report, inbox, log, signed)
        report.finish()
        return
    client, accepted, pinned = visit(out, log, pins)
    check_inbox(inbox, log, accepted.signed.origin)
    report.trust = pinned.how
    if signed:
        check_all_unlogged(signed, client)
    unknown = _send(report, inbox, log, signed, go_on=True)
    if unknown is not None:
        out.remark("unknown", unknown.message, f"{unknown.message}; the log will tell")
    if given.once:
        report.known.update(find_in(client, {leaf for one in report.receipts for leaf in one.leaves}).indexes)
    deadline = time.monotonic() + timeout
    try:
        with waiting(out, timeout) as paused:
            for number, one in enumerate(report.receipts):
                left, since = max(0.0, deadline - time.monotonic()), accepted.signed.tree.size
                indexes = wait_until_logged(client, one, since, left, known=report.known, paused=paused)
                report.logged(indexes, client, proofs)
                if signed:
                    signed[number].put_entry(client, accepted.log, indexes[0])
                    report.bundles.append(signed[number].path)
    except BaseException:
        report.show_receipt()
        raise
    report.finish()


def _bundles(given: Input, paths: tuple[Path, ...], public_key: Path | None) -> list[Submitting]:
    """Return the bundles that a call names. Raises click.UsageError if it names something else as well."""
    if public_key is not None and not paths:
        raise click.UsageError("--public-key is for --bundle", click.get_current_context())
    if paths and given != Input(()):
        raise click.UsageError("--bundle goes with no files, lines, or options for them", click.get_current_context())
    return read_bundles(paths, public_key)


def _send(
    report: Report, inbox: Store, log: str, signed: list[Submitting], *, go_on: bool = False
) -> SubmissionUnknown | None:
    """Submit what the call names.

    signed  bundles, each a submission; none if it names something else
    go_on   return the error of the last object, if it is not known to be there, instead of raising it
    """
    name = normal_url(log)
    report.reserve()
    try:
        with _objects(report, signed) as objects:
            for entries, attached in objects:
                nonce, once = token_bytes(NONCE_SIZE), report.given.once
                try:
                    made = put(inbox, report.submitter, entries, nonce, log=name, once=once, attached=attached)
                    report.receipts.append(made)
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
def _objects(
    report: Report, signed: list[Submitting]
) -> Iterator[Iterator[tuple[Sequence[bytes], Mapping[int, Attachments]]]]:
    """Give what each object is to hold: entries, and what is attached to them."""
    if signed:
        yield (([one.entry], {0: one.attached}) for one in signed)
        return
    given = report.given
    if given.payload:  # each by itself, so that one which is refused takes no other with it
        with report.out.progress("submitting", len(given.files)) as progress:
            yield (([entry], {0: Attachments(payload=data)}) for entry, data in given.payloads(progress))
        return
    with _chunks(report) as chunks:
        yield ((entries, {}) for entries in pack(chunks))


@contextmanager
def _chunks(report: Report) -> Iterator[Iterator[list[bytes]]]:
    given = report.given
    if given.files:
        with report.out.progress("submitting", len(given.files)) as progress:
            yield given.entries(progress, blinder=report.blinder)
    else:
        with given.open_lines() as found:
            yield _hinted(found)


def _hinted(lines: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """Yield lines; say after one that is too long what became of those before it."""
    try:
        yield from lines
    except UsageError as error:
        hint = "the receipt says what was submitted before; log longer content as a file, by its digest"
        raise UsageError(error.message, hint=hint) from error


def _proof_paths(files: tuple[str, ...], directory: Path) -> list[Path]:
    """Return where the proofs of files are to be. Raises UsageError if that is taken."""
    places = ProofFiles(files, directory)
    paths = [places.path(name) for name in files]
    for number, path in enumerate(paths):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; nothing was submitted", hint="choose another directory with -o")
        if path in paths[:number]:
            raise UsageError(f"{files[number]} is named twice; nothing was submitted", hint="name it once")
    return paths
