"""`tiletree key add` and `tiletree key retire`: the keys of a log are changed."""

from __future__ import annotations

import secrets
from shlex import quote
from typing import TYPE_CHECKING

import click

from tiles.errors import Refused, UsageError
from tiles.notes.key_change import ADD, RETIRE, KeyChange
from tiles.notes.keys import SEED_SIZE, SignatureType, VerifierKey, signing_key
from tiles.records.paths import key_change_path
from tiles.signing.key_file import add_key
from tiles.signing.log_keys import as_log_keys
from tiles.store.address import shown_address
from tiles.user.trusted_keys import Trust
from tiletree.keys import LogKey, find_key
from tiletree.opening import open_sequencer
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.pins import memory, to_verifier
from tiletree.ui import Output

if TYPE_CHECKING:
    from tiles.log import Log
    from tiles.notes.checkpoint import SignedCheckpoint

_KINDS = {False: SignatureType.ED25519, True: SignatureType.MLDSA44}


@click.command()
@log_argument
@click.option("--post-quantum", is_flag=True, help="an ML-DSA-44 key, and not an Ed25519 one")
@writer_options("key", "private", "anchor")
@json_option
@output
def add(out: Output, log: str, post_quantum: bool, writer: Writer) -> None:
    """Add a key to LOG: a new one, or the one that its key file has and the log has not.

    \b
    Examples:
      tiletree key add ./log
      tiletree key add ./log --post-quantum

    From now on every checkpoint has the signatures of all keys. The log says so in a statement that its old keys have
    signed, at keys/0, keys/1 and so on; readers have to be told the new key by another way, and `tiletree key retire`
    then takes the old one out of use. Every machine that writes to the log needs the whole key file.

    If the call is interrupted, the same call finishes its work.
    """
    found = find_key(log, writer)
    opened = open_sequencer(log, writer, found)
    pending = opened.rekeying.unfinished()
    signed = opened.finish()
    if pending is not None and pending.action == ADD and pending.key.type == _KINDS[post_quantum]:
        _say(out, opened, signed, pending.key)
        return
    new, found = _new_key(out, log, writer, found, opened.rekeying.said(), _KINDS[post_quantum])
    opened = open_sequencer(log, writer, found)
    _say(out, opened, opened.rekeying.change(ADD, new), new)
    out.note("publish the new vkey where nobody who can change the log can change it; readers have to pin it")
    out.note(
        "proofs that are written from now on are good by each of the keys: `tiletree prove LOG FILE… --beside` writes "
        "again what you have handed out, before the old key is retired"
    )


@click.command()
@log_argument
@click.argument("vkey")
@writer_options("key", "private", "anchor")
@json_option
@output
def retire(out: Output, log: str, vkey: str, writer: Writer) -> None:
    """Retire a key of LOG: no checkpoint of a larger tree has its signature.

    \b
    Example:
      tiletree key retire ./log log.example.com+c4f0a2b1+AQ...

    Another Ed25519 key has to be there. The log says at which size the key has signed last, in a statement that the
    key itself has signed. The key stays in the key file, and is not used; a reader who pinned it is told so at the
    next entry. If the call is interrupted, the same call finishes its work.
    """
    old = to_verifier(vkey, "VKEY")
    opened = open_sequencer(log, writer)
    _say(out, opened, opened.rekeying.change(RETIRE, old), old)
    out.note(
        "who knows only the new key accepts no proof that only the old one has signed: `tiletree prove LOG FILE… "
        "--beside` writes it again"
    )
    known = memory(Trust)
    if known is not None and (here := known.lookup(log)) is not None and here.key == old:
        new = opened.keys.current[0].vkey
        out.note(
            f"this user knows the log by the old key still; then: tiletree key trust {quote(shown_address(log))} "
            f"{quote(new)} --replace"
        )


def _new_key(
    out: Output, log: str, writer: Writer, found: LogKey, said: list[KeyChange], kind: SignatureType
) -> tuple[VerifierKey, LogKey]:
    """Return a key that is in the key file and that the log does not have yet; it is made if there is none."""
    keys = as_log_keys(found.signing)
    retired = [each.key for each in said if each.action == RETIRE]
    unused = (each for each in keys.held if each not in keys.current and each not in retired and each.type == kind)
    if (key := next(unused, None)) is not None:
        return key, found
    path = found.place.path
    if path is None:
        if found.place.is_service:
            why, hint = "a service signs by one key", "a log whose keys are to change keeps them in a key file"
        else:
            why = "a call cannot change a variable"
            hint = (
                f"write what {found.place} holds to a file, name that with --key, and set the variable to its new text"
            )
        raise UsageError(f"`key add` adds the new key to a key file, and {found.place} is none: {why}", hint=hint)
    new = signing_key(keys.name, secrets.token_bytes(SEED_SIZE), kind)
    add_key(path, new)  # lasts before the log names it: without it, nobody could sign for the log any more
    out.note(f"the new key is in {path}: keep a copy")
    again = find_key(log, writer)
    if new.verifier not in as_log_keys(again.signing).held:
        raise Refused(f"{path} was exchanged while a key was added to it", hint="run the same command again")
    return new.verifier, again


def _say(out: Output, opened: Log, signed: SignedCheckpoint, key: VerifierKey) -> None:
    said = [each for each in opened.rekeying.said() if each.key == key][-1]
    current = [each.vkey for each in opened.keys.current]
    out.result(
        {
            "origin": key.name,
            "size": signed.tree.size,
            "vkey": key.vkey,
            "vkeys": current,
            "statement": key_change_path(said.number),
        },
        f"{said.words}; statement {key_change_path(said.number)}",
        "the log's keys are now:",
        *current,
    )
