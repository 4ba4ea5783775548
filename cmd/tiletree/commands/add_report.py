"""What `tiletree add` says of what it did, and the proofs that it writes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiles.entries.proof_extra import ProofExtra, extra_for
from tiles.errors import LogError, PolicyError, TilesError, UsageError
from tiles.log import Log
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Policy, policy_for
from tiles.notes.tlog_proof import TlogProof, verify_tlog_proof
from tiles.store import StoreFetcher
from tiles.tree.merkle import Hash, leaf_hash
from tiles.write.results import Made, runs
from tiletree.blinding import Blinder
from tiletree.inputs import SHOWN_ENTRIES, Input
from tiletree.links import named
from tiletree.proof_files import ProofFiles, proofs
from tiletree.publishing import published_line
from tiletree.remarks import remark_unsure
from tiletree.several import worst
from tiletree.ui import Output

AGAIN = "`tiletree prove LOG FILE… --beside` writes the proofs"
LATER = f"once the log is published, {AGAIN}"


class Added:
    """What the proofs of files take, in the order of the files.

    indexes   where each is
    done      what was written, for a JSON document; empty so far, or if nothing is to be written
    lines     the same in words
    errors    what kept proofs from being written, each with its file
    """

    def __init__(self, given: Input, blinder: Blinder | None) -> None:
        self._given = given
        self._blinder = blinder
        self._leaves: list[Hash] = []
        self._extra: list[bytes] = []
        self.indexes: list[int] = []
        self.done: dict[str, Any] = {}
        self.lines: list[str] = []
        self.errors: list[tuple[str, TilesError]] = []

    def expect(self, entries: Sequence[bytes]) -> None:
        """Take down what is about to be added, next in the order of the files."""
        for entry in entries:
            if self._blinder is not None:
                extra = ProofExtra(entry, self._blinder.blindings[len(self._leaves)]).data
            else:
                extra = extra_for(entry) if self._given.named else b""
            self._leaves.append(leaf_hash(entry))
            self._extra.append(extra)

    def write_proofs(self, out: Output, log: Log, places: ProofFiles) -> None:
        """Write the proof of each file in the published tree. `check_all_written` raises what went wrong with some.

        Where the published checkpoint is below the quorum of the policy that readers have, none is written.
        """
        try:
            self._write_proofs(out, log, places)
        except TilesError as error:
            error.hint = "; ".join(filter(None, [error.hint, f"what was added is published; {AGAIN}"]))
            raise

    def _write_proofs(self, out: Output, log: Log, places: ProofFiles) -> None:
        from tiles.page import published_policy  # not for calls that ask for no proofs
        from tiles.read.client import LogClient
        from tiletree.commands.prove_many import ManyProofs

        client = LogClient(StoreFetcher(log.public), policy_for(log.verifier))
        policies = [client.policy]
        try:
            policies.append(published_policy(log.public))
            policies[-1].accept(client.accepted.signed)
        except PolicyError as error:
            out.remark("no_proofs", error.message, f"no proof was written: {error.message}; {LATER}")
            return
        except (LogError, UsageError):  # of a policy that is lost or damaged, `tiletree status` says so
            del policies[1:]
        files: dict[int, list[str]] = {}
        extra, leaves = {}, {}
        for number, (file, index) in enumerate(zip(self._given.files, self.indexes, strict=True)):
            if file not in leaves:  # one that is named twice has one proof
                files.setdefault(index, []).append(file)
                extra[index], leaves[file] = self._extra[number], self._leaves[number]

        replaced: list[tuple[str, int]] = []

        def keeps(file: str, proof: TlogProof) -> bool:
            there = places.there(file)
            if there is not None and there.index != proof.index:
                replaced.append((file, there.index))
            return there is not None and _is_as_good(there, proof, leaves[file], policies)

        many = ManyProofs(out, client, places, keeps)
        try:
            many.write_found(files, extra, listed=len(leaves) <= SHOWN_ENTRIES)
        finally:
            self.done, self.errors = many.done, many.errors
        _warn_of_replaced(out, replaced)
        kept = len(leaves) - self.done["written"] - len(self.errors)
        where = f"into {out.plain(str(places.folder))}" if places.folder else "beside the files"
        self.lines = [f"wrote {proofs(self.done['written'])} {where}{f', kept {kept}' if kept else ''}"]

    def check_all_written(self) -> None:
        """Raise the error that decides the exit code, if some proofs could not be written; all was published."""
        if self.errors:
            error = worst(
                self.errors, f"{len(self.errors)} of {len(self._leaves)} proofs not written, all is published"
            )
            error.hint = "; ".join(filter(None, [error.hint, AGAIN]))
            raise error


def _is_as_good(there: TlogProof, made: TlogProof, leaf: Hash, policies: Sequence[Policy]) -> bool:
    """Whether a proof that is there does what one does that was made now."""
    try:
        for policy in policies:
            verify_tlog_proof(there, leaf, policy)
    except LogError:
        return False
    return there.extra == made.extra


def _warn_of_replaced(out: Output, replaced: Sequence[tuple[str, int]]) -> None:
    """Say whose proofs were of other entries: such a file was built again, or spoilt, since its proof was handed out.

    replaced   files, and the index of the entry that the proof of each was of
    """
    for file, index in replaced[:1]:
        out.warn(
            f"warning: replaced {proofs(len(replaced))} of other entries, such as that of {file}, entry {index}: "
            "it has changed since, or is logged in another way"
        )


@dataclass
class Report:
    """What `add` did, for the person and for --json.

    link      gives the address at which the page shows an entry, by its leaf hash
    added     what is needed for proofs of what is added; None if they are not asked for
    is_sure   whether what was logged was not in the log before, as far as that was asked for
    """

    out: Output
    given: Input
    link: Callable[[bytes], str]
    added: Added | None = None
    is_sure: bool = True
    already: int = 0
    ranges: list[dict[str, int]] = field(default_factory=list)
    entries: list[dict[str, Any]] | None = field(default_factory=list)
    count: int = 0
    checkpoint: SignedCheckpoint | None = None
    retries: int = 0
    index: str = ""  # why the index of the log does not cover all that it could

    def add(
        self,
        batch: Sequence[bytes],
        indexes: Sequence[int],
        already: Sequence[tuple[int, int]],
        checkpoint: SignedCheckpoint | None,
    ) -> None:
        """Take down where a batch is in the log, published by `checkpoint`; its entries one by one if they are few.

        batch     its entries, if they are no more than SHOWN_ENTRIES
        already   (position, index) of what was there before, or came twice
        """
        self.checkpoint = checkpoint
        if self.added is not None:
            self.added.indexes += indexes
        there = {position for position, _ in already}
        for first, count in runs(indexes):
            self._add_range(first, count)
        if self.entries is not None and self.count + len(indexes) <= SHOWN_ENTRIES:
            for offset, (index, entry) in enumerate(zip(indexes, batch, strict=True)):
                name = self.given.name(self.count + offset)
                leaf = leaf_hash(entry)
                shown = {"already": True} if offset in there else {}
                self.entries.append({"index": index, "name": name, **named(leaf, self.link(leaf)), **shown})
                self.out.line(f"{index}  {leaf.hex()}  {name}{', already in the log' if shown else ''}")
        else:
            self.entries = None
            new = [index for n, index in enumerate(indexes) if n not in there] if there else indexes
            for first, count in runs(new):
                self.out.line(f"{first} to {first + count - 1}  {count} entries")
            if there:
                self.out.line(f"{len(there)} entries that were in the log already")
        self.count += len(indexes)
        self.already += len(there)
        self.out.partial = self.document()

    def _add_range(self, first: int, count: int) -> None:
        if self.ranges and sum(self.ranges[-1].values()) == first:
            self.ranges[-1]["count"] += count
        else:
            self.ranges.append({"first_index": first, "count": count})

    def document(self) -> dict[str, Any]:
        """Return the JSON document; `entries` is there up to SHOWN_ENTRIES."""
        tree = self.checkpoint.tree if self.checkpoint else None
        return {
            "ranges": self.ranges,
            **({"entries": self.entries} if self.entries is not None else {}),
            "origin": self.checkpoint.origin if self.checkpoint else None,
            "size": tree.size if tree else None,
            "root": tree.root.hex() if tree else None,
            "published": tree is not None,
            **({"already": self.already} if self.given.once else {}),
            **(self.added.done if self.added is not None else {}),
        }

    def finish(self, checkpoint: SignedCheckpoint, made: Made) -> None:
        """Print the outcome. made: what the call has published"""
        self.checkpoint = checkpoint
        tree = checkpoint.tree
        line = published_line(checkpoint.origin, tree, made, self.count - self.already)
        if self.retries:
            self.out.remark("retries", self.retries, f"other writers were first {self.retries} times")
        if not self.is_sure:
            remark_unsure(self.out)
        if self.already and self.already == self.count:
            line = f"nothing new: all of it was in the log already; {line}"
        if self.added is not None and self.added.errors:
            self.out.partial = self.document()  # what the error goes with
            self.out.line(line)
            return
        self.out.result(self.document(), line, *(self.added.lines if self.added is not None else ()))
