"""What the configuration of a witness opens: its keys, its store, and the file itself, to be added to."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tiles.errors import AccessError, Malformed, NotFound, Refused, UsageError
from tiles.notes.keys import SEED_SIZE, SignatureType, SigningKey, signing_key
from tiles.retry import Clock
from tiles.signing.key_file import read_key, write_key
from tiles.signing.key_place import KeyPlace, parse_key_place
from tiles.signing.open_key import open_cosigner
from tiles.store import Store
from tiles.store.address import Kind, absolute, is_object_url, kind_of, parse_object_url, shown_address
from tiles.user.seen_checkpoints import Visits
from tiles.watch.witness import Witness
from tiles.watch.witness_config import (
    MAX_CONFIG_SIZE,
    WitnessConfig,
    parse_config,
)
from tiles.write.prepare import as_public

KINDS = {"ed25519": SignatureType.COSIGNATURE, "ml-dsa-44": SignatureType.MLDSA44}  # of a witness's keys


@dataclass(frozen=True)
class Opened:
    """A witness, as its configuration says."""

    config: WitnessConfig
    keys: tuple[SigningKey, ...]
    store: Store
    witness: Witness


def open_witness(config: Path) -> Opened:
    """Return the witness. Raises UsageError for a configuration that is none, or a key that does not cosign."""
    try:
        parsed = parse_config(read_config(config))
    except Malformed as error:
        raise UsageError(f"{config}: {error.plain}") from error
    keys = tuple(open_cosigner(_place(config, text), parsed.name) for text in parsed.keys)
    if parsed.name and {key.verifier.name for key in keys} != {parsed.name}:
        raise UsageError(f"{config} names the witness {parsed.name}, and a key file has another name")
    store = state_store(config, parsed.state)
    return Opened(parsed, keys, store, Witness(keys, store, Visits(), Clock()))


def read_config(config: Path) -> bytes:
    """Return what is in the file. Raises UsageError if it cannot be read."""
    try:
        with config.open("rb") as file:
            return file.read(MAX_CONFIG_SIZE + 1)
    except OSError as error:
        raise UsageError(f"{config} cannot be read: {error.strerror}") from error


def state_store(config: Path, state: str) -> Store:
    """Return the store, which serves what it holds as something that changes. Raises UsageError."""
    if kind_of(state) not in (Kind.DIRECTORY, Kind.BUCKET):
        raise UsageError(
            f"{shown_address(state)}: a witness remembers in a directory or a bucket",
            hint="name the store itself, such as s3://bucket/witness, not where it is served",
        )
    if is_object_url(state):
        from tiles.store.open_bucket import open_object_store

        return as_public(open_object_store(state))
    from tiles.store.address import directory_of
    from tiles.store.directory import DirectoryStore

    return DirectoryStore(directory_of(state) if "://" in state else config.parent / directory_of(state))


def key_of(path: Path, name: str, kind: SignatureType) -> SigningKey:
    """Return the key in a file, which is made if it is not there: `init` may have died before. Raises Refused."""
    try:
        key = read_key(path)
    except NotFound:
        key = signing_key(name, secrets.token_bytes(SEED_SIZE), kind)
        write_key(path, key)
    if (key.verifier.name, key.verifier.type) != (name, kind):
        raise Refused(f"{path} exists already, and is another key")
    return key


def kept_address(log: str) -> str:
    """Return the address of a log as CONFIG has it, which holds no credentials. Raises UsageError for one that does."""
    kind = kind_of(log)
    if kind is Kind.DIRECTORY:
        return absolute(log)  # a cron line may run anywhere
    if kind is Kind.BUCKET:
        parse_object_url(log)  # whose options are none
    elif "@" in log or "?" in log or (kind is Kind.FSSPEC and shown_address(log) != log):
        raise UsageError(
            f"{shown_address(log)}: an address with credentials is written down nowhere",
            hint="name one at which anybody may read the log",
        )
    return log


def _place(config: Path, text: str) -> KeyPlace:
    """Return where a key is; the path of a file may be relative to that of CONFIG. Raises UsageError."""
    place = parse_key_place(text)
    return place if place.path is None else replace(place, text=str(config.parent / place.path.expanduser()))


@contextmanager
def to_be_changed(config: Path) -> Iterator[BinaryIO]:
    """Give the file, which no other call changes meanwhile."""
    read_config(config)  # says what is wrong if it is not there
    try:
        file = config.open("r+b")
    except OSError as error:
        raise AccessError(f"{config} cannot be written: {error.strerror}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def append_line(file: BinaryIO, config: Path, line: bytes) -> None:
    """Add a line, which lasts on return. A line that was cut short is no configuration, and nothing goes on with it."""
    try:
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise AccessError(f"{config} cannot be written: {error.strerror}") from error
