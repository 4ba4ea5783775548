"""`tiletree index`: the files by which entries are found are built and checked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tiles.entries.key_kinds import check_known, failures
from tiles.errors import NotFound, Refused, UsageError
from tiles.index.build import IndexBuilder
from tiles.index.own_index import DEFAULT_KINDS
from tiles.index.spread import SpreadLog
from tiles.index.stopped import change_stopped
from tiles.notes.index_head import IndexHead, sign_index_head
from tiles.notes.keys import SigningKey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.read.runs import Hands
from tiles.retry import Clock
from tiles.signing.open_key import open_key
from tiles.store import Store
from tiles.store.address import is_object_url
from tiles.store.directory import DirectoryStore
from tiles.store.probe import probe
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import private_store, public_store
from tiles.write.prepare import as_public
from tiletree.commands.index_report import Check, code_of
from tiletree.computing import Spread, address_elsewhere, spread_options
from tiletree.keys import environment_place, find_key, find_origin
from tiletree.opening import open_sequencer, tiles_of, visit
from tiletree.options import Writer, json_option, log_argument, output, private_option, writer_options
from tiletree.reading import Pins, reading_options, trust_options
from tiletree.remarks import covering
from tiletree.ui import Output

_KINDS = click.option(
    "--kind", "kinds", metavar="KIND", multiple=True, help=f"a kind of keys  [default: {', '.join(DEFAULT_KINDS)}]"
)


@click.group()
def index() -> None:
    """Build and check the index by which entries are found."""


@index.command()
@log_argument
@click.argument("dst", metavar="[DST]", required=False)
@_KINDS
@click.option("--repair", is_flag=True, help="put back objects of the index that are missing or damaged")
@writer_options("key", "private", "anchor")
@spread_options
@reading_options("mirror")
@json_option
@output
def build(
    out: Output,
    log: str,
    dst: str | None,
    kinds: tuple[str, ...],
    repair: bool,
    writer: Writer,
    spread: Spread,
    pins: Pins,
) -> None:
    """Begin the index of LOG, or let it catch up.

    \b
    Examples:
      tiletree index build ./log
      tiletree index build ./log --kind sha512/1
      tiletree index build https://log.example.com ./my-index --key my.key
      tiletree index build s3://bucket/log --executor dask://scheduler:8786

    The index of a log that you write is put into the log, and signed with the log's key. Runs that add entries keep
    every kind that was begun, and begin the default ones once the log has more than 16,384 entries; this command does
    the rest at once. With DST, a directory or a bucket, it is the index of anyone's log, in a place of your own, signed
    with your key: it proves to those who name that key that something is not in the log. An interrupted build goes on
    where it stopped. --vkey and --policy say whom to trust for LOG, with DST only.
    """
    for kind in kinds:
        check_known(kind)
        failures(kind)  # only those of this build are counted
    if dst is None:
        _build_own(out, log, kinds or DEFAULT_KINDS, writer, spread, pins, repair=repair)
    elif repair:
        raise UsageError("--repair is for the index of a log that you write, without DST")
    else:
        _build_other(out, log, dst, kinds or DEFAULT_KINDS, writer, spread, pins)


def _build_own(
    out: Output, log: str, kinds: Sequence[str], writer: Writer, spread: Spread, pins: Pins, *, repair: bool
) -> None:
    if pins.is_named or pins.mirrors:
        raise UsageError("--vkey, --policy and --mirror say whom to trust for the log of others, with DST")
    key = find_key(log, writer)
    opened = open_sequencer(log, writer, key)
    size = opened.finish().tree.size
    heads = []
    with spread.at_work(size) as workers:
        hands = Hands(workers, address_elsewhere(log))
        for kind in kinds:
            with covering(out, f"indexing {kind}", size) as told:
                heads.append(opened.build_index(kind, told, hands))
    repaired: list[tuple[str, str]] = []
    for kind in kinds if repair else ():
        with covering(out, f"checking {kind}", size) as told, TemporaryDirectory(prefix="tiletree-") as scratch:
            repaired += opened.repair_index(kind, DirectoryStore(Path(scratch)), told)
    _say(out, heads, size, key.verifier.vkey, opened.public, repaired)


def _build_other(
    out: Output, log: str, dst: str, kinds: Sequence[str], writer: Writer, spread: Spread, pins: Pins
) -> None:
    if writer.private is not None or writer.anchor is not None:
        raise UsageError("--private and --anchor are of a log that you write, without DST")
    signing = _own_key(writer)
    store = as_public(public_store(dst))
    _check_place(store, dst)
    client, accepted, _ = visit(out, log, pins)
    origin, size = accepted.signed.origin, client.tree.size
    heads = []
    with (
        tiles_of(log, client),
        spread.at_work(size) as workers,
        closing(SpreadLog(client, Hands(workers, address_elsewhere(log)))) as read,
    ):
        builder = IndexBuilder(store, read, lambda head: sign_index_head(head, signing).data, signing.verifier)
        for kind in kinds:
            with covering(out, f"indexing {kind}", size) as told:
                heads.append(builder.build(origin, kind, told=told))
    _say(out, heads, size, signing.verifier.vkey, store, ())


def _own_key(writer: Writer) -> SigningKey:
    place = writer.key or environment_place(writer)
    if place is None:
        raise UsageError("name the key that is to sign the index with --key", hint="`tiletree key generate` makes one")
    return open_key(place)


def _check_place(store: Store, dst: str) -> None:
    """Raise Refused unless an index by somebody else may be put there."""
    try:
        store.read(CHECKPOINT, MAX_NOTE_SIZE)
    except NotFound:
        pass
    else:
        raise Refused(
            f"{store.url} is a log, and readers would take the index for that log's own",
            hint=f"name another place, or build the log's own index: `tiletree index build {store.url}`",
        )
    if is_object_url(dst):
        probe(store, secrets.token_hex(16))


def _say(
    out: Output,
    heads: Sequence[IndexHead],
    size: int,
    vkey: str,
    store: Store,
    repaired: Sequence[tuple[str, str]],
) -> None:
    failed = {head.kind: count for head in heads if (count := failures(head.kind))}
    for kind, count in failed.items():
        out.remark("failed", failed, f"of {count} entries, keys of {kind} could not be computed")
    indexes = [
        {"kind": head.kind, "covered": head.tree.size, "records": sum(run.records for run in head.runs)}
        for head in heads
    ]
    out.result(
        {
            "origin": heads[0].origin,
            "size": size,
            "signed_by": vkey,
            "place": store.url,
            "indexes": indexes,
            "repaired": [{"path": path, "problem": problem} for path, problem in repaired],
        },
        *(f"{path}: {problem}; put back" for path, problem in repaired),
        *(f"{each['kind']}  covers {each['covered']} of {size} entries, {each['records']} records" for each in indexes),
        f"index of {heads[0].origin} in {store.url}, signed by {vkey}",
    )


@index.command()
@log_argument
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="a kind of keys  [default: all that the log has]")
@click.option("--against", type=click.Path(path_type=Path), metavar="FILE", help="also check this index head")
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="where to put the evidence of a lie")
@click.option("--work", type=click.Path(path_type=Path), metavar="DIR", help="keep what was computed, for later checks")
@spread_options
@trust_options
@json_option
@output
def check(
    out: Output,
    log: str,
    kinds: tuple[str, ...],
    against: Path | None,
    save: Path | None,
    work: Path | None,
    spread: Spread,
    pins: Pins,
) -> int:
    """Compute the index of LOG again from its entries, and compare it with what the log has signed.

    \b
    Examples:
      tiletree index check https://log.example.com
      tiletree index check ./log --kind leaf/1 --work ./checked

    Anyone can do this who can read the log. Exits 1 if the log has signed an index that does not follow from its
    entries, or two that contradict each other: then the evidence is saved for others to see, and nothing that was
    proven by that index counts. Exits 3 if objects of the index are missing or damaged and what was signed is right:
    `index build --repair` puts them back. With --work, only what is new is computed by the next check.
    """
    client, accepted, pinned = visit(out, log, pins)
    checking = Check(out, log, client, pinned, save, work, spread)
    with tiles_of(log, client):
        reports = [*checking.published(kinds), *([checking.given(against)] if against else [])]
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": client.tree.size,
            "trust": pinned.how,
            "indexes": [report.document for report in reports],
        },
        *(line for report in reports for line in report.lines),
    )
    return code_of(reports)


@index.command()
@log_argument
@_KINDS
@private_option
@json_option
@output
def stop(out: Output, log: str, kinds: tuple[str, ...], private: str | None) -> None:
    """Give up the index of LOG: runs that add entries do not keep it any more, nor begin it again.

    \b
    Example:
      tiletree index stop ./log

    What is there stays, and is of use as far as it covers the log. To remove it, delete `index/KIND/`, with all that is
    in it. `index build` takes it up again.
    """
    for kind in kinds:
        check_known(kind)
    own = private_store(log, private)
    origin = find_origin(public_store(log), own)
    stopped = sorted(change_stopped(own, Clock(), stop=kinds or DEFAULT_KINDS))
    out.result({"origin": origin, "stopped": stopped}, f"no run keeps these indexes of {origin}: {', '.join(stopped)}")
