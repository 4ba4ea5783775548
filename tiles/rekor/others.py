"""Signatures by SSH, minisign and OpenPGP over files (`tiles.signatures`), logged once each, with their proofs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tiles.entries.proof_extra import extra_for
from tiles.log import Log
from tiles.notes.tlog_proof import TlogProof
from tiles.rekor.log_entry import own_proofs
from tiles.signatures.entry import SignatureEntry
from tiles.tree.merkle import Hash, leaf_hash
from tiles.write.results import Appended


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry that is published.

    proof      of it; its extra data has the entry, if it fits
    appended   how the log took it
    """

    leaf: Hash
    proof: TlogProof = field(repr=False)
    appended: Appended = field(repr=False)

    @property
    def already(self) -> bool:
        """Whether it was in the log before."""
        return bool(self.appended.already)


def log_signature(log: Log, entry: SignatureEntry) -> Logged:
    """Log a signature that was verified (`entry_by`), unless it is in the log already.

    Raises what `Log.append` raises; after Unfinished the same call finishes it.
    """
    data = entry.data
    appended = log.append([data], once=True)
    (proof,), _ = own_proofs(log, [data], appended)
    return Logged(leaf_hash(data), replace(proof, extra=extra_for(data)), appended)
