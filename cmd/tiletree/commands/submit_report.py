"""What `submit` says of what it did, and keeps of it: the receipt, and proofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from tiles.entries.proof_extra import ProofExtra, extra_for
from tiles.errors import AccessError, UsageError
from tiles.inbox.receipt import Receipt, format_receipts
from tiles.read.client import LogClient
from tiles.tree.merkle import Hash, TreeHead
from tiles.write.results import runs
from tiletree.blinding import Blinder
from tiletree.files import write_file
from tiletree.inputs import SHOWN_ENTRIES, Input
from tiletree.ui import Output


@dataclass
class Report:
    """What was submitted, for the person and for --json.

    given   what the call names
    path    where the receipt is to be kept, if it is to be
    blinder what blinds the entries, if they are
    """

    out: Output
    submitter: str
    given: Input
    path: Path | None
    receipts: list[Receipt] = field(default_factory=list)
    logged_at: list[list[int]] = field(default_factory=list)  # the indexes of each receipt's entries, once logged
    known: dict[Hash, int] = field(default_factory=dict)  # what was in the log before, by leaf hash
    proofs: list[Path] = field(default_factory=list)
    bundles: list[Path] = field(default_factory=list)  # those that have got their entries
    tree: TreeHead | None = None
    trust: str = ""
    blinder: Blinder | None = None

    def reserve(self) -> None:
        """Make the file for the receipt. Raises UsageError if that cannot be."""
        if self.path is None:
            return
        try:
            self.path.open("xb").close()
        except OSError as error:
            raise UsageError(f"--receipt {self.path}: {error.strerror}; nothing was submitted") from error

    def keep(self) -> None:
        """Write the receipt to its file; with nothing to be kept, there is none."""
        self.out.partial = self.document()
        if self.path is None:
            return
        if not self.receipts:
            self.path.unlink(missing_ok=True)
            return
        path = self.path
        try:
            path.write_bytes(format_receipts(self.receipts))
        except OSError as error:
            self.path = None
            self.show_receipt()
            self.out.partial = self.document()
            raise AccessError(f"{path} cannot be written: {error.strerror}; the entries were submitted") from error

    def show_receipt(self) -> None:
        """Print the receipt, unless it is in its file."""
        if self.path is None and self.receipts:
            self.out.raw(format_receipts(self.receipts))

    def logged(self, indexes: list[int], client: LogClient, proofs: list[Path]) -> None:
        """Take down that the next of the submissions is in the tree that the client reads, and write its proofs."""
        start = sum(map(len, self.logged_at))
        self.logged_at.append(indexes)
        self.tree = client.tree
        self.out.partial = self.document()
        for number, (index, path) in enumerate(zip(indexes, proofs[start:], strict=False), start):
            extra = self._extra(client, index, number)
            write_file(path, client.prove(index, extra).data, new=True)
            self.proofs.append(path)

    def _extra(self, client: LogClient, index: int, number: int) -> bytes:
        """Return the extra data of the proof of an entry. number: of its file in the call"""
        if self.blinder is not None:
            return ProofExtra(client.entry(index), self.blinder.blindings[number]).data
        return extra_for(client.entry(index)) if self.given.named else b""

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield each entry, with its index and its proof as far as there are any."""
        number = 0
        for position, receipt in enumerate(self.receipts):
            for offset, leaf in enumerate(receipt.leaves):
                where: dict[str, Any] = {}
                if position < len(self.logged_at):
                    where = {"index": self.logged_at[position][offset]}
                    where |= {"already": True} if leaf in self.known else {}
                proof = {"proof": str(self.proofs[number])} if number < len(self.proofs) else {}
                bundle = {"bundle": str(self.bundles[number])} if number < len(self.bundles) else {}
                yield {**where, "leaf_hash": leaf.hex(), "name": self.given.name(number), **proof, **bundle}
                number += 1

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        submissions: list[dict[str, Any]] = [
            {"name": receipt.name.text, "entries": len(receipt.leaves)} for receipt in self.receipts
        ]
        for submission, indexes in zip(submissions, self.logged_at, strict=False):
            submission["first_index"] = indexes[0]
        kept = {"receipt_path": str(self.path)} if self.path else {"receipt": format_receipts(self.receipts).decode()}
        is_logged = bool(self.receipts) and len(self.logged_at) == len(self.receipts)
        return {
            "submitter": self.submitter,
            "submissions": submissions,
            **({"entries": list(self.entries())} if self._count() <= SHOWN_ENTRIES else {}),
            **(kept if self.receipts else {}),
            "logged": is_logged,
            **({"size": self.tree.size, "trust": self.trust} if self.tree is not None else {}),
        }

    def finish(self) -> None:
        """Print the outcome."""
        if not self.receipts:
            self.out.note("nothing to submit: the input is empty")
        self.out.result(self.document())
        if not self.logged_at:
            self.show_receipt()
        elif self._count() <= SHOWN_ENTRIES:
            for entry in self.entries():
                there = ", already in the log" if "already" in entry else ""
                self.out.line(f"{entry['index']}  {entry['leaf_hash']}  {entry['name']}{there}")
        else:
            for first, count in chain.from_iterable(map(runs, self.logged_at)):
                self.out.line(f"{first} to {first + count - 1}  {count} entries")
        for proof in (*self.proofs, *self.bundles):
            self.out.line(f"wrote {proof}")
        if self.path is not None and self.receipts:
            self.out.line(f"submitted {self._count()} entries, the receipt is in {self.path}")

    def _count(self) -> int:
        return sum(len(receipt.leaves) for receipt in self.receipts)
