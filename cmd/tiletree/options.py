"""Options that several commands share, and what they open."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from tiles.checkpoint import parse_signed_checkpoint
from tiles.errors import Malformed, NotFound, UsageError
from tiles.head import HEAD, parse_head
from tiles.keyfile import read_key
from tiles.keys import SigningKey, VerifierKey, parse_vkey
from tiles.layout import CHECKPOINT
from tiles.note import MAX_NOTE_SIZE
from tiles.places import anchor_store, default_key_path, private_store, public_store
from tiles.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.record import MAX_RECORD_SIZE
from tiles.sequencer import Sequencer
from tiles.signer import Signer
from tiles.store import Store
from tiletree.ui import Output

Command = TypeVar("Command", bound=Callable[..., Any])

output = click.make_pass_decorator(Output)

log_argument = click.argument("log", metavar="LOG")


def json_option(command: Command) -> Command:
    """Add --json, which `ui.Output` has read already."""
    help_ = "print one JSON document on standard output"
    return click.option("--json", is_flag=True, expose_value=False, help=help_)(command)


def writer_options(command: Command) -> Command:
    """Add --key, --private, --anchor and --policy: what a command needs to write to a log."""
    for option in (
        click.option("--policy", type=click.Path(path_type=Path), help="refuse unless this is the log's policy"),
        click.option("--anchor", metavar="DIR", help="where the signer remembers  [default: <KEY>.anchor]"),
        click.option("--private", metavar="DIR", help="the log's private part  [default: <LOG>.private]"),
        click.option("--key", type=click.Path(path_type=Path), help="the log's key file  [default: by its origin]"),
    ):
        command = option(command)
    return command


def trust_options(command: Command) -> Command:
    """Add --vkey and --policy: what a command pins when it reads or verifies."""
    for option in (
        click.option("--policy", type=click.Path(path_type=Path), help="accept what this tlog-policy file accepts"),
        click.option("--vkey", metavar="VKEY", help="accept what this key of the log has signed"),
    ):
        command = option(command)
    return command


def read_policy(path: Path | None) -> Policy | None:
    """Return the policy in a file the user named. Raises UsageError if there is none."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return parse_policy(file.read(MAX_POLICY_SIZE + 1))
    except OSError as error:
        raise UsageError(f"--policy {path} cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise UsageError(f"--policy {path}: {error.message}") from error


def read_vkey(text: str | None) -> VerifierKey | None:
    """Return the key the user named with --vkey, if any. Raises UsageError if it is none."""
    return None if text is None else to_verifier(text, "--vkey")


def to_verifier(text: str, what: str) -> VerifierKey:
    """Return the key that an argument of that name spells. Raises UsageError if it is none."""
    try:
        return parse_vkey(text)
    except Malformed as error:
        hint = "`tiletree init` and `tiletree key show` print it"
        raise UsageError(f"{what}: {error.message}", hint=hint) from error


def open_binary(name: str) -> BinaryIO:
    """Open a file that the user named, or standard input for "-"."""
    return sys.stdin.buffer if name == "-" else Path(name).open("rb")


def find_key(log: str, private: str | None, key: Path | None) -> tuple[Path, SigningKey]:
    """Return the key file of a log that exists, and the key in it."""
    if key is None:
        key = default_key_path(find_origin(public_store(log), private_store(log, private)))
    try:
        return key, read_key(key)
    except NotFound as error:
        raise UsageError(error.message, hint=error.hint) from error


def find_origin(public: Store, private: Store) -> str:
    """Return what a log calls itself: enough to look for its key, never to trust it."""
    try:
        return parse_head(private.read(HEAD, MAX_RECORD_SIZE).data).origin
    except NotFound:
        pass
    try:
        return parse_signed_checkpoint(public.read(CHECKPOINT, MAX_NOTE_SIZE).data).origin
    except NotFound:
        raise NotFound(f"there is no log at {public.url}", hint="`tiletree init` begins one") from None


def open_sequencer(
    log: str, private: str | None, key: tuple[Path, SigningKey], anchor: str | None, policy: Path | None
) -> Sequencer:
    """Return what writes to a log. Nothing is made yet.

    key   the key file and the key in it, as `find_key` returns them
    """
    path, signing = key
    signer = Signer(signing, anchor_store(path, anchor))
    return Sequencer(public_store(log), private_store(log, private), signer, policy=read_policy(policy))
