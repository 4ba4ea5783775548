"""`tiletree get`: one entry of a log."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import click

from tiles.entries.kind import LEAF
from tiles.entries.other_logs import DESCRIBED, described
from tiles.entries.payload import fetch_payload
from tiles.errors import Malformed, UsageError
from tiles.index.find_file import find_leaf_hash
from tiles.index.key_text import key_from
from tiles.notes.keys import VerifierKey
from tiles.read.client import LogClient
from tiles.read.layouts import SUMDB, name_of
from tiles.read.looked_up import look_up
from tiles.tree.merkle import Hash, leaf_hash, to_hash
from tiletree.files import write_file
from tiletree.finding import check_named, find_entry, remarks
from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.proposed import Proposed, proposed_options
from tiletree.reading import Pins, pruned_option, reading_options
from tiletree.ui import Output
from tiletree.when import remark_when, when_option

_MODULE = re.compile(r"[^@:]+@v[^@]+")  # MODULE@VERSION
_ENTRY_ID = 80  # digits, of Rekor v1: 16 of a tree, and then the 64


@click.command()
@log_argument
@click.argument("what", metavar="[WHAT]", required=False)
@click.option(
    "--uuid", metavar="HEX", help="the entry with this leaf hash, which `sign` and `add --json` print as uuid"
)
@proposed_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["entry", "text", "tle"]),
    default="entry",
    help="its bytes; what it says, in words; or Rekor's TransparencyLogEntry: the entry, its proof and the checkpoint",
)
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="write the bytes to this file")
@click.option(
    "--payload", is_flag=True, help="the file or statement whose digest the entry has, if it was added with --payload"
)
@click.option("--scan", is_flag=True, help="look for it in a log of any size, entry by entry")
@when_option
@pruned_option
@reading_options("mirror", "layout")
@json_option
@output
def get(
    out: Output,
    log: str,
    what: str | None,
    uuid: str | None,
    proposed: Proposed,
    form: str,
    target: Path | None,
    payload: bool,
    scan: bool,
    when: bool,
    minimum: int,
    pins: Pins,
) -> None:
    """Print one entry, verified against the checkpoint.

    \b
    Examples:
      tiletree get https://log.example.com 42 -o entry
      tiletree get https://log.example.com 42 --payload -o app.whl
      tiletree get https://log.example.com app.whl
      tiletree get https://sumdb.example.com golang.org/x/mod@v0.36.0 --format text
      tiletree get https://log.example.com 42 --format tle
      tiletree get ./log --artifact app.whl --signature app.sig --public-key signer.pub
      tiletree get https://log.example.com --uuid 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b

    WHAT is an index, a file, sha256:HEX, or of a checksum database of Go a MODULE@VERSION; what is not in the log: exit
    code 8. A file whose name is a number is ./42. A file is looked for as `add` logs it; with --signature and
    --public-key, the entry of a signature over --artifact.
    The bytes are printed as they are, but on a terminal without characters that could harm it.
    """
    entry = proposed.entry()
    if sum(each is not None for each in (what, uuid, entry)) != 1:
        message = "name an index, a file or sha256:HEX, or --uuid, or a signature"
        raise click.UsageError(message, click.get_current_context())
    _check_form(form, payload=payload, target=target)
    leaf = leaf_hash(entry) if entry is not None else None
    if uuid is not None:
        leaf = _leaf_hash(uuid)
    if what is not None and not _is_index(what) and not _is_module(what):
        check_named(what)
    client, accepted, pinned = visit(out, log, pins)
    with tiles_of(log, client, minimum):
        if leaf is not None:
            index, entry = find_leaf_hash(client, leaf, remarks(out), any_size=scan)
        else:
            index, entry = _find(out, client, what or "", log, scan=scan)
        remark_when(out, client, index, wanted=when)
        told = _log_entry(client, accepted.log, index, entry) if form == "tle" else b""
    data = fetch_payload(client.fetcher, entry) if payload else told or entry
    document: dict[str, Any] = {
        "index": index,
        "leaf_hash": leaf_hash(entry).hex(),
        "entry": b64encode(entry).decode(),
    }
    layout = name_of(client.log_format)
    if form == "text" or layout in DESCRIBED:
        kind, said = described(layout, entry)
        document |= {"kind": kind, "says": [{"label": label, "text": text} for label, text in said]}
        if form == "text":
            out.answer(
                {**document, "trust": pinned.how},
                f"{'Entry':12} {index}, {kind}",
                *(f"{label:12} {text}" for label, text in said),
            )
            return
    if told:
        document["tle"] = told.decode()
    if target is not None:
        write_file(target, data)
        out.result({**document, "trust": pinned.how})
        return
    if payload:
        document["payload"] = b64encode(data).decode()
    out.answer({**document, "trust": pinned.how})
    out.raw(data)


def _check_form(form: str, *, payload: bool, target: Path | None) -> None:
    """Raise UsageError if the options do not go together."""
    if form == "text" and target is not None:
        raise click.UsageError("-o writes bytes, and --format text has none", click.get_current_context())
    if payload and form != "entry":
        raise click.UsageError("--payload has no --format", click.get_current_context())


def _is_index(what: str) -> bool:
    return what.isascii() and what.isdigit()


def _is_module(what: str) -> bool:
    return _MODULE.fullmatch(what) is not None and not Path(what).exists()


def _find(out: Output, client: LogClient, what: str, log: str, *, scan: bool) -> tuple[int, bytes]:
    """Return index and entry of what the call names. Raises UsageError, and NotLogged."""
    if _is_index(what):
        return int(what), client.entry(int(what))
    if _is_module(what) and client.log_format is SUMDB:
        return look_up(client, what)
    check_named(what)
    index, entry, _ = find_entry(out, client, what, log, any_size=scan)
    return index, entry


def _leaf_hash(uuid: str) -> Hash:
    """Return the leaf hash that --uuid names. Raises UsageError."""
    try:
        return to_hash(key_from(LEAF, uuid).value)
    except UsageError:
        is_entry_id = len(uuid) == _ENTRY_ID
        hint = (
            "of an EntryID of Rekor, leave out the first 16 digits, which name one of its trees" if is_entry_id else ""
        )
        raise UsageError("--uuid is a leaf hash: 64 hexadecimal digits", hint=hint) from None


def _log_entry(client: LogClient, key: VerifierKey, index: int, entry: bytes) -> bytes:
    """Return what Rekor v2 answers of an entry. Raises UsageError for one that is of none of Rekor's kinds."""
    from tiles.rekor.log_entry import log_entry, proven  # slow to import, and not for other calls
    from tiles.sigstore.body import kind_and_version

    try:
        kind_and_version(entry)
    except Malformed:
        raise UsageError(
            f"entry {index} is of none of Rekor's kinds, so there is no TransparencyLogEntry of it",
            hint=f"`tiletree prove LOG --index {index}` writes its proof",
        ) from None
    return log_entry(entry, proven(client, index, entry), key).data
