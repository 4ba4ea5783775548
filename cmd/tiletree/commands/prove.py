"""Commands that read a log: info, get, prove, audit."""

from __future__ import annotations

import sys
from base64 import b64encode
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from shlex import quote

import click

from tiles.entries.file_digest import read_entries
from tiles.entries.payload import fetch_payload
from tiles.errors import AccessError, ProofError
from tiles.notes.policy import Accepted
from tiles.read.client import LogClient
from tiles.read.fetcher import is_local, open_log
from tiles.read.trust import Pinned, resolve
from tiles.store import StoreFetcher
from tiles.tree.merkle import leaf_hash
from tiles.upkeep.audit import audit as recompute
from tiles.user.places import public_store
from tiles.user.seen_checkpoints import Visits
from tiles.user.tile_cache import TileCache
from tiles.user.trusted_keys import Trust
from tiletree.options import json_option, log_argument, open_binary, output, read_policy, read_vkey, trust_options
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output, shown


def visit(out: Output, log: str, vkey: str | None, policy: Path | None) -> tuple[LogClient, Accepted, Pinned]:
    """Read a log's checkpoint, verify it, and prove it consistent with what was seen before."""
    fetcher = open_log(log)
    pinned = resolve(log, fetcher, Trust(), read_vkey(vkey), read_policy(policy))
    cache = None if is_local(fetcher) else TileCache()
    client = LogClient(fetcher, pinned.policy, visits=Visits(), cache=cache)
    accepted = client.visit()
    if pinned.is_first_use:
        out.note(
            f"trust: {pinned.how}; compare the key with its publisher's, then: "
            f"tiletree key trust {shown(quote(log))} {shown(quote(accepted.log.vkey))}"
        )
    if client.newer is not None:
        out.note(f"this is an old copy: size {client.newer.tree.size} was seen before, and extends it")
    return client, accepted, pinned


@click.command()
@log_argument
@trust_options
@json_option
@output
def info(out: Output, log: str, vkey: str | None, policy: Path | None) -> None:
    """Show a log's newest checkpoint, verified and consistent with what was seen before.

    \b
    Example:
      tiletree info https://log.example.com
    """
    _, accepted, pinned = visit(out, log, vkey, policy)
    tree = accepted.signed.tree
    out.result(
        {
            "origin": accepted.signed.origin,
            "size": tree.size,
            "root": tree.root.hex(),
            "vkey": accepted.log.vkey,
            "trust": pinned.how,
        },
        f"origin  {shown(accepted.signed.origin)}",
        f"size    {tree.size}",
        f"root    {tree.root.hex()}",
        f"vkey    {accepted.log.vkey}",
        f"trust   {pinned.how}",
        *(f"cosigned by {shown(str(cosignature.key))}" for cosignature in accepted.cosignatures),
    )


@click.command()
@log_argument
@click.argument("index", type=click.IntRange(min=0))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="write the bytes to this file")
@click.option("--payload", is_flag=True, help="the file whose digest the entry is, if it was added with --payload")
@trust_options
@json_option
@output
def get(
    out: Output, log: str, index: int, target: Path | None, payload: bool, vkey: str | None, policy: Path | None
) -> None:
    """Print one entry, verified against the checkpoint: its bytes as they are, made harmless on a terminal.

    \b
    Examples:
      tiletree get https://log.example.com 42 -o entry
      tiletree get https://log.example.com 42 --payload -o app.whl
    """
    client, _, pinned = visit(out, log, vkey, policy)
    entry = client.entry(index)
    data = fetch_payload(open_log(log), entry) if payload else entry
    if target is not None:
        _write(target, data)
    if out.json:
        document = {"index": index, "leaf_hash": leaf_hash(entry).hex(), "entry": b64encode(entry).decode()}
        if payload and target is None:
            document["payload"] = b64encode(data).decode()
        out.result({**document, "trust": pinned.how})
    elif target is None and sys.stdout.isatty():
        out.line("\n".join(shown(line) for line in data.decode("utf-8", "backslashreplace").split("\n")))
    elif target is None:
        sys.stdout.buffer.write(data)


@click.command()
@log_argument
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--index", type=click.IntRange(min=0), help="prove the entry at this index")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="the proof's file, .tlog-proof by custom"
)
@click.option("--scan", is_flag=True, help="look for FILE in a log of any size, entry by entry")
@trust_options
@json_option
@output
def prove(
    out: Output,
    log: str,
    file: str | None,
    index: int | None,
    target: Path | None,
    scan: bool,
    vkey: str | None,
    policy: Path | None,
) -> None:
    """Write the proof that an entry is in a log; it is verified offline, with `tiletree verify`.

    \b
    Examples:
      tiletree prove ./log --index 0 -o app.tlog-proof
      tiletree prove ./log dist/app.whl -o app.tlog-proof
    """
    if (file is None) == (index is None):
        raise click.UsageError("name a file, or --index", click.get_current_context())
    client, accepted, pinned = visit(out, log, vkey, policy)
    if index is None and file is not None:
        index = _find(client, file, accepted, scan=scan)
    proof = client.prove(index or 0)
    if target is None:
        if not out.json:
            out.line(proof.data.decode().rstrip("\n"))
    else:
        _write(target, proof.data)
    if out.json or target is not None:
        out.result(
            {
                "index": proof.index,
                "size": accepted.signed.tree.size,
                "origin": accepted.signed.origin,
                "trust": pinned.how,
                **({"proof": proof.data.decode()} if target is None else {"path": str(target)}),
            },
            f"wrote {target}: entry {proof.index} of {shown(accepted.signed.origin)}, size {accepted.signed.tree.size}",
        )


def _find(client: LogClient, file: str, accepted: Accepted, *, scan: bool) -> int:
    """Return the first index of a file, as a digest entry or else as its raw bytes."""
    with open_binary(file) as stream:
        digest, raw = read_entries(stream)
    for entry in (digest, raw):
        if entry is not None and (found := client.find(leaf_hash(entry), any_size=scan)):
            return found[0]
    raise ProofError(f"{file} is not among the {accepted.signed.tree.size} entries of {accepted.signed.origin}")


@click.command()
@log_argument
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="processes to hash with")
@trust_options
@json_option
@output
def audit(out: Output, log: str, jobs: int, vkey: str | None, policy: Path | None) -> int:
    """Read the whole log and recompute everything; report every finding, not the first.

    \b
    Example:
      tiletree audit ./log
    """
    _, accepted, pinned = visit(out, log, vkey, policy)
    fetcher = open_log(log)
    store = public_store(log) if isinstance(fetcher, StoreFetcher) else None
    with _workers(jobs) as executor, out.progress("auditing", accepted.signed.tree.size) as progress:
        report = recompute(
            fetcher,
            accepted.signed.tree,
            store=store,
            policy=pinned.policy,
            progress=progress.advance,
            executor=executor,
            url=log,
        )
    findings = [{"path": finding.path, "problem": finding.problem} for finding in report.findings]
    tree = report.tree
    out.result(
        {"size": tree.size, "root": tree.root.hex(), "findings": findings},
        *(f"{shown(finding.path)}: {shown(finding.problem)}" for finding in report.findings),
        f"audited {shown(accepted.signed.origin)}, size {tree.size}, root {tree.root.hex()}",
        f"{len(findings) or 'no'} findings",
    )
    return EXIT_WRONG if findings else EXIT_OK


def _workers(jobs: int) -> AbstractContextManager[Executor | None]:
    """Return processes to hash with; spawned, as a forked one could hold on to what its parent had open."""
    if jobs == 1:
        return nullcontext()
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
