"""Whether two checkpoints of one log are of one history, what is wrong if not, and where the evidence is kept."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from shlex import quote

from tiles.errors import AccessError, ForkError, HistoryUnknown, NotFound, explained
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER, fork_error, fork_signers
from tiles.notes.keys import VerifierKey
from tiles.notes.policy import Policy
from tiles.read.memories import CheckpointMemory
from tiles.read.verified_tree import VerifiedTree
from tiles.tree.merkle import Hash, fold_right
from tiles.tree.proof import build_proof, consistency_nodes, root_nodes, verify_consistency


def check_extends(older: SignedCheckpoint, newer: SignedCheckpoint, tree: VerifiedTree) -> tuple[Hash, ...]:
    """Show that `tree`, the newer one's, begins with the older tree, and return the consistency proof.

    Raises ForkError, with what proves that it does not.
    """
    size = older.tree.size
    if size == newer.tree.size and older.tree != newer.tree:
        raise fork_error(older, newer)
    if size in (0, newer.tree.size):
        return ()
    nodes, parts = root_nodes(size), consistency_nodes(size, newer.tree.size)
    tree.read([*nodes, *chain.from_iterable(parts)])
    # Not by verifying a proof: one that fails could be a wrong one. These hashes are believed, so the tree has them.
    root, proof = fold_right([tree.hash(node) for node in nodes]), build_proof(parts, tree.hash)
    if root != older.tree.root:
        raise fork_error(older, newer, (root, *proof))
    verify_consistency(older.tree, newer.tree, proof)
    return proof


def forked(
    fork: ForkError, policy: Policy, visits: CheckpointMemory, before: Collection[VerifierKey] = ()
) -> ForkError:
    """Return the error, saying where its evidence is, and who signed if that was not one key.

    That the evidence cannot be saved must not hide the fork.
    policy   that has accepted both checkpoints
    before   keys by which the log was known before, of which one may have been somebody else's
    """
    older, newer = (parse_signed_checkpoint(fork.evidence[name]) for name in (OLDER, NEWER))
    one, other = fork_signers(older, newer, policy)
    message = fork.message
    if one != other:
        message += f"; they are signed by two different keys: {one.vkey}, and {other.vkey}"
    told = saved(fork, older, newer, policy, visits)
    hint = explained("two-histories-were-seen", f"{told}; tell others who use this log")
    if (wrong := next((key for key in (one, other) if key in before), None)) is not None:
        hint += (
            f"; only if {wrong} never was this log's key: `tiletree key forget LOG --seen --vkey {quote(wrong.vkey)}`"
        )
    return ForkError(message, hint=hint, evidence=fork.evidence)


def unproven(
    url: str,
    served: SignedCheckpoint,
    last: SignedCheckpoint,
    why: NotFound,
    policy: Policy,
    visits: CheckpointMemory,
) -> HistoryUnknown:
    """Return the error for a log that is served smaller than it was seen, without what would show that it is the same.

    url    of the log, as it may be shown
    last   was seen before
    why    says which object is missing
    """
    error = HistoryUnknown(
        f"{url} serves {served.tree.size} entries, {last.tree.size} were seen before, "
        f"and nothing there shows that they begin with the same: {why.message}",
        evidence={OLDER: served.data, NEWER: last.data},
    )
    error.hint = (
        "an old copy of the log, or another history that may grow differently: ask who runs it; "
        f"{explained('two-histories-were-seen', saved(error, served, last, policy, visits))}"
    )
    return error


def saved(
    error: ForkError | HistoryUnknown,
    older: SignedCheckpoint,
    newer: SignedCheckpoint,
    policy: Policy,
    visits: CheckpointMemory,
) -> str:
    """Keep the evidence, and return where it is, in words."""
    _, key = fork_signers(older, newer, policy)
    try:
        return f"the evidence is in {visits.save_evidence(key, error.evidence)}"
    except AccessError as trouble:
        return f"the evidence could not be saved: {trouble.message}"
