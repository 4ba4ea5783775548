"""Which blinding secret a call logs with, and which ones a reader tries to find what was logged so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tiles.entries.blinded import blinded_entry, blinding
from tiles.entries.blinding_secret import read_secret, secret_at
from tiles.entries.file_digest import parse_digest_entry
from tiles.errors import AccessError, NotFound, TilesError, UsageError
from tiles.signing.key_place import KeyPlace, parse_key_place
from tiles.store.address import Kind, kind_of
from tiles.user.files import can_be_seen
from tiles.user.places import blinding_path, default_key_path, remembered
from tiletree.options import KEY_PLACE
from tiletree.ui import Output


class Blinder:
    """Blinds the digest entries of files, one after the other.

    blindings   the r of each one so far, for its proof
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.blindings: list[bytes] = []

    def blind(self, entry: bytes) -> bytes:
        """Return the blinded entry of a file. entry: its digest entry"""
        file = parse_digest_entry(entry)
        r = blinding(self._secret, file)
        self.blindings.append(r)
        return blinded_entry(r, file)


def blinder_at(out: Output, path: Path) -> Blinder:
    """Return what blinds with the secret that is kept at a path; it is made there, and lasts, if it is not there."""
    secret, is_new = secret_at(path)
    if is_new:
        out.note(f"made the blinding secret {path}: keep a copy of it; without it nobody can prove these files again")
    return Blinder(secret)


def path_beside(key: KeyPlace) -> Path:
    """Return where the secret of whoever has a log's key is. Raises UsageError if that is in no file."""
    if key.path is None:
        raise UsageError(
            f"--blind keeps its secret beside the key file, and there is none: the key is in {key}",
            hint="name a key file with --key, or submit: then the secret is in the submitter's configuration",
        )
    return blinding_path(key.path)


def known_secrets(log: str | None, origin: str) -> Iterator[bytes]:
    """Yield the blinding secrets of this user that a log's entries may have been made with.

    log   None: only what the log calls itself is known
    Raises, after all others were yielded, what keeps one of them from being read.
    """
    trouble = None
    for path in _places(log, origin):
        try:
            if can_be_seen(path):  # if not, it is somebody else's, whose environment this process has
                yield read_secret(path)
        except NotFound:
            pass
        except TilesError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble


def _places(log: str | None, origin: str) -> list[Path]:
    is_own = log is not None and kind_of(log) in (Kind.DIRECTORY, Kind.BUCKET)  # nobody writes to another
    named = os.environ.get(KEY_PLACE) or (remembered(log).key if log is not None and is_own else None)
    path = parse_key_place(named).path if named else None
    places = [blinding_path(path)] if path else []
    with suppress(AccessError):  # this user has no home directory
        places += [] if path else [blinding_path(default_key_path(origin))]
        places.append(blinding_path(None))
    return places
