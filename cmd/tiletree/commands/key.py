"""`tiletree key`: keys are made and shown, and those to trust are named."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import replace as replaced
from pathlib import Path

import click

from tiles.errors import Malformed, NotFound, UsageError
from tiles.notes.keys import SEED_SIZE, signing_key
from tiles.retry import Clock
from tiles.signing.anchor import AnchorMemory
from tiles.signing.key_file import read_key, write_key
from tiles.store.address import absolute, is_object_url, name_of, shown_address
from tiles.store.probe import probe
from tiles.user.known_logs import try_to_remember
from tiles.user.places import private_store, public_store, remembered
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Known, Trust
from tiles.write.adopt import Adoption
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiletree.opening import find_anchor, find_key, memory, open_sequencer, to_verifier
from tiletree.options import Writer, json_option, log_argument, output, writer_options
from tiletree.ui import Output

WARNING = (
    "The log's anchor is not there, or is sealed, so nobody can know what was signed last. Stop every other writer of "
    "this log, on every machine, and make sure that the log is the newest copy: otherwise it may fork. Begin a new one?"
)


@click.group()
def key() -> None:
    """Make and show keys, and say which keys to trust."""


@key.command()
@click.argument("name")
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="the new key file, mode 0600")
@json_option
@output
def generate(out: Output, name: str, path: Path) -> None:
    """Make a key of that NAME, which is the origin of the log it will sign for.

    \b
    Example:
      tiletree key generate log.example.com --out log.key
    """
    signing = signing_key(name, secrets.token_bytes(SEED_SIZE))
    write_key(path, signing)
    out.result({"name": name, "vkey": signing.verifier.vkey, "path": str(path)}, signing.verifier.vkey)


@key.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@output
def show(out: Output, path: Path) -> None:
    """Show the verifier key (vkey) of a key file; never the secret.

    \b
    Example:
      tiletree key show log.key
    """
    try:
        verifier = read_key(path).verifier
    except Malformed as error:
        raise UsageError(error.message) from error
    out.answer({"name": verifier.name, "vkey": verifier.vkey}, verifier.vkey)


@key.command()
@click.argument("log", metavar="LOG")
@click.argument("vkey")
@click.option(
    "--replace",
    is_flag=True,
    help="even if another key is trusted by now for this log, or for its name at another address",
)
@json_option
@output
def trust(out: Output, log: str, vkey: str, replace: bool) -> None:
    """Trust VKEY for LOG from now on. Get it by a way that whoever serves the log cannot change.

    The key counts for the name in it: proofs of that log are verified by it, wherever they come from. A name has one
    key; with --replace, this one takes the place of another one at every address of that name.

    \b
    Example:
      tiletree key trust https://log.example.com log.example.com+c4f0a2b1+AQ...
    """
    known = Trust().trust(log, to_verifier(vkey, "VKEY").vkey, replace=replace)
    out.result(_document(known), _line(known))


@key.command()
@click.argument("log", metavar="LOG")
@json_option
@output
def forget(out: Output, log: str) -> None:
    """Forget which key is trusted for LOG.

    \b
    Example:
      tiletree key forget https://log.example.com
    """
    if not Trust().forget(log):
        raise NotFound(f"no key is remembered for {shown_address(log)}")
    out.result({"log": shown_address(log), "trust": None}, f"{shown_address(log)}  forgotten")


@key.command(name="list")
@json_option
@output
def list_(out: Output) -> None:
    """List the keys that are trusted, and how each came to be.

    \b
    Example:
      tiletree key list
    """
    known = list(Trust().all().values())
    out.answer({"keys": [_document(one) for one in known]}, *map(_line, known))


@key.command()
@log_argument
@click.option("--yes", is_flag=True, help="do not ask, even if the old anchor is lost")
@writer_options("key", "private", "anchor")
@json_option
@output
def adopt(out: Output, log: str, yes: bool, writer: Writer) -> None:
    """Begin a new anchor for LOG, at --anchor or where the old one was.

    \b
    Examples:
      tiletree key adopt ./log --anchor s3://anchors/log
      tiletree key adopt ./log

    An anchor says what was signed last. The old one is sealed, where it is found: nothing is signed with it any more.
    If it is lost, all other writers have to be stopped before.
    """
    path, signing = find_key(log, writer)
    parts = Parts(public_store(log), private_store(log, writer.private))
    origin, verifier = signing.verifier.name, signing.verifier
    new = AnchorMemory(origin, find_anchor(log, writer, path))
    known = path is not None or remembered(log).anchor is not None
    old = AnchorMemory(origin, find_anchor(log, replaced(writer, anchor=None), path)) if known else new

    def go_on() -> None:
        if not yes:
            out.confirm(WARNING)

    if is_object_url(new.store.url):
        probe(new.store, secrets.token_hex(16))
    visits = memory(Visits)
    seen = visits.last(verifier) if visits is not None else None
    clock = Clock(time.time, time.sleep, random.SystemRandom())
    done = Adoption(parts, OwnTree(parts.public, verifier), old, new).adopt(clock, seen, go_on)
    if writer.anchor:
        try_to_remember(name_of(log), replaced(remembered(log), anchor=absolute(writer.anchor)))
    published = open_sequencer(log, writer).finish()
    out.result(
        {
            "origin": origin,
            "anchor": new.store.url,
            "new": done.is_new,
            "sealed": done.sealed,
            "size": published.tree.size,
        },
        f"anchor of {origin}: {new.store.url}, {'new' if done.is_new else 'as it was'}, size {published.tree.size}",
        *([f"sealed: {old.store.url}"] if done.sealed and done.is_new else []),
    )


def _document(known: Known) -> dict[str, str]:
    return {"log": known.url, "vkey": known.vkey, "trust": known.how}


def _line(known: Known) -> str:
    return f"{known.url}  {known.vkey}  {known.how}"
