"""Proofs of many entries: each into the file that belongs to it. They share what is read of the log.

`tiletree prove` writes them, and `tiletree add --proofs` does, of what it has just published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tiles.errors import AccessError, ForkError, LogError, TilesError
from tiles.notes.tlog_proof import FILE_SUFFIX, TlogProof
from tiles.read.client import LogClient
from tiles.read.proofs import Unproven, proofs_of
from tiles.tree.merkle import TreeHead
from tiles.tree.proof import check_range
from tiletree.files import write_file
from tiletree.finding import find_provable
from tiletree.histories import check_same_history
from tiletree.proof_files import ProofFiles, proofs
from tiletree.several import WORST, said, worst
from tiletree.ui import Output, exit_code

Keeps = Callable[[str, TlogProof], bool]


class ManyProofs:
    """Writes proofs.

    where   a folder, which is made if it is not there, and in which each is named by the index of its entry; or the
            places of the proofs of files
    keeps   whether the proof that is there for a file is as good as one that was made; then it stays
    done    what was written so far, for a JSON document
    errors  what kept the others from being written, each with the name of its file, or of its entries
    """

    def __init__(
        self, out: Output, client: LogClient, where: Path | ProofFiles, keeps: Keeps = lambda _file, _proof: False
    ) -> None:
        self._out = out
        self._client = client
        self._where = where
        self._keeps = keeps
        self._files: dict[int, list[str]] = {}  # by the index of the entry that they are found as
        self._extra: dict[int, bytes] = {}
        self._compared: set[TreeHead] = set()  # of proofs that were there: the log that is read begins with them
        self.done: dict[str, Any] = {"written": 0}
        self.errors: list[tuple[str, TilesError]] = []

    def write(self, files: Sequence[str], indexes: Sequence[int], log: str, trust: str, *, scan: bool) -> None:
        """Write the proofs of files, or if there are none of entries, and print the outcome.

        indexes   a range, which may be long, is not listed
        log       as the call names it
        trust     how it is known whom to trust, for the answer
        scan      look for files in a log of any size
        Where some proofs cannot be made, that is said, the others are written, and then the error is raised that
        decides the exit code. Raises UsageError, before anything is written, for an entry that the log does not have.
        """
        tree = self._client.accepted.signed
        # the folder is named once all went well: an address that was given for it may hold credentials
        self.done |= {"size": tree.tree.size, "origin": tree.origin, "trust": trust}
        self._out.partial = self.done
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
        wanted = len(files) if files and isinstance(self._where, ProofFiles) else len(indexes)
        if self.errors:
            entries = f"{wanted - self.done['written']} of {wanted} entries"
            what = f"{len(self.errors)} of {len(files)} files" if files else entries
            raise worst(self.errors, f"{what} not proven")
        folder = self._where.folder if isinstance(self._where, ProofFiles) else self._where
        where, named = (f"into {folder}", {"directory": str(folder)}) if folder else ("beside the files", {})
        text = f"wrote {proofs(self.done['written'])} {where}: {tree.origin}, size {tree.tree.size}"
        self._out.result({**self.done, **named}, text)

    def write_found(self, files: Mapping[int, list[str]], extra: Mapping[int, bytes], *, listed: bool) -> None:
        """Write the proofs of files that are known to be at these indexes. extra: what their proofs are to say besides

        What goes wrong with some of them is in `errors`.
        """
        self._files, self._extra = dict(files), dict(extra)
        self._write(sorted(self._files), listed=listed)

    def _write(self, indexes: Sequence[int], *, listed: bool) -> None:
        for index in indexes[-1:]:
            check_range(self._client.tree.size, index, index + 1)
        made: list[dict[str, Any]] = []
        self.done |= {"proofs": made} if listed else {}
        if isinstance(self._where, Path):
            try:
                self._where.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise AccessError(f"{self._where} cannot be made: {error.strerror}") from error
        with self._out.progress("proving", len(indexes)) as progress:
            for proof in proofs_of(self._client, indexes):
                progress.advance(len(proof.indexes) if isinstance(proof, Unproven) else 1)
                if isinstance(proof, Unproven):
                    self._fail_all(proof)
                    continue
                for each in self._write_one(proof):
                    if listed:
                        made.append(each)
                        self._out.line(f"{'kept' if 'kept' in each else 'wrote'} {each.get('path') or each['name']}")

    def _write_one(self, proof: TlogProof) -> Iterator[dict[str, Any]]:
        """Write the files of a proof, and yield what is to be said of them."""
        extra, files = self._extra.get(proof.index), self._files.get(proof.index, [])
        proof = replace(proof, extra=extra) if extra else proof
        if not isinstance(self._where, ProofFiles):
            name = f"{proof.index}{FILE_SUFFIX}"
            write_file(self._where / name, proof.data)
            self.done["written"] += 1
            of_files = [{"file": self._out.plain(file)} for file in files] or [{}]
            yield from ({**each, "index": proof.index, "name": name} for each in of_files)
            return
        for file in files:
            try:
                self._check_history(self._where.there(file))
                kept = {"kept": True} if self._keeps(file, proof) else {}
                if not kept:
                    self._where.put(file, proof)
                    self.done["written"] += 1
            except (AccessError, ForkError) as error:
                self._fail(file, error)
                continue
            path = self._out.plain(str(self._where.path(file)))
            yield {"file": self._out.plain(file), "index": proof.index, "path": path, **kept}

    def _check_history(self, there: TlogProof | None) -> None:
        """Raise ForkError for a proof that the log's key has signed in another history: it stays, as evidence."""
        if there is None or (tree := there.checkpoint.tree) in self._compared:
            return
        try:
            self._client.policy.without_quorum().accept(there.checkpoint)
        except LogError:
            return  # whoever signed it, it shows nothing of this log
        check_same_history(self._client, there.checkpoint)
        self._compared.add(tree)

    def _fail_all(self, unproven: Unproven) -> None:
        first, last = unproven.indexes[0], unproven.indexes[-1]
        files = [file for index in unproven.indexes for file in self._files.get(index, [])]
        for what in files or [f"entry {first}" if first == last else f"entries {first} to {last}"]:
            self._fail(what, unproven.error)

    def _fail(self, what: str, error: TilesError) -> None:
        """Say what is wrong with a file, or with entries. Raises the error if it is not of that alone."""
        if exit_code(error) not in WORST:
            raise error
        self.errors.append((what, error))
        what, wrong = self._out.plain(what), said(self._out, error)
        self.done.setdefault("unproven", []).append({"what": what, "error": wrong})
        self._out.line(f"not proven: {what}: {wrong['message']}")
