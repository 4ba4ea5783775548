"""`tiletree verify`: a file and its proof are verified, offline."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import click

from tiles.entries.file_digest import DigestEntry, name_in
from tiles.entries.kinds import forms, kind_of
from tiles.entries.proof_extra import entry_of
from tiles.errors import NotLogged, ProofError, UsageError
from tiles.index.key_text import text_of
from tiles.index.search_proof import MAX_SEARCH_PROOF_SIZE, parse_search_proof
from tiles.index.search_verdict import verify_search_proof
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, check_fork, fork_signers
from tiles.notes.policy import Accepted, Policy, policy_for
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.read.trouble import judged
from tiles.read.trust import PINNED, Pinned
from tiles.tree.merkle import leaf_hash
from tiles.user.seen_checkpoints import read_evidence
from tiles.user.trusted_keys import REMEMBERED, Trust
from tiletree.blinding import known_secrets
from tiletree.opening import (
    cosigned,
    memory,
    read_file,
    read_policy,
    read_vkey,
)
from tiletree.options import Pins, json_option, output, trust_options
from tiletree.ui import Output


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--proof", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="the .tlog-proof file")
@click.option(
    "--search-proof",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="a file that `search --prove` wrote",
)
@click.option("--fork", type=click.Path(exists=True, file_okay=False, path_type=Path), help="evidence of a fork")
@trust_options
@json_option
@output
def verify(
    out: Output, file: str | None, proof: Path | None, search_proof: Path | None, fork: Path | None, pins: Pins
) -> None:
    """Verify, offline, that FILE is in the log that signed the proof.

    \b
    Examples:
      tiletree verify app.whl --proof app.tlog-proof --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --search-proof app.search-proof --vkey log.example.com+c4f0a2b1+AQ...
      tiletree verify --fork DIR --vkey log.example.com+c4f0a2b1+AQ...

    FILE is looked for by its digest, its digest with its name, and its bytes; `matched` says which one it was. If the
    proof names an entry of exactly this file, that one is tried first, under whatever name. The key comes from --vkey,
    --policy or `tiletree key trust`, never from the proof. With --search-proof, verify which entries of the log have
    what was looked for, and that there are no others; exit code 8 if it proves that there are none. With --fork, verify
    that the log has shown two histories.
    """
    out.partial = {"verified": False}
    named = [one is not None for one in (file, proof, search_proof, fork)]
    if fork is not None and sum(named) == 1:
        _verify_fork(out, fork, pins)
    elif search_proof is not None and sum(named) == 1:
        _verify_search(out, search_proof, pins)
    elif file is not None and proof is not None and sum(named) == 2:
        _verify_file(out, file, proof, pins)
    else:
        message = "name a file and its --proof, or --search-proof or --fork alone"
        raise click.UsageError(message, click.get_current_context())


def _verify_fork(out: Output, directory: Path, pins: Pins) -> None:
    evidence = read_evidence(directory)
    with judged(data := evidence.get(NEWER, b""), str(directory / NEWER)):
        origin = parse_signed_checkpoint(data).origin
    pinned = _pinned(origin, pins)
    older, newer = check_fork(evidence, pinned.policy)
    one, other = (key.vkey for key in fork_signers(older, newer, pinned.policy))
    is_one = one == other
    out.result(
        {
            "verified": True,
            "fork": [str(older.tree), str(newer.tree)],
            "origin": origin,
            "trust": pinned.how,
            "signed_by": [one] if is_one else [one, other],
        },
        f"verified: {origin} has signed two histories{'' if is_one else ', with two different keys'}",
        f"{older.tree}{'' if is_one else f', signed by {one}'}",
        f"{newer.tree}, which does not extend it, signed by {other}",
    )


def _verify_search(out: Output, path: Path, pins: Pins) -> None:
    with judged(data := _read(path, MAX_SEARCH_PROOF_SIZE), str(path)):
        proof = parse_search_proof(data)
    pinned = _pinned(proof.checkpoint.origin, pins)
    searched = verify_search_proof(proof, pinned.policy)
    signed, key = searched.accepted.signed, proof.key
    size = signed.tree.size
    out.partial = {
        "verified": True,
        "hits": [],
        "looked_for": {"kind": key.kind, "value": text_of(key)},
        "covered": searched.covered,
        "size": size,
        "origin": signed.origin,
        "trust": pinned.how,
    }
    what = f"{key.kind} {text_of(key)}"
    if not searched.hits:
        raise NotLogged(f"verified: none of the {size} entries of {signed.origin} has {what}")
    hits = [
        {"index": index, "leaf_hash": (key.value if entry is None else leaf_hash(entry)).hex()}
        for index, entry in reversed(searched.hits)
    ]
    out.result(
        {**out.partial, "hits": hits},
        f"verified: of the {size} entries of {signed.origin}, these have {what}, and no others",
        *(f"{hit['index']}  {hit['leaf_hash']}" for hit in hits),
        f"trust     {pinned.how}",
    )


def _verify_file(out: Output, file: str, path: Path, pins: Pins) -> None:
    with judged(data := _read(path, MAX_PROOF_SIZE), str(path)):
        proof = parse_tlog_proof(data)
    pinned = _pinned(proof.checkpoint.origin, pins)
    accepted, matched, entry = _match(proof, pinned.policy, file)
    name = name_in(entry) if matched == "file" else None
    signed = accepted.signed
    fields, lines = cosigned(accepted, pinned.policy)
    out.result(
        {
            "verified": True,
            "index": proof.index,
            "size": signed.tree.size,
            "origin": signed.origin,
            "trust": pinned.how,
            "matched": matched,
            **({} if name is None else {"name": name}),
            **fields,
        },
        f"verified: {file} is entry {proof.index} of {signed.origin}, size {signed.tree.size}",
        f"matched   {_how(matched)}",
        *([] if name is None else [f"name      {name}"]),
        f"trust     {pinned.how}",
        *lines,
    )


def _pinned(origin: str, pins: Pins) -> Pinned:
    """Return what a proof is verified by: never anything that came with it."""
    if pins.vkey is not None and pins.policy is not None:
        raise UsageError("--vkey and --policy both say whom to trust; name one")
    if (chosen := read_policy(pins.policy)) is not None:
        return Pinned(chosen, PINNED)
    if (key := read_vkey(pins.vkey)) is not None:
        return Pinned(policy_for(key), PINNED)
    trust = memory(Trust)
    if trust is not None and (known := trust.lookup_origin(origin)) is not None:
        return Pinned(known, REMEMBERED)
    raise UsageError(
        f"no key is trusted for {origin}: name it with --vkey or --policy",
        hint="or remember it once with `tiletree key trust LOG VKEY`; it is never taken from the proof",
    )


def _how(matched: str) -> str:
    """Return in words what of a file is the entry."""
    if matched == "raw":
        return "its bytes"
    return "its digest, blinded" if matched == "blinded" else "its digest"


def _match(proof: TlogProof, policy: Policy, file: str) -> tuple[Accepted, str, bytes]:
    """Verify a file in any form in which it may have been logged, and say in which it was, and which entry it is.

    What the proof says of the entry is one more form, if it is of exactly this file.
    """
    content = read_file(file, partial(known_secrets, None, proof.checkpoint.origin))
    told = entry_of(proof.extra, DigestEntry(content.sha256, content.size))
    for matched, entry in chain([] if told is None else [(kind_of(told).name, told)], forms(content)):
        with suppress(ProofError):
            return verify_tlog_proof(proof, leaf_hash(entry), policy), matched, entry
    raise ProofError(
        f"{file} is not entry {proof.index} of {proof.checkpoint.origin}: the proof is of something else",
        hint="the file was changed, or the proof is that of another file",
        evidence={"proof": proof.data},
    )


def _read(path: Path, limit: int) -> bytes:
    """Return a file's content, one byte more than `limit` at most: its parser refuses that."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)
