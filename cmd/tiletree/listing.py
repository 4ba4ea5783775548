"""`tiletree verify --checksums`: the files that a list names, each where it is taken from, and with its digest."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiles.errors import Malformed, VerificationError
from tiles.read.checksums import MAX_LIST_SIZE, Listed, parse_checksums
from tiles.read.trouble import judged
from tiletree.files import read_limited
from tiletree.subjects import Subject
from tiletree.ui import Output


@dataclass(frozen=True)
class InList:
    """What a list of checksums says of a file.

    source   the list, as the call names it
    line     from 1
    sha256   of the file
    whole    SHA-256 of the list
    """

    source: str
    line: int
    sha256: str
    whole: str

    def check(self, file: str, digest: str) -> None:
        """Raise VerificationError unless it is the digest of the file that the list has."""
        if digest != self.sha256:
            raise VerificationError(
                f"{file} is not the file of line {self.line} in {self.source}: its SHA-256 is {digest}",
                hint="the file was changed, or the list is that of others",
            )


def listed_in(path: Path, out: Output) -> list[Subject]:
    """Return the files of a list, whose names are taken from the folder that the list is in.

    Says which of them are links that lead out of that folder: the list may be somebody else's, and so may the links.
    Raises Malformed, with its line, for what cannot be read, and for a name that leads out of the folder.
    """
    with judged(data := read_limited(path, MAX_LIST_SIZE), str(path)):
        found = [(each, _path(path.parent, each)) for each in parse_checksums(data)]
    home = path.parent.resolve()
    for _, there in found:
        if (target := _target(there)) is not None and not target.is_relative_to(home):
            out.note(f"{there} is a link that leads out of {path.parent}, to {target}")
    whole = sha256(data).hexdigest()
    return [Subject(_word(there), listed=InList(str(path), each.line, each.sha256, whole)) for each, there in found]


def _path(folder: Path, each: Listed) -> Path:
    if each.leads_out:
        problem = "a name that leads out of the folder of the list"
        raise Malformed(f"list of checksums, line {each.line}", problem, each.name)
    return folder / each.name


def _target(path: Path) -> Path | None:
    """Return where a file is that links lead to; None where that cannot be known, which opening it will say."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return None


def _word(path: Path) -> str:
    """Return a path as a word that cannot be taken for anything else, such as a digest."""
    return f"./{path}" if ":" in str(path) and not path.is_absolute() else str(path)
