"""Commands that read and verify: info, get, prove, verify, audit."""

from __future__ import annotations

import sys
from base64 import b64encode
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from shlex import quote

import click

from tiles.audit import audit as recompute
from tiles.cache import TileCache
from tiles.checkpoint import parse_signed_checkpoint
from tiles.client import LogClient
from tiles.entry import read_entries
from tiles.errors import AccessError, ProofError, UsageError
from tiles.fetch import open_log
from tiles.fork import NEWER, check_fork
from tiles.http import HttpFetcher
from tiles.merkle import leaf_hash
from tiles.places import public_store
from tiles.policy import Accepted, Policy, policy_for
from tiles.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.trust import PINNED, Pinned, Trust, resolve
from tiles.visits import Visits, read_evidence
from tiletree.options import json_option, log_argument, open_binary, output, read_policy, read_vkey, trust_options
from tiletree.ui import EXIT_OK, EXIT_WRONG, Output, shown


def _visit(out: Output, log: str, vkey: str | None, policy: Path | None) -> tuple[LogClient, Accepted, Pinned]:
    """Read a log's checkpoint, verify it, and prove it consistent with what was seen before."""
    fetcher = open_log(log)
    pinned = resolve(log, fetcher, Trust(), read_vkey(vkey), read_policy(policy))
    cache = TileCache() if isinstance(fetcher, HttpFetcher) else None
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
    _, accepted, pinned = _visit(out, log, vkey, policy)
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
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="write the entry's bytes to this file")
@trust_options
@json_option
@output
def get(out: Output, log: str, index: int, target: Path | None, vkey: str | None, policy: Path | None) -> None:
    """Print one entry, verified against the checkpoint: its bytes as they are, made harmless on a terminal.

    \b
    Example:
      tiletree get https://log.example.com 42 -o entry
    """
    client, _, pinned = _visit(out, log, vkey, policy)
    entry = client.entry(index)
    if target is not None:
        _write(target, entry)
    if out.json:
        leaf = leaf_hash(entry).hex()
        encoded = b64encode(entry).decode()
        out.result({"index": index, "leaf_hash": leaf, "entry": encoded, "trust": pinned.how})
    elif target is None and sys.stdout.isatty():
        out.line("\n".join(shown(line) for line in entry.decode("utf-8", "backslashreplace").split("\n")))
    elif target is None:
        sys.stdout.buffer.write(entry)


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
    client, accepted, pinned = _visit(out, log, vkey, policy)
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
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--proof", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="the .tlog-proof file")
@click.option("--fork", type=click.Path(exists=True, file_okay=False, path_type=Path), help="evidence of a fork")
@trust_options
@json_option
@output
def verify(
    out: Output, file: str | None, proof: Path | None, fork: Path | None, vkey: str | None, policy: Path | None
) -> None:
    """Verify, offline, that FILE is in the log that signed the proof.

    \b
    Examples:
      tiletree verify app.whl --proof app.tlog-proof --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --fork DIR --vkey log.example.com+c4f0a2b1+AQ...

    FILE is looked for by its digest, then by its bytes; `matched` says which one it was. The key comes from --vkey,
    --policy or `tiletree key trust`, never from the proof. With --fork, verify that the log has shown two histories.
    """
    out.partial = {"verified": False}
    if fork is not None and file is None and proof is None:
        _verify_fork(out, fork, vkey, policy)
    elif fork is None and file is not None and proof is not None:
        _verify_file(out, file, proof, vkey, policy)
    else:
        raise click.UsageError("name a file and its --proof, or --fork alone", click.get_current_context())


def _verify_fork(out: Output, directory: Path, vkey: str | None, policy: Path | None) -> None:
    evidence = read_evidence(directory)
    origin = parse_signed_checkpoint(evidence.get(NEWER, b"")).origin
    pinned = _pinned(origin, vkey, policy)
    older, newer = check_fork(evidence, pinned.policy)
    out.result(
        {"verified": True, "fork": [str(older.tree), str(newer.tree)], "origin": origin, "trust": pinned.how},
        f"verified: {shown(origin)} has signed two histories",
        f"{older.tree}",
        f"{newer.tree}, which does not extend it",
    )


def _verify_file(out: Output, file: str, path: Path, vkey: str | None, policy: Path | None) -> None:
    proof = parse_tlog_proof(_read(path, MAX_PROOF_SIZE))
    pinned = _pinned(proof.checkpoint.origin, vkey, policy)
    accepted, matched = _match(proof, pinned.policy, file)
    signed = accepted.signed
    out.result(
        {
            "verified": True,
            "index": proof.index,
            "size": signed.tree.size,
            "origin": signed.origin,
            "trust": pinned.how,
            "matched": matched,
        },
        f"verified: {shown(file)} is entry {proof.index} of {shown(signed.origin)}, size {signed.tree.size}",
        f"matched   {'its digest' if matched == 'file' else 'its bytes'}",
        f"trust     {pinned.how}",
        *(f"cosigned by {shown(str(cosignature.key))}" for cosignature in accepted.cosignatures),
    )


def _pinned(origin: str, vkey: str | None, policy: Path | None) -> Pinned:
    """Return what a proof is verified by: never anything that came with it."""
    if vkey is not None and policy is not None:
        raise UsageError("--vkey and --policy both say whom to trust; name one")
    if (chosen := read_policy(policy)) is not None:
        return Pinned(chosen, PINNED)
    if (key := read_vkey(vkey)) is not None:
        return Pinned(policy_for(key), PINNED)
    if (known := Trust().lookup_origin(origin)) is not None:
        return known
    raise UsageError(
        f"no key is trusted for {origin}: name it with --vkey or --policy",
        hint="or remember it once with `tiletree key trust LOG VKEY`; it is never taken from the proof",
    )


def _match(proof: TlogProof, policy: Policy, file: str) -> tuple[Accepted, str]:
    """Verify a file in either form in which it may have been logged, and say in which it was."""
    with open_binary(file) as stream:
        digest, raw = read_entries(stream)
    forms = {"file": digest} | ({"raw": raw} if raw is not None else {})
    failed: ProofError | None = None
    for matched, entry in forms.items():
        try:
            return verify_tlog_proof(proof, leaf_hash(entry), policy), matched
        except ProofError as error:
            failed = failed or error
    evidence = failed.evidence if failed else {}
    raise ProofError(
        f"{file} is not entry {proof.index} of {proof.checkpoint.origin}: the proof is of something else",
        hint=failed.message if failed else "",
        evidence=evidence,
    )


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
    _, accepted, pinned = _visit(out, log, vkey, policy)
    fetcher = open_log(log)
    store = None if isinstance(fetcher, HttpFetcher) else public_store(log)
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


def _read(path: Path, limit: int) -> bytes:
    """Return a file's content, one byte more than `limit` at most: its parser refuses that."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
