"""`tiletree key`: keys are made and shown, and those to trust are named."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from tiles.errors import Malformed, NotFound, UsageError
from tiles.notes.keys import SEED_SIZE, signing_key
from tiles.signing.key_file import read_key, write_key
from tiles.store.address import shown_address
from tiles.user.trusted_keys import Known, Trust
from tiletree.opening import (
    to_verifier,
)
from tiletree.options import json_option, output
from tiletree.ui import Output


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


def _document(known: Known) -> dict[str, str]:
    return {"log": known.url, "vkey": known.vkey, "trust": known.how}


def _line(known: Known) -> str:
    return f"{known.url}  {known.vkey}  {known.how}"
