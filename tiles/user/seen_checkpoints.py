"""The memory of checkpoints: the last one that this user accepted of each log, and the evidence of forks.

A log can show different trees to different readers, and to one reader at different times. A reader who remembers finds
the second: on each visit `tiles.read.client` proves that the tree has only grown since the checkpoint remembered here,
and has the new one remembered.
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tiles.errors import AccessError, LogError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER, PREFIX
from tiles.notes.keys import VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import policy_for
from tiles.user.files import locked, make_directory, read_file, sync_directory, write_file, xdg_directory

_README = """\
Evidence that the log {origin} has shown two histories.

older and newer are two checkpoints that it signed; prefix, where there is one, proves that the tree of newer does not
begin with the tree of older. Anyone who knows the log's key can check it, offline:

    tiletree verify --fork . --vkey {vkey}

Keep this directory, and tell others who use the log.
"""


class Visits:
    """The memory of one user; processes and threads may share it.

    directory   made when first written to; default $XDG_STATE_HOME/tiletree, or ~/.local/state/tiletree

    Every method raises AccessError if the memory cannot be read or written, or is damaged. A log is then not read at
    all: going on as on a first visit would let it show another history.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or xdg_directory("XDG_STATE_HOME", ".local/state")
        self._checkpoints = self.directory / "visits"

    def last(self, key: VerifierKey) -> SignedCheckpoint | None:
        """Return the last checkpoint remembered of the log whose key this is (its name is the origin), or None."""
        path = self._path(key)
        data = read_file(path, MAX_NOTE_SIZE)
        if data is None:
            return None
        try:
            return policy_for(key).accept(parse_signed_checkpoint(data)).signed
        except LogError as error:
            hint = "put it back from a backup; if you remove it, changes of the log since the last visit go unnoticed"
            raise AccessError(f"{path} is damaged: {error.message}", hint=hint) from error

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:
        """Remember a checkpoint that was accepted and shown to be consistent with `since`, what `last` returned.

        Returns False, and changes nothing, if something else is remembered by now. A smaller one, or one of the same
        tree, changes nothing either: the checkpoint remembered is always the largest one.
        """
        with locked(self.directory):
            last = self.last(key)
            if (last and last.data) != (since and since.data):
                return False
            if last is None or signed.tree.size > last.tree.size:
                write_file(self._path(key), signed.data)
            return True

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> Path:
        """Keep the evidence of a fork (`tiles.notes.fork_evidence`), and return its directory; it is never overwritten.

        The same evidence again is in the same directory, so that a monitor in a loop does not fill the disk.
        """
        hashed = sha256(b"".join(sha256(evidence[name]).digest() for name in sorted(evidence)))
        name = f"{re.sub(r'[^A-Za-z0-9.-]+', '_', key.name)[:80]}-{hashed.hexdigest()[:16]}"
        target = self.directory / "forks" / name
        if target.is_dir():
            return target
        temp = target.with_name(f".{secrets.token_hex(8)}.tmp")
        # the origin is the log's choice, and the line is to be copied into a shell
        readme = _README.format(origin=key.name, vkey=shlex.quote(key.vkey)).encode()
        try:
            make_directory(temp)
            for file, data in {**evidence, "README": readme}.items():
                write_file(temp / file, data)
            temp.rename(target)
            sync_directory(target.parent)
        except OSError as error:
            if not target.is_dir():  # otherwise another process was first, with the same
                raise AccessError(f"{target} cannot be written: {error.strerror}") from error
        finally:
            shutil.rmtree(temp, ignore_errors=True)
        return target

    def _path(self, key: VerifierKey) -> Path:
        # a vkey begins with the origin, which may hold anything but a newline: a hash of it is a file's name
        return self._checkpoints / sha256(key.vkey.encode()).hexdigest()


def read_evidence(directory: Path) -> dict[str, bytes]:
    """Return the evidence in a directory that `save_evidence` made, for `check_fork`. Raises AccessError."""
    found = {name: read_file(directory / name, MAX_NOTE_SIZE) for name in (OLDER, NEWER, PREFIX)}
    return {name: data for name, data in found.items() if data is not None}
