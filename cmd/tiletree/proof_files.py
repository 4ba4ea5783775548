"""Where the proofs of files go: beside each file, as FILE.tlog-proof, or all into one folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tiles.errors import AccessError, Malformed, UsageError
from tiles.notes.tlog_proof import FILE_SUFFIX, MAX_PROOF_SIZE, TlogProof, parse_tlog_proof
from tiletree.files import read_limited, replace_file
from tiletree.options import as_one

STDIN = "stdin"  # what the proof of standard input is named by
_LONGEST = 255  # bytes of a name, on usual file systems
_OTHER_PLACE = "move it away, or let proofs go elsewhere"


class ProofFiles:
    """The proof files of the files of one call.

    files    as the call names them
    folder   where all of them go; None: each goes beside its file
    Raises UsageError if one cannot have a place of its own.
    """

    def __init__(self, files: Sequence[str], folder: Path | None) -> None:
        self.folder = folder
        self._paths: dict[str, Path] = {}
        taken: dict[str, str] = {}
        for file in files:
            path = self._place(file)
            if len(os.fsencode(path.name)) > _LONGEST:
                raise UsageError(f"the proof of {file} would have too long a name; nothing was done")
            key = os.path.normpath(path)
            other = taken.setdefault(key, file)
            if os.path.normpath(other) != os.path.normpath(file):
                raise UsageError(
                    f"two files would have the proof {path}: {other} and {file}; nothing was done",
                    hint="let each proof go beside its file, or name the files in two calls",
                )
            self._paths[file] = path

    def _place(self, file: str) -> Path:
        if self.folder is not None:
            return self.folder / f"{STDIN if file == '-' else Path(file).name}{FILE_SUFFIX}"
        if file == "-":
            raise UsageError("standard input has no place beside which its proof could be", hint="name a folder for it")
        return Path(f"{file}{FILE_SUFFIX}")

    def path(self, file: str) -> Path:
        """Return where the proof of a file goes."""
        return self._paths[file]

    def check(self, origin: str, *, make: bool = True) -> None:
        """Raise unless all of them can be written; the folder for them is made, if that is asked for.

        What is there already may be replaced if it is a proof of the same log. Raises UsageError for anything else,
        and AccessError for a folder that cannot be made, or written to.
        """
        if self.folder is not None and make:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise AccessError(f"{self.folder} cannot be made: {error.strerror}; nothing was done") from error
        for folder in sorted({path.parent for path in self._paths.values()}):
            if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
                raise AccessError(
                    f"{folder} cannot be written to, and proofs were to go there; nothing was done",
                    hint="name another folder for them",
                )
        for path in self._paths.values():
            if os.path.lexists(path):
                _check_replaceable(path, origin)

    def there(self, file: str) -> TlogProof | None:
        """Return the proof that is there for a file; None if there is none."""
        try:
            return parse_tlog_proof(read_limited(self.path(file), MAX_PROOF_SIZE))
        except (OSError, Malformed):
            return None

    def put(self, file: str, proof: TlogProof) -> Path:
        """Write a proof: whenever a run dies, the file has the old one or the new one. Raises AccessError."""
        path = self.path(file)
        replace_file(path, proof.data)
        return path


def proofs(count: int) -> str:
    """Return how many proofs that is, in words."""
    return f"{count} proof{'' if count == 1 else 's'}"


def _check_replaceable(path: Path, origin: str) -> None:
    """Raise UsageError unless what is there is a proof by the log of that origin."""
    if path.is_symlink() or not path.is_file():
        raise UsageError(f"{path} is there, and is no regular file; nothing was done", hint=_OTHER_PLACE)
    try:
        found = parse_tlog_proof(read_limited(path, MAX_PROOF_SIZE)).checkpoint.origin
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; nothing was done", hint=_OTHER_PLACE) from error
    except Malformed:
        raise UsageError(f"{path} is there, and is no proof file; nothing was done", hint=_OTHER_PLACE) from None
    if found != origin:
        raise UsageError(
            f"{path} is there, and is a proof of the log {found}, not of {origin}; nothing was done", hint=_OTHER_PLACE
        )


@dataclass(frozen=True)
class Asked:
    """Whether a call that logs files asks for their proofs, and where they are to go.

    proofs      beside each file
    proofs_in   into this folder
    """

    proofs: bool = False
    proofs_in: Path | None = None

    def __bool__(self) -> bool:
        return self.proofs or self.proofs_in is not None

    def check(self, files: Sequence[str]) -> None:
        """Raise click.UsageError if proofs are asked for where there are no files."""
        if self and not files:
            context = click.get_current_context()
            raise click.UsageError("--proofs is for files; `tiletree prove --index N` proves a line", context)

    def of(self, files: Sequence[str]) -> ProofFiles | None:
        """Return the proof files of files; None if they are not asked for. Raises as `ProofFiles` does."""
        return ProofFiles(files, self.proofs_in) if self else None


proofs_options = as_one(
    "asked",
    Asked,
    proofs=click.option("--proofs", is_flag=True, help="write the proof of each file beside it, as FILE.tlog-proof"),
    proofs_in=click.option(
        "--proofs-in",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="write proofs into this folder, which is made if it is not there",
    ),
)
