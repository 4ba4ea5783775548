"""`tiletree endorse`: the checkpoint of one log is logged in another, and the proof of that is kept."""

from __future__ import annotations

import time
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

import click

from tiles.entries.kinds import Endorsement, kind_of
from tiles.errors import UsageError
from tiles.inbox.submission import NONCE_SIZE
from tiles.inbox.submit import submit as put
from tiles.inbox.submit import wait_until_logged
from tiles.index.known import find_in
from tiles.notes.endorsement import Endorsed, make_endorsement, verify_endorsement
from tiles.notes.policy import Policy
from tiles.notes.tlog_proof import MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiles.read.endorsed import check_endorsed
from tiles.read.trouble import judged
from tiles.store.address import normal_url
from tiles.tree.bundle import MAX_ENTRY_SIZE
from tiles.tree.merkle import leaf_hash
from tiles.upkeep.endorse import KeptEndorsements
from tiles.user.places import public_store
from tiles.user.seen_checkpoints import Visits
from tiles.watch.endorsements import check_endorsements, collect
from tiles.write.prepare import as_public
from tiletree.endorsing import shown_endorsement, visit_public
from tiletree.files import read_limited, write_file
from tiletree.finding import remarks
from tiletree.keys import find_key
from tiletree.opening import open_sequencer, tiles_of, visit
from tiletree.options import Writer, json_option, log_argument, output, public_writer_options
from tiletree.pins import memory
from tiletree.reading import Pins, public_options, trust_options
from tiletree.submission import check_inbox, inbox_of, submitter_name, submitter_option, timeout_option, waiting
from tiletree.trusting import pinned
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.read.client import LogClient

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@log_argument
@click.option("--in", "public_log", metavar="PUBLIC", help="the log in which its checkpoint is logged")
@click.option("--submit", is_flag=True, help="submit it to PUBLIC's inbox, and wait, instead of writing with its key")
@submitter_option
@timeout_option("with --submit, how long to wait")
@click.option("--check", is_flag=True, help="write nothing: demand that all endorsements in PUBLIC are of one history")
@click.option("--scan", is_flag=True, help="with --check, look through a PUBLIC of any size, entry by entry")
@click.option(
    "-o",
    "--out",
    "target",
    type=click.Path(path_type=Path),
    help="write the entry to this file, to be logged otherwise",
)
@click.option("--proof", type=_file, help="keep this proof, a .tlog-proof, that the entry was logged otherwise")
@click.option("--entry", type=_file, help="with --proof, the file that --out wrote, if the proof does not hold it")
@trust_options
@public_options
@public_writer_options
@json_option
@output
def endorse(
    out: Output,
    log: str,
    public_log: str | None,
    submit: bool,
    submitter: str | None,
    timeout: float,
    check: bool,
    scan: bool,
    target: Path | None,
    proof: Path | None,
    entry: Path | None,
    pins: Pins,
    public: Pins,
    writer: Writer,
) -> None:
    """Have another log hold a log's checkpoint, and keep the proof beside the log.

    \b
    Examples:
      tiletree endorse ./private --in ./public --log-key public.key
      tiletree endorse ./private --in https://log.example.com --private s3://inbox/log --submit
      tiletree endorse ./private --out checkpoint
      tiletree endorse ./private --proof checkpoint.tlog-proof --public-vkey log.example.com+c4f0a2b1+AQ...
      tiletree endorse ./private --in ./public --check

    The checkpoint of LOG, as it is published now, becomes an entry of PUBLIC: its text and LOG's own signatures. Each
    size is logged once; a second call finds it. With --out and --proof another program logs the entry, in any log that
    takes bytes as entries. `prove --through` then proves entries together with the endorsement.

    With --check, all endorsements of LOG in PUBLIC are compared with each other and with what LOG shows now. If two
    contradict each other, LOG has signed two histories: the evidence is saved, and the exit code is 7. A PUBLIC of
    more than 16,384 entries needs an index of origin/1 for that, or --scan.

    Whoever reads PUBLIC sees LOG's name, its size and its root hash. docs/endorsement.md says what is shown to whom.
    """
    _check_call(public_log, target, proof, entry, submit=submit, check=check, scan=scan, submitter=submitter)
    client, accepted, trust = visit(out, log, pins)
    signed = accepted.signed
    out.partial = {"origin": signed.origin, "trust": trust.how}
    if check and public_log is not None:
        _check(out, log, client, trust.policy, public_log, public, scan=scan)
        return
    made = make_endorsement(signed, trust.policy)
    if kind_of(made).name != Endorsement.name:
        raise UsageError(f"the checkpoint of {signed.origin} has a form that nobody would take for an endorsement")
    if target is not None:
        write_file(target, made)
        out.result(
            {**out.partial, "size": signed.tree.size, "leaf_hash": leaf_hash(made).hex(), "path": str(target)},
            f"wrote {target}: the checkpoint of {signed.origin}, size {signed.tree.size}, as an entry",
        )
        return
    if proof is not None:
        _keep_proof(out, log, client, proof, entry, made, public)
    elif public_log is not None:
        _log(out, log, client, made, public_log, public, writer, (submit, submitter, timeout))


def _check_call(
    public_log: str | None,
    target: Path | None,
    proof: Path | None,
    entry: Path | None,
    *,
    submit: bool,
    check: bool,
    scan: bool,
    submitter: str | None,
) -> None:
    context = click.get_current_context()
    if sum(each is not None for each in (public_log, target, proof)) != 1:
        raise click.UsageError("name one of --in, --out and --proof", context)
    if (submit or check) and public_log is None:
        raise click.UsageError("--submit and --check go with --in", context)
    if submit and check:
        raise click.UsageError("--check writes nothing, so it does not --submit", context)
    if (scan and not check) or (submitter is not None and not submit) or (entry is not None and proof is None):
        raise click.UsageError("--scan goes with --check, --submitter with --submit, --entry with --proof", context)


def _log(
    out: Output,
    log: str,
    own: LogClient,
    made: bytes,
    public_log: str,
    public: Pins,
    writer: Writer,
    submission: tuple[bool, str | None, float],
) -> None:
    """Have the public log hold the entry, unless the proof that it does is kept already; and keep the proof."""
    size = own.tree.size
    client, accepted, trust = visit_public(out, public_log, public)
    kept = KeptEndorsements(as_public(public_store(log)), trust.policy, own.policy, accepted.signed.origin)
    _hold_to(own, kept, size)
    found = kept.find(size)
    if found is not None:
        kept.show(found[0])  # a run that died may not have done so
        _say(out, *found, trust.policy, trust.how, already=True)
        return
    submit, submitter, timeout = submission
    if submit:
        index = _submitted(out, client, made, public_log, writer.private, submitter, timeout)
        already = False
    else:
        sequencer = open_sequencer(public_log, writer, find_key(public_log, writer))
        appended = sequencer.append([made], once=True)
        index, already = appended.indexes[0], bool(appended.already)
        sequencer.update_index()
        client.visit()
    with tiles_of(public_log, client):
        proof, endorsed = kept.keep(client.prove(index, made))
    _say(out, proof, endorsed, trust.policy, trust.how, already=already)


def _submitted(
    out: Output,
    client: LogClient,
    made: bytes,
    public_log: str,
    private: str | None,
    submitter: str | None,
    timeout: float,
) -> int:
    """Return the index of an entry in the public log, once a run of that has logged it."""
    leaf = leaf_hash(made)
    known = find_in(client, {leaf}).indexes
    if leaf in known:
        return known[leaf]
    since, inbox = client.tree.size, inbox_of(public_log, private)
    check_inbox(inbox, public_log, client.accepted.signed.origin)
    name = submitter_name(submitter)
    began = time.monotonic()
    receipt = put(inbox, name, [made], token_bytes(NONCE_SIZE), log=normal_url(public_log), once=True)
    left = max(0.0, timeout - (time.monotonic() - began))
    with waiting(out, timeout) as paused:
        return wait_until_logged(client, receipt, since, left, known=known, paused=paused)[0]


def _keep_proof(
    out: Output, log: str, own: LogClient, path: Path, entry: Path | None, made: bytes, public: Pins
) -> None:
    """Keep the proof that another program got. The entry is the one that it holds, the named one, or that of now."""
    with judged(data := read_limited(path, MAX_PROOF_SIZE), str(path)):
        given = parse_tlog_proof(data)
    held = read_limited(entry, MAX_ENTRY_SIZE) if entry is not None else given.extra or made
    proof = TlogProof(given.index, given.hashes, given.checkpoint, held)
    trust = pinned(given.checkpoint.origin, public)
    kept = KeptEndorsements(as_public(public_store(log)), trust.policy, own.policy, given.checkpoint.origin)
    with judged(data, str(path)):
        endorsed = verify_endorsement(proof, trust.policy, own.policy)
    check_endorsed(own, endorsed.tree.signed, memory(Visits))
    _hold_to(own, kept, endorsed.tree.signed.tree.size)
    with judged(data, str(path)):
        _say(out, *kept.keep(proof), trust.policy, trust.how, already=False)


def _hold_to(own: LogClient, kept: KeptEndorsements, size: int) -> None:
    """Show that the log is of one history with what is endorsed of it already: newest, and of a size.

    Raises ForkError if it is not: endorsing what it shows now would hide that from nobody, and is refused.
    """
    newest, same = kept.newest(), kept.find(size)
    for endorsed in (newest, same[1] if same is not None else None):
        if endorsed is not None:
            check_endorsed(own, endorsed.tree.signed, memory(Visits))


def _say(out: Output, proof: TlogProof, endorsed: Endorsed, public: Policy, how: str, *, already: bool) -> None:
    document, lines = shown_endorsement(endorsed, public, how)
    out.result(
        {**out.partial, "already": already, "endorsed": document, "leaf_hash": leaf_hash(proof.extra).hex()}, *lines
    )


def _check(
    out: Output, log: str, client: LogClient, policy: Policy, public_log: str, public: Pins, *, scan: bool
) -> None:
    reader, accepted, trust = visit_public(out, public_log, public)
    origin, holder = client.accepted.signed.origin, accepted.signed
    with tiles_of(public_log, reader):
        collected = collect(reader, origin, policy, remarks(out), any_size=scan)
    out.partial |= {
        "public": {"origin": holder.origin, "size": holder.tree.size, "trust": trust.how},
        "endorsed_sizes": [{"size": size, "index": collected.indexes[size]} for size in sorted(collected.trees)],
        "others": collected.others,
        "size": client.tree.size,
    }
    with tiles_of(log, client):
        check_endorsements(collected, policy, client, memory(Visits))
    if collected.unproven:
        out.remark("unproven", collected.unproven, f"there may be other endorsements: {collected.unproven}")
    sizes = sorted(collected.trees)
    span = f", of sizes {sizes[0]} to {sizes[-1]}" if sizes else ""
    others = [f"{collected.others} entries name {origin} and are not signed by it"] if collected.others else []
    out.result(
        dict(out.partial),
        f"{holder.origin} holds {len(sizes)} endorsed trees of {origin}{span}",
        *others,
        f"they are of one history with what it shows now, size {client.tree.size}",
    )
