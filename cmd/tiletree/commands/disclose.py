"""`tiletree disclose`: chosen entries of a private log, with everything that an outsider needs to verify them."""

from __future__ import annotations

import shutil
from pathlib import Path
from secrets import token_hex

import click

from tiles.errors import AccessError, NotLogged, UsageError
from tiles.notes.disclosure import README, disclosure_files, parse_disclosure, verify_disclosure
from tiles.notes.tlog_proof import TlogProof
from tiles.read.endorsed import check_endorsed, newest_endorsement, prove_endorsed
from tiles.tree.merkle import leaf_hash
from tiles.user.seen_checkpoints import Visits
from tiletree.endorsing import shown_endorsement
from tiletree.files import write_file
from tiletree.opening import tiles_of, visit
from tiletree.options import json_option, log_argument, output
from tiletree.pins import memory
from tiletree.reading import Pins, public_options, trust_options
from tiletree.trusting import pinned as pinned_by
from tiletree.ui import Output, shown

_README = """\
Entries of the log {origin}, disclosed so that anyone can verify them without access to that log.

Verify them, offline, with the key or policy by which you know the log {public}.
Take it from whoever runs that log, never from here:

    tiletree verify --disclosure . --public-vkey VKEY

It shows that the holder of the key in log.vkey signed a tree of {size} entries, that these entries are in it, and
that {public} held that signature by the time that is printed.
That the key is the one of {origin} is claimed by whoever wrote this directory.
If you know that log's key, add --vkey KEY. It does not show that this is the only history that the key has signed.
Whoever watches {public} can tell.

log.vkey             the key of {origin}, as claimed
endorsement          the proof that {public} holds the checkpoint of {origin}: https://c2sp.org/tlog-proof
INDEX.entry          the bytes of the entry at that index
INDEX.tlog-proof     the proof that it is in the tree of that checkpoint; it has leaf hashes of its neighbours

If an entry says which file was logged, and you have the file:

    tiletree verify FILE --proof INDEX.tlog-proof --endorsement endorsement --vkey KEY --public-vkey VKEY
"""


@click.command()
@log_argument
@click.argument("indexes", metavar="INDEX...", nargs=-1, required=True, type=click.IntRange(min=0))
@click.option(
    "-o", "--output", "target", required=True, type=click.Path(path_type=Path), help="the directory, which is made"
)
@click.option("--through", metavar="ORIGIN", required=True, help="the log that has endorsed LOG")
@trust_options
@public_options
@json_option
@output
def disclose(
    out: Output, log: str, indexes: tuple[int, ...], target: Path, through: str, pins: Pins, public: Pins
) -> None:
    """Write chosen entries of a private log, their proofs and the endorsement into a directory, for outsiders.

    \b
    Example:
      tiletree disclose ./private 4 17 --through log.example.com -o disclosed

    An outsider who knows the log ORIGIN verifies the directory offline: `tiletree verify --disclosure DIR`. Entries
    that came after the newest endorsement cannot be disclosed yet: exit code 8.

    Besides the entries, it shows the size and root hash of the tree, and with each proof the leaf hashes of neighbours:
    whoever can guess a neighbour can tell that it is there, unless it was added with --blind.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} is there already; nothing was written", hint="name a directory that is to be made")
    client, accepted, own = visit(out, log, pins)
    origin = accepted.signed.origin
    trust = pinned_by(through, public)
    endorsement, endorsed = newest_endorsement(client.fetcher, through, trust.policy, own.policy)
    check_endorsed(client, endorsed.tree.signed, memory(Visits))
    wanted = sorted(set(indexes))
    entries: dict[int, tuple[bytes, TlogProof]] = {}
    with tiles_of(log, client):
        proofs = {index: prove_endorsed(client, endorsed, index) for index in wanted}
        if client.tree.size <= wanted[-1]:
            raise NotLogged(f"entry {wanted[-1]} is endorsed, and {log} shows {client.tree.size} entries")
        for index, entry in client.entries_at(wanted):
            entries[index] = entry, proofs[index]
    files = disclosure_files(tuple(own.policy.keys_of(origin)), endorsement, dict(sorted(entries.items())))
    verify_disclosure(parse_disclosure(files), trust.policy, own.policy)  # as an outsider will
    size = endorsed.tree.signed.tree.size
    files[README] = shown_text(_README, origin=origin, public=through, size=str(size)).encode()
    _write(target, files)
    document, lines = shown_endorsement(endorsed, trust.policy, trust.how)
    out.result(
        {
            "origin": origin,
            "size": size,
            "trust": own.how,
            "path": str(target),
            "entries": [{"index": index, "leaf_hash": leaf_hash(entries[index][0]).hex()} for index in wanted],
            "endorsed": document,
        },
        *(f"{index}  {leaf_hash(entries[index][0]).hex()}" for index in wanted),
        f"wrote {target}: {len(wanted)} entries of {origin}, size {size}",
        *lines,
    )


def shown_text(text: str, **texts: str) -> str:
    """Return a text for people, with what others may have chosen made harmless for a terminal."""
    return text.format(**{name: shown(value) for name, value in texts.items()})


def _write(target: Path, files: dict[str, bytes]) -> None:
    """Write a directory: it has all of its files, or it is not there. Raises AccessError."""
    temp = target.with_name(f".{target.name}.{token_hex(8)}.tmp")
    try:
        temp.mkdir()
        for name, data in files.items():
            write_file(temp / name, data)
        temp.rename(target)
    except OSError as error:
        raise AccessError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(temp, ignore_errors=True)
