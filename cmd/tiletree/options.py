"""Options that several commands share, and what they open."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from tiles.errors import Malformed, NotFound, UsageError
from tiles.inbox.admission import MAX_ADMISSION_SIZE, Admission, parse_admission
from tiles.log import Log
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import SeedKey, VerifierKey, parse_skey, parse_vkey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.head import parse_head
from tiles.records.paths import HEAD
from tiles.signing.key_file import read_key
from tiles.signing.signer import Signer
from tiles.store import Store
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import anchor_store, default_key_path, private_store, public_store, remembered
from tiles.write.prepare import anonymous_reader
from tiletree.ui import Output

Command = TypeVar("Command", bound=Callable[..., Any])
Parsed = TypeVar("Parsed")

output = click.make_pass_decorator(Output)

KEY_TEXT = "TILETREE_PRIVATE_KEY"  # the variable that holds the key itself, for jobs that have no file of their own

log_argument = click.argument("log", metavar="LOG")


def json_option(command: Command) -> Command:
    """Add --json, which `ui.Output` has read already."""
    help_ = "print one JSON document on standard output"
    return click.option("--json", is_flag=True, expose_value=False, help=help_)(command)


def writer_options(command: Command) -> Command:
    """Add --key, --private, --anchor and --policy: what a command needs to write to a log."""
    for option in (
        click.option("--policy", type=click.Path(path_type=Path), help="refuse unless this is the log's policy"),
        anchor_option,
        private_option,
        key_option,
    ):
        command = option(command)
    return command


key_option = click.option(
    "--key",
    type=click.Path(path_type=Path),
    envvar="TILETREE_KEY",
    help="the log's key file  [$TILETREE_KEY; default: as at init, or by its origin]",
)
admission_option = click.option(
    "--admission", type=click.Path(path_type=Path), help="refuse unless this is the log's policy for submissions"
)
private_option = click.option(
    "--private",
    metavar="PLACE",
    envvar="TILETREE_PRIVATE",
    help="the log's private part  [$TILETREE_PRIVATE; default: as at init, or <LOG>.private]",
)
anchor_option = click.option(
    "--anchor",
    metavar="PLACE",
    envvar="TILETREE_ANCHOR",
    help="where the signer remembers  [$TILETREE_ANCHOR; default: as at init, or <KEY>.anchor]",
)


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
    return None if path is None else _read_named(path, "--policy", MAX_POLICY_SIZE, parse_policy)


def read_admission(path: Path | None) -> Admission | None:
    """Return the admission policy in a file the user named. Raises UsageError if there is none."""
    return None if path is None else _read_named(path, "--admission", MAX_ADMISSION_SIZE, parse_admission)


def _read_named(path: Path, option: str, limit: int, parse: Callable[[bytes], Parsed]) -> Parsed:
    try:
        with path.open("rb") as file:
            return parse(file.read(limit + 1))
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise UsageError(f"{option} {path}: {error.message}") from error


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
    if name != "-":
        return Path(name).open("rb")
    # unbuffered: a thread that waits for more of it when the program ends must hold no lock
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


def find_key(log: str, private: str | None, key: Path | None) -> tuple[Path | None, SeedKey]:
    """Return the key file of a log that exists, and the key in it; no file where the environment holds the key."""
    if key is None and (text := os.environ.get(KEY_TEXT)):
        try:
            return None, parse_skey(text.strip())
        except Malformed:
            raise UsageError(f"${KEY_TEXT} is not a key", hint="it is the one line that is in a key file") from None
    key = key or find_key_path(log, private)
    try:
        return key, read_key(key)
    except NotFound as error:
        raise UsageError(error.message, hint=error.hint) from error


def find_key_path(log: str, private: str | None) -> Path:
    """Return where the key of a log that exists is kept: as at init, or by its origin."""
    known = remembered(log).key
    return Path(known) if known else default_key_path(find_origin(public_store(log), private_store(log, private)))


def find_anchor(log: str, key: Path | None, anchor: str | None) -> Store:
    """Return where the signer of a log remembers. Raises UsageError if that is not known."""
    anchor = anchor or remembered(log).anchor
    if key is None and anchor is None:
        raise UsageError(
            f"with ${KEY_TEXT}, --anchor or $TILETREE_ANCHOR has to say where the signer remembers what it signed",
            hint="such as s3://BUCKET/PREFIX of a bucket that nothing else writes to",
        )
    return anchor_store(key or Path(), anchor)


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
    log: str,
    private: str | None,
    key: tuple[Path | None, SeedKey],
    anchor: str | None,
    policy: Path | None,
    admission: Path | None = None,
    *,
    look_closer: bool = False,
) -> Log:
    """Return what writes to a log. Nothing is made yet.

    key           the key file and the key in it, as `find_key` returns them
    look_closer   a log in a bucket is not begun where anyone can read its private part
    """
    path, signing = key
    return Log(
        public_store(log),
        private_store(log, private),
        Signer(signing, find_anchor(log, path, anchor)),
        anonymous=anonymous_reader(log, private) if look_closer else None,
        policy=read_policy(policy),
        admission=read_admission(admission),
    )
