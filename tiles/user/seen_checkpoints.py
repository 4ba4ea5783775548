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
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from tiles.errors import AccessError, LogError, Malformed, explained
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.encoding import decode_text
from tiles.notes.fork_evidence import NEWER, OLDER, PREFIX
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.log_identity import kept_as
from tiles.notes.note import MAX_NOTE_SIZE
from tiles.notes.policy import policy_for
from tiles.user.files import locked, make_directory, read_file, sync_directory, write_file, xdg_directory

INDEX_HEAD = "index-head"  # what the evidence of a wrong index has, and that of a fork has not
MAX_FORKS = 8  # of one log whose evidence is kept; one is enough to prove that it forked

_MAX_EVIDENCE = 64 << 20  # bytes, of all logs together
_BEFORE = ".before"  # what the file has after the name of that of the checkpoint: keys, one a line
_MAX_BEFORE = 16  # keys of a log that were known before the one by which it is known; of more, the newest
_MAX_BEFORE_SIZE = 1 << 18  # bytes

_FORK = """\
Evidence that the log {origin} has shown two histories.

older and newer are two checkpoints that it signed; prefix, where there is one, proves that the tree of newer does not
begin with the tree of older. Anyone who knows the log's key can check it, offline:

    tiletree verify --fork . --vkey {vkey}

Keep this directory, and tell others who use the log.
"""
_TWO_KEYS = """\
Evidence that two histories were shown of the log {origin}, signed by two different keys.

older and newer are two checkpoints; prefix, where there is one, proves that the tree of newer does not begin with the
tree of older. Anyone who knows both keys can check it, offline, with a policy file that names them:

    tiletree verify --fork . --policy FILE

Keep this directory, and ask who runs the log whose the keys are.
"""
_UNPROVEN = """\
Two checkpoints of the log {origin} that may belong to two histories.

newer was seen first, and the smaller one, older, after it. Where older was served, nothing showed that newer begins
with it. That is no proof: it may be an old copy of the log. Whoever has all tiles of newer can tell.

Keep this directory, and ask who runs the log.
"""

_INDEX = """\
An index head that the log {origin} has signed, and that is wrong.

index-head is what it signed; what-it-shows says which statement of it does not follow from the log's entries, or
contradicts other-index-head. checkpoint is that of the log, in which the entries are. Anyone who knows the log's key
can compute the index again from the entries, and compare:

    tiletree index check LOG --vkey {vkey} --against index-head

Keep this directory, and tell others who use the log. The index of this kind of keys proves nothing any more.
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

    def last(self, key: VerifierKey, origin: str | None = None) -> SignedCheckpoint | None:
        """Return the last checkpoint remembered of the log whose key this is, or None.

        origin   if it is not the key's name: a key may have several such logs, and each is remembered by itself
        """
        path = self._path(key, origin)
        data = read_file(path, MAX_NOTE_SIZE)
        if data is None:
            return None
        try:
            return policy_for(key, origin).accept(parse_signed_checkpoint(data)).signed
        except LogError as error:
            hint = "put it back from a backup; if you remove it, changes of the log since the last visit go unnoticed"
            raise AccessError(
                f"{path} is damaged: {error.message}", hint=explained("what-is-remembered-is-damaged", hint)
            ) from error

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:
        """Remember a checkpoint that was accepted and shown to be consistent with `since`, what `last` returned.

        Returns False, and changes nothing, if something else is remembered by now. A smaller one, or one of the same
        tree, changes nothing either: the checkpoint remembered is always the largest one.
        """
        last = self.last(key, signed.origin)
        if last is not None and last.data == (since and since.data) and signed.tree.size <= last.tree.size:
            return True  # nothing is to be written, so there need not be a place where it could be
        with locked(self.directory):
            last = self.last(key, signed.origin)
            if (last and last.data) != (since and since.data):
                return False
            if last is None or signed.tree.size > last.tree.size:
                write_file(self._path(key, signed.origin), signed.data)
            return True

    def before(self, key: VerifierKey, origin: str | None = None) -> tuple[VerifierKey, ...]:
        """Return the keys that `follow` has put before this one, oldest first."""
        path = self._path(key, origin).with_suffix(_BEFORE)
        data = read_file(path, _MAX_BEFORE_SIZE)
        if data is None:
            return ()
        try:
            keys = tuple(map(parse_vkey, decode_text(data, "keys of before").splitlines()))
            if _format_before(keys) != data:
                raise Malformed("keys of before", "not lines that each end in newline")
        except LogError as error:
            hint = "put it back from a backup; if you remove it, what was seen by those keys is not compared any more"
            raise AccessError(
                f"{path} is damaged: {error.message}", hint=explained("what-is-remembered-is-damaged", hint)
            ) from error
        return keys

    def follow(self, old: VerifierKey, new: VerifierKey, origin: str | None = None) -> None:
        """Take down that a log is known by another key from now on: what was seen by the old one is compared as before.

        Whoever serves the log could otherwise show another history to those who change from one key to the other.
        """
        with locked(self.directory):
            known = self.before(new, origin)
            earlier = (*self.before(old, origin), old)
            keys = tuple(dict.fromkeys(key for key in (*known, *earlier) if key != new))[-_MAX_BEFORE:]
            if keys != known:
                write_file(self._path(new, origin).with_suffix(_BEFORE), _format_before(keys))

    def forget(self, key: VerifierKey, origin: str | None = None) -> bool:
        """Forget what was seen of a log, and return whether anything was; the evidence of forks stays."""
        path = self._path(key, origin)
        with locked(self.directory):
            try:
                path.unlink()
                sync_directory(path.parent)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise AccessError(f"{path} cannot be removed: {error.strerror}") from error
            return True

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> Path:
        """Keep the evidence of a fork (`tiles.notes.fork_evidence`), and return its directory; it is never overwritten.

        The same evidence again is in the same directory. A log can fork at every visit, and must not fill the disk: of
        one key MAX_FORKS are kept. Raises AccessError, which says where those are, for one more. What is no proof, and
        so could be made without the log's key, is counted apart, and takes no room from what is one.
        """
        origin = _origin(key, evidence)
        hashed = sha256(b"".join(sha256(evidence[name]).digest() for name in sorted(evidence)))
        forks = self.directory / "forks"
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", key.name)[:80]
        of_log = f"{name}-{sha256(kept_as(key, origin).encode()).hexdigest()[:16]}-"
        readme = _readme(key, origin, evidence)
        if readme is _UNPROVEN:
            of_log = f"unproven-{of_log}"
        elif INDEX_HEAD in evidence:
            of_log = f"index-{of_log}"
        target = forks / f"{of_log}{hashed.hexdigest()[:16]}"
        if target.is_dir():
            return target
        _check_room(forks, of_log)
        temp = target.with_name(f".{secrets.token_hex(8)}.tmp")
        # the origin is the log's choice, and the line is to be copied into a shell
        also = "" if origin == key.name else f" --origin {shlex.quote(origin)}"
        text = readme.format(origin=origin, vkey=f"{shlex.quote(key.vkey)}{also}").encode()
        try:
            make_directory(temp)
            for file, data in {**evidence, "README": text}.items():
                write_file(temp / file, data)
            temp.rename(target)
            sync_directory(target.parent)
        except OSError as error:
            if not target.is_dir():  # otherwise another process was first, with the same
                raise AccessError(f"{target} cannot be written: {error.strerror}") from error
        finally:
            shutil.rmtree(temp, ignore_errors=True)
        return target

    def _path(self, key: VerifierKey, origin: str | None) -> Path:
        # a vkey begins with a name, which may hold anything but a newline: a hash of it is a file's name
        return self._checkpoints / sha256(kept_as(key, origin).encode()).hexdigest()


def _format_before(keys: Iterable[VerifierKey]) -> bytes:
    return "".join(f"{key.vkey}\n" for key in keys).encode()


def _check_room(forks: Path, of_log: str) -> None:
    """Raise AccessError if no more evidence is kept of a log, whose directories' names begin so, or of any."""
    try:
        there = [path for path in forks.iterdir() if not path.name.startswith(".")] if forks.is_dir() else []
        of_this = sum(path.name.startswith(of_log) for path in there)
        size = sum(file.stat().st_size for path in there for file in path.iterdir()) if of_this < MAX_FORKS else 0
    except OSError as error:
        raise AccessError(f"{forks} cannot be read: {error.strerror}") from error
    if of_this >= MAX_FORKS:
        raise AccessError(f"{of_this} forks of this log are in {forks} already, {of_log}*, and no more are kept")
    if size >= _MAX_EVIDENCE:
        raise AccessError(f"{forks} has {size} bytes already, and no more are kept: move some of it elsewhere")


def _origin(key: VerifierKey, evidence: Mapping[str, bytes]) -> str:
    """Return of which log evidence is: the origin of the newer checkpoint, or the key's name where there is none."""
    try:
        return parse_signed_checkpoint(evidence[NEWER]).origin
    except (KeyError, LogError):
        return key.name


def _readme(key: VerifierKey, origin: str, evidence: Mapping[str, bytes]) -> str:
    """Return what to write beside the evidence, by what it shows."""
    if INDEX_HEAD in evidence:
        return _INDEX
    try:
        older, newer = (parse_signed_checkpoint(evidence[name]) for name in (OLDER, NEWER))
    except (KeyError, LogError):
        return _FORK
    if older.tree.size != newer.tree.size and PREFIX not in evidence:
        return _UNPROVEN
    try:
        for signed in (older, newer):
            policy_for(key, origin).accept(signed)
    except LogError:
        return _TWO_KEYS
    return _FORK


def read_evidence(directory: Path) -> dict[str, bytes]:
    """Return the evidence in a directory that `save_evidence` made, for `check_fork`. Raises AccessError."""
    found = {name: read_file(directory / name, MAX_NOTE_SIZE) for name in (OLDER, NEWER, PREFIX)}
    return {name: data for name, data in found.items() if data is not None}
