"""Keys that options name: the key of a log, wherever it is kept, and those that sign artifacts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiles.errors import AccessError, Malformed, NotFound, Refused, UsageError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.read.trouble import judged
from tiles.signing.key_place import KeyPlace, Kind, parse_key_place
from tiles.store import Store
from tiles.store.address import Kind as AddressKind
from tiles.store.address import existing_directory_of, is_object_url, kind_of, shown_address
from tiles.tree.layout import CHECKPOINT
from tiles.user.places import anchor_store, default_key_path, private_store, public_store, remembered
from tiletree.options import KEY_TEXT, Writer

if TYPE_CHECKING:
    from tiles.records.head import Head
    from tiles.signing.artifact_key import ArtifactKey


@dataclass(frozen=True)
class LogKey:
    """The key of a log, and where it is kept."""

    place: KeyPlace
    signing: SigningKey

    @property
    def verifier(self) -> VerifierKey:
        """The key that verifies what it signs."""
        return self.signing.verifier


def key_place(log: str, writer: Writer) -> KeyPlace:
    """Return where the key of a log that exists is kept.

    As named in the call, in the environment, as at init, or in a file by the log's origin.
    """
    if writer.key is not None:
        return writer.key
    if environment := environment_place(writer):
        return environment
    if known := remembered(log).key:
        return parse_key_place(known)
    return file_place(find_origin(public_store(log), private_store(log, writer.private)))


def names_a_log(text: str) -> bool:
    """Whether a word names a log that is written to, where it could also name a key.

    Raises UsageError for a log behind a server, and for a path of nothing.
    """
    if kind_of(text) is AddressKind.HTTP:
        raise UsageError(
            "the key of a log behind a server is with whoever writes it", hint="`tiletree info` shows its public half"
        )
    if is_object_url(text) or kind_of(text) is not AddressKind.DIRECTORY:
        return is_object_url(text)
    place = existing_directory_of(text)
    if not place.exists() and not parse_key_place(text).is_service:
        raise UsageError(
            f"there is neither a log nor a key file at {text}", hint="`tiletree init` begins a log, and prints its key"
        )
    return place.is_dir()


def file_place(origin: str) -> KeyPlace:
    """Return the file in which the key of a log is kept unless it is named."""
    return KeyPlace(Kind.FILE, str(default_key_path(origin)))


def environment_place(writer: Writer) -> KeyPlace | None:
    """Return the environment as the place of the key; None if it holds none, or the call names another place."""
    return KeyPlace(Kind.ENVIRONMENT, KEY_TEXT) if writer.key is None and os.environ.get(KEY_TEXT) else None


def find_key(log: str, writer: Writer) -> LogKey:
    """Return the key of a log that exists. Raises UsageError if it is not there.

    Raises Refused for a key of a service that is not the log's: it could sign under the log's name all the same.
    """
    place = key_place(log, writer)
    try:
        return LogKey(place, open_named(place, log, writer))
    except NotFound as error:
        raise UsageError(error.message, hint=error.hint) from error


def open_named(place: KeyPlace, log: str, writer: Writer) -> SigningKey:
    """Return the key of a log, which is kept at a place. Raises as `find_key` does, but NotFound if it is not there."""
    from tiles.signing.log_keys import LogKeys
    from tiles.signing.open_key import open_key

    if not place.is_service:
        signing = open_key(place)
        if isinstance(signing, LogKeys) and (head := _head(private_store(log, writer.private))):
            with suppress(Refused):  # loading says which key is missing
                signing.use(head.vkeys)
        return signing
    head = _head(private_store(log, writer.private))
    signing = open_key(place, head.origin if head else _published_origin(public_store(log)))
    _check_own(place, signing.verifier, log, head)
    return signing


def check_own(place: KeyPlace, verifier: VerifierKey, log: str, private: Store) -> None:
    """Raise Refused if the head of a log names another key. If the head is lost, that is for `repair` to find out."""
    _check_own(place, verifier, log, _head(private))


def _check_own(place: KeyPlace, verifier: VerifierKey, log: str, head: Head | None) -> None:
    if head and verifier.vkey not in head.vkeys:
        raise Refused(
            f"{place} is the key {verifier.vkey}, and the log {head.origin} is signed by {' '.join(head.vkeys)}",
            hint=f"nothing was signed; name the key of {shown_address(log)} with --key",
        )


def find_anchor(log: str, writer: Writer, place: KeyPlace) -> Store:
    """Return where the signer of a log remembers. Raises UsageError if that is not known.

    place   of the log's key
    """
    from tiles.write.last_used import last_used

    anchor = writer.anchor or remembered(log).anchor
    if place.path is None and anchor is None:
        raise UsageError(
            f"with {place}, --anchor or $TILETREE_ANCHOR has to say where the signer remembers what it signed"
            f"{last_used(private_store(log, writer.private))}",
            hint="such as s3://BUCKET/PREFIX of a bucket that nothing else writes to",
        )
    return anchor_store(place.path or Path(), anchor)


def own_places(log: str, writer: Writer, key: KeyPlace | None = None) -> list[Path]:
    """Return the places on this machine that belong to a log: whoever names a folder around them does not mean them.

    key   where its key is, for whoever writes
    """
    from tiles.user.places import blinding_path, config_directory, private_url  # not for calls without files

    places = [log]
    with suppress(AccessError):  # this user has no home directory
        places.append(str(config_directory()))  # where keys of other logs are
    with suppress(UsageError):  # whatever is wrong with it, it is said where it is used
        places.append(private_url(log, writer.private))
    if key is not None:
        with suppress(UsageError):
            places.append(find_anchor(log, writer, key).url)
        places += [str(key.path), str(blinding_path(key.path))] if key.path else []
    return [
        existing_directory_of(place)
        for place in places
        if kind_of(place) is AddressKind.DIRECTORY and not is_object_url(place)
    ]


def find_origin(public: Store, private: Store) -> str:
    """Return what a log calls itself: enough to look for its key, never to trust it."""
    head = _head(private)
    return head.origin if head else _published_origin(public)


def _head(private: Store) -> Head | None:
    """Return the head of a log; None if it is not there."""
    from tiles.write.load import read_head

    try:
        return read_head(private)[0]
    except NotFound:
        return None


def no_log(place: str) -> NotFound:
    """Return the error of a call that needs a log where there is none: its name may be mistyped."""
    where = "" if "://" in place or Path(place).is_absolute() else f"looked for from {Path.cwd()}; "
    return NotFound(f"there is no log at {place}", hint=f"{where}if the name is right, `tiletree init` begins one")


def check_log(public: Store) -> None:
    """Raise NotFound where there is no log: what is missing is more than its page, policy or head."""
    _checkpoint(public)


def _checkpoint(public: Store) -> bytes:
    try:
        return public.read(CHECKPOINT, MAX_NOTE_SIZE).data
    except NotFound:
        raise no_log(public.url) from None


@contextmanager
def at_a_log(public: Store) -> Iterator[None]:
    """Let what is not found be explained: not that a head is lost where there is no log."""
    try:
        yield
    except NotFound:
        check_log(public)
        raise


def _published_origin(public: Store) -> str:
    data = _checkpoint(public)
    with judged(data, f"{public.url}/{CHECKPOINT}"):
        return parse_signed_checkpoint(data).origin


def read_signing_key(place: KeyPlace) -> ArtifactKey:
    """Return the key for artifacts that a call names. Raises UsageError if it is none, or not there."""
    from tiles.signing.open_key import open_artifact_key

    try:
        return open_artifact_key(place)
    except (Malformed, NotFound) as error:
        raise UsageError(error.message, hint=error.hint) from None
