"""Small files that belong to one user: written whole or not at all, readable by nobody else, one writer at a time.

These files are not kept in a store (`tiles.store`). A store refuses network file systems, where home directories often
are, because others rely on what it promises; only one user relies on these.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tiles.errors import AccessError, Refused
from tiles.retry import Clock
from tiles.store.keeping import check_above, check_owner

LOCK_WAIT = 10.0  # seconds; whoever holds the lock is about to write one small file

_MONOTONIC = Clock(now=time.monotonic)
_LOCK = ".lock"


def xdg_directory(variable: str, fallback: str) -> Path:
    """Return this user's `tiletree` directory of a kind (XDG Base Directory Specification).

    variable   e.g. "XDG_STATE_HOME"; "All paths … must be absolute. If … a relative path … ignore it"
    fallback   relative to the home directory, e.g. ".local/state"
    """
    value = os.environ.get(variable, "")
    try:
        base = Path(value) if Path(value).is_absolute() else Path.home() / fallback
    except RuntimeError:
        raise AccessError("this user has no home directory", hint=f"set {variable}") from None
    return base / "tiletree"


def read_file(path: Path, limit: int) -> bytes | None:
    """Return a file's content, None if it is not there, or in a directory that this user may not look into.

    Such a directory is that of somebody else whose environment this process has: nothing was ever kept there for it.
    Raises AccessError for what is there and cannot be read, or is longer than `limit` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if isinstance(error, PermissionError) and not can_be_seen(path):
            return None
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise AccessError(f"{path} is longer than {limit} bytes")
    return data


def can_be_seen(path: Path) -> bool:
    """Whether this user may look whether a file is there."""
    try:
        path.lstat()
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def read_private(path: Path, limit: int) -> bytes | None:
    """Return what a file holds that nobody else may know, up to one byte more than `limit`; None if it is not there.

    Raises AccessError; Refused for a file that somebody else wrote, as it may be theirs, or that others than the owner
    may read, and where everyone may exchange it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(limit + 1)
        folder = path.resolve().parent
        above = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
    check_owner(str(path), status, os.geteuid())
    check_above(str(folder), above)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise Refused(f"{path} can be read by others than its owner", hint=f"chmod 600 {path}")
    return data


def create_file(path: Path, data: bytes) -> bool:
    """Write a new file, whole or not at all, mode 0600; return False, and change nothing, if anything is there.

    What is there then lasts on return, whoever wrote it. Raises AccessError.
    """
    temp = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    write_file(temp, data)
    is_new = True
    try:
        try:
            os.link(temp, path)
        except FileExistsError:
            is_new = False
        finally:
            temp.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error
    return is_new


def make_lasting(path: Path) -> None:
    """Make a file and its name survive a power cut, whoever wrote it. Raises AccessError."""
    try:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sync_directory(path.parent)
    except OSError as error:
        raise AccessError(f"{path} cannot be synced: {error.strerror}") from error


def write_file(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Write or replace a file: at every moment it has the old content or the new. Mode 0600, new directories 0700.

    lasting   survives a power cut once this returns; without it, a power cut may leave any content
    Raises AccessError.
    """
    temp = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        make_directory(path.parent)
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        temp.replace(path)
        if lasting:
            sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            temp.unlink(missing_ok=True)
        raise AccessError(f"{path} cannot be written: {error.strerror}") from error


def make_directory(path: Path) -> None:
    """Make a directory and those above it, mode 0700, unless they are there. Raises OSError."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory last. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(directory: Path, *, wait: float = LOCK_WAIT, clock: Clock = _MONOTONIC) -> Iterator[None]:
    """Keep out other processes and threads that lock the same directory. Raises AccessError after `wait` seconds."""
    path = directory / _LOCK
    try:
        make_directory(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AccessError(f"{directory} cannot be written: {error.strerror}") from error
    with _locked(path, descriptor, wait, clock):
        yield  # the file stays afterwards, as removing it could let two processes in at once


@contextmanager
def locked_beside(path: Path, *, wait: float = LOCK_WAIT, clock: Clock = _MONOTONIC) -> Iterator[None]:
    """Keep out others that change files in the same directory by this function. Nothing is left there.

    Raises AccessError after `wait` seconds.
    """
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise AccessError(f"{path.parent} cannot be read: {error.strerror}") from error
    with _locked(path.parent, descriptor, wait, clock):
        yield


@contextmanager
def _locked(path: Path, descriptor: int, wait: float, clock: Clock) -> Iterator[None]:
    """Hold a lock on an open file or directory, and close that."""
    try:
        until = clock.now() + wait
        while not _try_lock(path, descriptor):
            if clock.now() >= until:
                hint = "end it, or wait for it, and try again"
                raise AccessError(f"{path} stays locked by another process", hint=hint)
            clock.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


def _try_lock(path: Path, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise AccessError(f"{path} cannot be locked: {error.strerror}") from error
    return True
