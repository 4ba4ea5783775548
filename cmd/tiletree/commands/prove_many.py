"""What `tiletree prove` does with many entries: their proofs go into a folder, and share what is read of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tiles.errors import AccessError, TilesError
from tiles.notes.tlog_proof import FILE_SUFFIX, TlogProof
from tiles.read.client import LogClient
from tiles.read.proofs import Unproven, proofs_of
from tiles.tree.proof import check_range
from tiletree.files import write_file
from tiletree.finding import find_provable
from tiletree.several import WORST, worst
from tiletree.ui import Output, exit_code


class ManyProofs:
    """Writes proofs into a folder, which is made if it is not there. Each is named by the index of its entry.

    trust   how it is known whom to trust, for the answer
    Where some proofs cannot be made, that is said, the others are written, and then the error is raised that decides
    the exit code.
    """

    def __init__(self, out: Output, client: LogClient, folder: Path, trust: str) -> None:
        self._out = out
        self._client = client
        self._folder = folder
        self._files: dict[int, list[str]] = {}  # by the index of the entry that they are found as
        self._extra: dict[int, bytes] = {}
        self._errors: list[tuple[str, TilesError]] = []
        tree = client.accepted.signed
        # the folder is named once all went well: an address that was given for it may hold credentials
        out.partial = {"written": 0, "size": tree.tree.size, "origin": tree.origin, "trust": trust}

    def write(self, files: Sequence[str], indexes: Sequence[int], log: str, *, scan: bool) -> None:
        """Write the proofs of files, or if there are none of entries; a range, which may be long, is not listed.

        log    as the call names it
        scan   look for files in a log of any size
        Raises UsageError, before anything is written, for an entry that the log does not have.
        """
        files = list(dict.fromkeys(files))
        for file in files:
            try:
                index, extra = find_provable(self._out, self._client, file, log, scan=scan)
            except OSError as error:
                self._fail(file, AccessError(f"{file} cannot be read: {error.strerror}"))
            except TilesError as error:
                self._fail(file, error)
            else:
                self._files.setdefault(index, []).append(file)
                self._extra[index] = extra
        if files:
            indexes = sorted(self._files)
        elif not isinstance(indexes, range):
            indexes = sorted(set(indexes))
        self._write(indexes, listed=not isinstance(indexes, range))
        if self._errors:
            entries = f"{len(indexes) - self._out.partial['written']} of {len(indexes)} entries"
            what = f"{len(self._errors)} of {len(files)} files" if files else entries
            raise worst(self._errors, f"{what} not proven")
        done = self._out.partial
        text = f"wrote {done['written']} proofs into {self._folder}: {done['origin']}, size {done['size']}"
        self._out.result({**done, "directory": str(self._folder)}, text)

    def _write(self, indexes: Sequence[int], *, listed: bool) -> None:
        for index in indexes[-1:]:
            check_range(self._client.tree.size, index, index + 1)
        made: list[dict[str, Any]] = []
        self._out.partial |= {"proofs": made} if listed else {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AccessError(f"{self._folder} cannot be made: {error.strerror}") from error
        with self._out.progress("proving", len(indexes)) as progress:
            for proof in proofs_of(self._client, indexes):
                progress.advance(len(proof.indexes) if isinstance(proof, Unproven) else 1)
                if isinstance(proof, Unproven):
                    self._fail_all(proof)
                    continue
                name = self._write_one(proof)
                if listed:
                    place = {"index": proof.index, "name": name}
                    files = self._files.get(proof.index)
                    made += [{"file": self._out.plain(file), **place} for file in files] if files else [place]
                    self._out.line(f"wrote {name}")

    def _write_one(self, proof: TlogProof) -> str:
        extra = self._extra.get(proof.index)
        name = f"{proof.index}{FILE_SUFFIX}"
        write_file(self._folder / name, replace(proof, extra=extra).data if extra else proof.data)
        self._out.partial["written"] += 1
        return name

    def _fail_all(self, unproven: Unproven) -> None:
        first, last = unproven.indexes[0], unproven.indexes[-1]
        files = [file for index in unproven.indexes for file in self._files.get(index, [])]
        for what in files or [f"entry {first}" if first == last else f"entries {first} to {last}"]:
            self._fail(what, unproven.error)

    def _fail(self, what: str, error: TilesError) -> None:
        """Say what is wrong with a file, or with entries. Raises the error if it is not of that alone."""
        if exit_code(error) not in WORST:
            raise error
        self._errors.append((what, error))
        what, message, hint = map(self._out.plain, (what, error.message, error.hint))
        said = {"kind": type(error).__name__, "message": message, "hint": hint}
        self._out.partial.setdefault("unproven", []).append({"what": what, "error": said})
        self._out.line(f"not proven: {what}: {message}")
