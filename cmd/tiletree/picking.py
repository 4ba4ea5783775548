"""Which files a call means: those that it names, those in folders, and those that fit a pattern.

A folder is walked in the order of names. What is in it and is left out is said, and so are files that prove or sign
others of the same call: `dist/*` holds them after the first release. A pattern is for shells that expand none. What is
logged, proven and verified is picked alike, so that `verify dist/*` looks at what `add dist/*` took.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiles.errors import AccessError, UsageError
from tiles.notes.tlog_proof import FILE_SUFFIX, is_tlog_proof
from tiletree.files import BUNDLE_SUFFIX, ENDORSEMENT_SUFFIX, read_limited
from tiletree.ui import Output

BESIDE, EMPTY, HIDDEN, LINK, SPECIAL, OWN = "beside", "empty", "hidden", "link", "special", "own"
_WORDS = {  # why something is left out: one, several, and what to do where it is wanted
    BESIDE: ("file that proves or signs another one", "files that prove or sign other ones", ""),
    EMPTY: ("folder without a file to take", "folders without a file to take", ""),
    HIDDEN: ("hidden file or folder", "hidden files and folders", "; what is named itself is taken"),
    LINK: ("symbolic link", "symbolic links", "; none is followed, and what is named itself is taken"),
    SPECIAL: ("file that is no regular file", "files that are no regular files", ""),
    OWN: ("part of the log itself", "parts of the log itself", ""),
}
_SIGNATURES = (BUNDLE_SUFFIX, ".sigstore", ".sig", ".asc", ".minisig", ENDORSEMENT_SUFFIX)  # by custom
_PROOFS = (FILE_SUFFIX, BUNDLE_SUFFIX)
_SHOWN = 1000  # of what is left out, in a JSON document
_STREAMS = ("/dev/", "/proc/")  # where shells name what another program writes: <(…)
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Picked:
    """Files, in the order in which they were named or found, and what was left out, each with one of _WORDS."""

    files: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    def say(self, out: Output) -> None:
        """Say what was left out; nothing if that is nothing. With --quiet, what is always left out is not said."""
        if not self.left_out:
            return
        out.remarks["left_out"] = [{"path": out.plain(path), "why": why} for path, why in self.left_out[:_SHOWN]]
        said = [each for each in self.left_out if not out.quiet or each[1] != BESIDE]
        for line in _lines(said):
            out.note(f"left out: {line}")


@dataclass(frozen=True)
class Purpose:
    """What files are picked for.

    proofs_alone   what to do where only files that prove or sign others are named
    is_itself      whether an argument stands for itself, and names no file of this machine
    is_meant       whether a file that proves or signs another one is wanted all the same
    """

    proofs_alone: str = "name the files that they prove or sign; to log a proof itself, give it as - on standard input"
    is_itself: Callable[[str], bool] = lambda _argument: False
    is_meant: Callable[[str], bool] = lambda _file: False


LOGGING = Purpose()


def pick(
    named: Sequence[str], own: Collection[Path] = (), listed: Sequence[str] = (), purpose: Purpose = LOGGING
) -> Picked:
    """Return the files that arguments mean: a file, "-", a folder, or a pattern; then those that a list names.

    own      places of the log itself, of which nothing is taken
    listed   they are taken as they are, and may not be there; left out are those that prove others, and no signatures
    Raises UsageError for what is not there, a pattern that nothing fits, and if nothing is left to take; AccessError
    for a folder that cannot be read.
    """
    walk = _Walk(own, purpose.is_itself)
    for argument in named:
        walk.add_all(argument)
    files, beside = _apart(walk.files, listed, purpose)
    left_out = [*((path, BESIDE) for path in beside), *walk.left_out]
    if not files:
        hint = purpose.proofs_alone if beside else "name a file, or a folder that has files"
        raise UsageError(f"there is no file to take; left out: {'; '.join(_lines(left_out))}", hint=hint)
    return Picked(tuple(files), tuple(left_out))


def is_pattern(argument: str) -> bool:
    """Whether an argument is a pattern: a file may be called so as well, and then that is meant; an address is none."""
    return "://" not in argument and not _PATTERN.isdisjoint(argument) and not os.path.lexists(argument)


class _Walk:
    """Collects files. A file that is found twice is taken once; one that is named twice, twice."""

    def __init__(self, own: Collection[Path], is_itself: Callable[[str], bool]) -> None:
        self._is_itself = is_itself
        self.files: list[str] = []
        self.left_out: list[tuple[str, str]] = []
        self._seen: set[str] = set()
        self._own = {(found.st_dev, found.st_ino) for place in own if (found := _status(place)) is not None}

    def add_all(self, argument: str) -> None:
        if argument == "-" or self._is_itself(argument):
            self.files.append(argument)
        elif is_pattern(argument):
            for path in _fitting(argument):
                self._add(path, is_found=True)
        else:
            self._add(argument, is_found=False)

    def _add(self, path: str, *, is_found: bool) -> None:
        try:
            mode = Path(path).stat().st_mode
        except (OSError, ValueError) as error:
            raise _missing(path, error) from error
        if stat.S_ISDIR(mode):
            if not self._walk(path):
                self.left_out.append((path, EMPTY))
        elif stat.S_ISREG(mode) or path.startswith(_STREAMS):
            self._take(path, is_found=is_found)
        else:  # to read it could take for ever
            self.left_out.append((path, SPECIAL))

    def _take(self, path: str, *, is_found: bool) -> None:
        normal = os.path.normpath(path)
        if not is_found or normal not in self._seen:
            self.files.append(path)
        self._seen.add(normal)

    def _walk(self, folder: str) -> bool:
        """Take what is in a folder and those below it; return whether there is anything to take."""
        found = False
        waiting = [(folder, True)]
        while waiting:
            path, is_folder = waiting.pop()
            if not is_folder:
                self._take(path, is_found=True)
                found = True
            elif self._is_own(_status(Path(path))):
                self.left_out.append((path, OWN))
            else:
                waiting += reversed(list(self._of_folder(path)))
        return found

    def _of_folder(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Yield what is to be taken of a folder, in the order of names, and whether each is a folder itself."""
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
            for entry in entries:
                path = os.path.join(folder, entry.name)  # noqa: PTH118  as it is named: Path would leave out a leading ./
                if entry.name.startswith("."):
                    self.left_out.append((path, HIDDEN))
                elif entry.is_symlink():
                    self.left_out.append((path, LINK))
                elif entry.is_dir(follow_symlinks=False):
                    yield path, True
                elif not entry.is_file(follow_symlinks=False):
                    self.left_out.append((path, SPECIAL))
                elif self._own and self._is_own(entry.stat(follow_symlinks=False)):
                    self.left_out.append((path, OWN))
                else:
                    yield path, False
        except OSError as error:
            raise AccessError(
                f"the folder {folder} cannot be read: {error.strerror}", hint="name the files that are meant"
            ) from error

    def _is_own(self, status: os.stat_result | None) -> bool:
        return status is not None and (status.st_dev, status.st_ino) in self._own


def _fitting(pattern: str) -> list[str]:
    """Return what fits a pattern, sorted. Raises UsageError if nothing does."""
    if "**" in pattern:
        raise UsageError(f"{pattern}: ** is not a pattern here", hint="name the folder: all that is in it is taken")
    from glob import glob  # few calls have a pattern that their shell has left

    found = sorted(glob(pattern))  # noqa: PTH207  as the shell would have named them
    if not found:
        raise UsageError(f"no file fits the pattern {pattern}", hint=f"files are looked for from {Path.cwd()}")
    return found


def _missing(path: str, error: OSError | ValueError) -> UsageError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = "fetch it first: files of this machine are logged" if "://" in path else f"looked for from {Path.cwd()}"
        return UsageError(f"there is no file {path}", hint=hint)
    why = error.strerror if isinstance(error, OSError) else "it is not a path"  # such as one with a zero byte
    return UsageError(f"{path} cannot be read: {why}")


def _apart(files: Sequence[str], listed: Sequence[str], purpose: Purpose) -> tuple[list[str], list[str]]:
    """Return files, and apart from them those that prove or sign one of them, and all proofs that no list names."""
    in_list = {os.path.normpath(file) for file in listed}
    there = in_list | {os.path.normpath(file) for file in files}
    taken: list[str] = []
    beside: list[str] = []
    for file in [*files, *listed]:
        is_listed = os.path.normpath(file) in in_list
        is_beside = _belongs(file, there, _PROOFS) if is_listed else _is_beside(file, there)
        (beside if is_beside and not purpose.is_meant(file) else taken).append(file)
    return taken, beside


def _belongs(file: str, there: Collection[str], suffixes: Sequence[str]) -> bool:
    normal = os.path.normpath(file)
    return any(normal.endswith(suffix) and normal.removesuffix(suffix) in there for suffix in suffixes)


def _is_beside(file: str, there: Collection[str]) -> bool:
    if _belongs(file, there, (*_SIGNATURES, FILE_SUFFIX)):
        return True
    if not os.path.normpath(file).endswith(FILE_SUFFIX):
        return False
    try:
        return is_tlog_proof(read_limited(Path(file), 64))
    except OSError:
        return False  # whoever reads it says why it cannot be read


def _status(place: Path) -> os.stat_result | None:
    try:
        return place.stat()
    except OSError:
        return None


def _lines(left_out: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield, in words, what was left out: one line for each reason."""
    for why, (one, several, what_next) in _WORDS.items():
        paths = [path for path, reason in left_out if reason == why]
        if len(paths) == 1:
            yield f"1 {one}, {paths[0]}{what_next}"
        elif paths:
            yield f"{len(paths)} {several}, such as {paths[0]}{what_next}"
