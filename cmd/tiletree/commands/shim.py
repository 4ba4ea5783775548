"""`tiletree shim`: Rekor v2's write call on this machine, for as long as a job runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_bytes

import click

from tiles.errors import AccessError, Refused
from tiles.inbox.admission import OPEN, Admission, check_writer
from tiles.inbox.submission import NONCE_SIZE
from tiles.inbox.submit import submit as put
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import policy_for
from tiles.parallel import BUCKET_READS, in_background
from tiles.read.client import LogClient
from tiles.rekor.desk import Desk
from tiles.rekor.log_entry import log_entry
from tiles.rekor.shim import ShimCalls
from tiles.rekor.writers import Appending, Submitting
from tiles.sigstore.log_key import trusted_log
from tiles.sigstore.signing_config import SigningConfig
from tiles.sigstore.trusted_root import Period
from tiles.store import StoreFetcher
from tiles.store.address import normal_url, shown_address
from tiles.write.load import read_admission, read_head
from tiletree.ending import until_told_to_end
from tiletree.files import write_file
from tiletree.keys import find_key
from tiletree.loopback import LoopbackServer, parse_listen
from tiletree.opening import open_sequencer, remark_readable, remark_undeleted, visit
from tiletree.options import WITNESSES, Writer, json_option, log_argument, output, writer_options
from tiletree.reading import Pins, trust_options
from tiletree.remarks import remark_origin
from tiletree.submission import check_inbox, inbox_of, submitter_name, submitter_option
from tiletree.ui import Output, own_fault

_READY = re.compile(rb"http://(?:127\.0\.0\.1|\[::1\]):[0-9]{1,5}\n")


@click.command()
@log_argument
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="ADDRESS:PORT", help="port 0: any")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="write the URL to this file once calls are taken; removed at the end",
)
@click.option(
    "--signing-config",
    type=click.Path(path_type=Path),
    help="write a signing configuration to this file, which has clients log here",
)
@click.option("--outlive-parent", is_flag=True, help="go on when the process that started this one has ended")
@click.option(
    "--submit", "submits", is_flag=True, help="put entries into the log's inbox, and wait until they are logged"
)
@submitter_option
@writer_options("key", "private", "anchor", *WITNESSES)
@trust_options
@json_option
@output
def shim(
    out: Output,
    log: str,
    listen: str,
    ready_file: Path | None,
    signing_config: Path | None,
    outlive_parent: bool,
    submits: bool,
    submitter: str | None,
    writer: Writer,
    pins: Pins,
) -> None:
    """Answer Rekor's write call on this machine, until interrupted: clients of Rekor v2 write to LOG.

    \b
    Example:
      tiletree shim ./log --signing-config here.json --ready-file ready &
      cosign sign-blob --key cosign.key --signing-config here.json --trusted-root trusted_root.json …

    It takes POST /api/v2/log/entries from programs on this machine, verifies what it is to log, and answers when the
    entry is published, with all that a client needs to verify it offline. An entry that is in the log already is not
    logged again: the answer is of the one that is there. Requests that come together are one batch.

    With --submit it has no key: it submits to the inbox, as `tiletree submit` does, and answers when a run of
    `tiletree sequence` elsewhere has published. A client is told after 25 seconds to ask again: cosign waits for 30.

    It ends by Ctrl-C, by SIGTERM, or with the process that started it, and loses nothing if it is killed: what was
    answered is published, and a client that got no answer may ask again.
    """
    address = parse_listen(listen, "whoever reaches the shim can write to the log")
    if not submits and (submitter or pins.is_named):
        raise click.UsageError("--submitter, --vkey and --policy are for --submit", click.get_current_context())
    parent = os.getppid()
    _forget_killed(ready_file)
    if submits:
        name = submitter_name(submitter)
        key, desk = _submitting_desk(out, log, writer, pins, name)
        admission = OPEN  # whoever runs `sequence` judges
    else:
        key, desk, admission = _own_desk(out, log, writer)
    trusted_log(key, Period())  # refuses a key that no client of Sigstore verifies
    remark_origin(out, key.name)

    def logged(entry: bytes) -> bytes:
        check_writer([entry], {}, admission)  # each alone: what is refused costs no other client its answer
        return log_entry(entry, desk.log(entry), key).data

    def told(error: Exception) -> None:
        out.note(own_fault(error)[0])

    with (
        until_told_to_end() as told_to,
        _serving(LoopbackServer(address, ShimCalls(logged), told), desk) as server,
    ):
        line = f"{shown_address(log)} is written to at {server.url} until you press Ctrl-C"
        if signing_config:
            start = datetime.now(UTC).replace(microsecond=0)
            write_file(signing_config, SigningConfig(key.name, start, (server.url,)).data)
        with _ready(ready_file, server.url):
            out.result({"url": server.url}, line)
            server.serve(lambda: told_to.is_set() or (not outlive_parent and os.getppid() != parent))
    out.note("stopped")


def _own_desk(out: Output, log: str, writer: Writer) -> tuple[VerifierKey, Desk, Admission]:
    """Return the key of a log whose key the call has, what appends to it, and the policy that may be for that, too."""
    opened = open_sequencer(log, writer, find_key(log, writer))
    remark_readable(out, opened.readable())
    opened.finish()  # refuses what cannot be written soundly, before anybody is told to write
    head = read_head(opened.private)[0]
    if head.frozen:
        raise Refused(f"the log {head.origin} is frozen")
    key = opened.verifier
    client = LogClient(StoreFetcher(opened.public, min(opened.public.parallel, BUCKET_READS)), policy_for(key))

    def then() -> None:
        opened.update_index()
        remark_undeleted(out, opened.undeleted())

    desk = Desk(Appending(partial(opened.append, once=True), client, then))
    return key, desk, read_admission(opened.private, head)


def _submitting_desk(out: Output, log: str, writer: Writer, pins: Pins, submitter: str) -> tuple[VerifierKey, Desk]:
    """Return the key of a log that somebody else writes, and what submits to it."""
    inbox = inbox_of(log, writer.private)
    client, accepted, _ = visit(out, log, pins)
    check_inbox(inbox, log, accepted.signed.origin)

    def submit(entries: Sequence[bytes]) -> None:
        put(inbox, submitter, entries, token_bytes(NONCE_SIZE), log=normal_url(log), once=True)

    return accepted.log, Desk(Submitting(client, submit))


@contextmanager
def _serving(server: LoopbackServer, desk: Desk) -> Iterator[LoopbackServer]:
    """Let the desk work; at the end, what was taken is logged and answered."""
    working = in_background(desk.run)
    try:
        yield server
    finally:
        server.server_close()
        desk.close()
        working.result()
        server.finish()


def _forget_killed(path: Path | None) -> None:
    """Remove a ready file that a shim has left behind that was killed; whoever waits for one would not wait."""
    with suppress(OSError):
        if path is not None and _READY.fullmatch(path.read_bytes()[:80]):
            path.unlink()


@contextmanager
def _ready(path: Path | None, url: str) -> Iterator[None]:
    """Say where the shim is in a file, which is there from one moment to the next, and as long as the shim."""
    if path is None:
        yield
        return
    made = path.with_name(f"{path.name}.{os.getpid()}")
    write_file(made, f"{url}\n".encode(), new=True)
    try:
        made.replace(path)
    except OSError as error:
        made.unlink()
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
