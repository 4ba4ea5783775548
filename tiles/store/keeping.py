"""Who may use what is in a directory: the modes of what is made there, and whose files and folders are believed.

    public part    as the umask says: readers are served from it
    private part   0700 and 0600, whatever the umask; what is there has to belong to the user or to root
    anchor         likewise; and not everyone may exchange it for another folder, such as an older copy of it
    inbox          each folder in it may belong to a submitter, who writes there and nowhere else

Owner and mode are those of a descriptor that is open already: they are of the very thing that is used.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pwd import getpwuid
from shlex import quote

from tiles.errors import Refused
from tiles.store.paths import TEMPS

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_READ_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH
_NOT_THE_OWNER = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Keeping:
    """Who may use what is in a directory.

    private   what is made is for its owner alone, whatever the umask
    own       what is there has to belong to the user or to root, and nobody else may be able to write to it
    shared    a folder, "" for none, whose folders may belong to others; they have files in them and no folders, so none
              is looked for below them. What is written there is prepared there, and not where the owner's files are
    alone     the folder above is not one where everyone may rename what others have
    """

    private: bool = False
    own: bool = False
    shared: str = ""
    alone: bool = False

    def is_others(self, folder: str) -> bool:
        """Tell whether a folder may belong to somebody else, or is below one that may."""
        return bool(self.shared) and folder.startswith(f"{self.shared}/")

    def temps(self, folder: str) -> str:
        """Return where a file is prepared that gets its name in a folder."""
        if not self.is_others(folder):
            return TEMPS
        return "/".join([*folder.split("/")[: self.shared.count("/") + 2], TEMPS])

    def folder_mode(self) -> int:
        """Return the mode of a new folder, before the umask."""
        return 0o700 if self.private else 0o777

    def mode_above(self) -> int:
        """Return the mode of a new folder above the directory, before the umask."""
        return 0o755 if self.private else 0o777

    def file_mode(self, folder: os.stat_result | None) -> int:
        """Return the mode of a new file, before the umask.

        folder   the status of the folder it is written to, if that may belong to somebody else: with the set-group-ID
                 bit, new files belong to its group, and this group reads them
        """
        if not self.private:
            return 0o666
        return 0o640 if folder is not None and folder.st_mode & stat.S_ISGID else 0o600

    def is_ours(self, path: str) -> bool:
        """Tell whether a file or folder has to be the user's own, because it is believed."""
        return self.own and not self.is_others(path)


def check_owner(shown: str, status: os.stat_result, user: int) -> None:
    """Raise Refused unless a file or folder belongs to a user or root."""
    if status.st_uid not in (user, 0):
        raise Refused(
            f"{shown} belongs to {name_of_user(status.st_uid)}, who could have put anything there",
            hint=f"act as that user; or find out how it got there, and then: chown {name_of_user(user)} {quote(shown)}",
        )


def check_own(shown: str, status: os.stat_result, user: int) -> None:
    """Raise Refused for a file or folder that somebody other than a user and root could have prepared."""
    check_owner(shown, status, user)
    if status.st_mode & _BY_OTHERS:
        raise Refused(
            f"{shown} can be written by others than its owner, who could have put anything there",
            hint=f"find out who wrote it, and then: chmod go-w {quote(shown)}",
        )


def check_above(shown: str, above: os.stat_result) -> None:
    """Raise Refused if everyone may exchange what is in a folder for something else, such as an older copy."""
    if is_anyones(above):
        raise Refused(
            f"{shown} can be written by everyone, who could have exchanged what is in it",
            hint=f"find out who wrote there, and then: chmod o-w {quote(shown)}",
        )


def is_readable(status: os.stat_result) -> bool:
    """Tell whether others than its owner may read a file, or list a folder."""
    return bool(status.st_mode & _READ_BY_OTHERS)


def is_closed(folder: os.stat_result) -> bool:
    """Tell whether nobody but its owner gets to what is in a folder."""
    return not folder.st_mode & _NOT_THE_OWNER


def is_anyones(folder: os.stat_result) -> bool:
    """Tell whether everyone may delete and replace what is in a folder, so that it is no single submitter's."""
    return bool(folder.st_mode & stat.S_IWOTH) and not folder.st_mode & stat.S_ISVTX


def name_of_user(number: int) -> str:
    """Return the login name of a user, or the number of one who has none."""
    try:
        return getpwuid(number).pw_name
    except (KeyError, OverflowError):
        return str(number)
