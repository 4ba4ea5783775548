"""All endorsements of one log in another: they have to be of one history.

    collected = collect(public, origin, policy)
    check_endorsements(collected.trees, private)

Two endorsed trees of one size are evidence by the private log's key alone. Of different sizes, each is held to what the
private log shows now, whose tiles give the consistency proof; trees that are both the beginning of one tree are of one
history. Anyone who can log can log a checkpoint under any origin: what no known key has signed is counted, and is no
evidence of anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tiles.entries.kind import Key
from tiles.errors import LogError
from tiles.index.search import Hit, Query, search
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.endorsement import ORIGIN, by_log_alone, is_like_endorsement, parse_endorsement
from tiles.notes.fork_evidence import fork_error
from tiles.notes.index_head import MAX_COVERED
from tiles.notes.policy import Policy
from tiles.read.client import LogClient
from tiles.read.endorsed import check_endorsed
from tiles.read.histories import forked
from tiles.read.memories import CheckpointMemory

_MOST = 1000  # hits that are asked for at a time


@dataclass
class Collected:
    """What a log holds of the endorsements of another one.

    trees     the endorsed checkpoints, signed by a known key, by tree size
    indexes   where in the public log the first entry of each is, by tree size
    others    how many entries name the origin and are signed by no known key
    twins     two endorsed trees of one size, if there are: the log has shown two histories
    unproven  why there may be entries that were not found; "" if these are all
    """

    trees: dict[int, SignedCheckpoint] = field(default_factory=dict)
    indexes: dict[int, int] = field(default_factory=dict)
    others: int = 0
    twins: tuple[SignedCheckpoint, SignedCheckpoint] | None = None
    unproven: str = ""

    def take(self, index: int, entry: bytes, origin: str, policy: Policy) -> None:
        """Take one entry of the public log, whatever it is.

        policy   names the keys of the log that is endorsed, by one of which a checkpoint has to be signed
        """
        found = endorsed_by(entry, {origin: policy})
        if found is None:
            return
        signed = found[1]
        if signed is None:
            self.others += 1
            return
        size = signed.tree.size
        first = self.trees.setdefault(size, signed)
        self.indexes[size] = min(index, self.indexes.get(size, index))
        if first.tree != signed.tree and self.twins is None:
            self.twins = first, signed


def endorsed_by(entry: bytes, policies: Mapping[str, Policy]) -> tuple[str, SignedCheckpoint | None] | None:
    """Return which of some logs an entry says it endorses, and its checkpoint; None for any other entry.

    policies   by origin: each names the keys by one of which a checkpoint has to be signed
    The checkpoint is None if no such key has signed it: anybody may have logged it.
    """
    if not is_like_endorsement(entry):
        return None
    try:
        signed = parse_endorsement(entry)
    except LogError:
        return None
    policy = policies.get(signed.origin)
    if policy is None:
        return None
    try:
        by_log_alone(policy).accept(signed, signed.origin)
    except LogError:
        return signed.origin, None
    return signed.origin, signed


def endorsements_in(entries: Iterable[Hit], origin: str, policy: Policy) -> Collected:
    """Return the endorsements of a log among entries of another: index and entry each, in any order."""
    collected = Collected()
    for index, entry in entries:
        collected.take(index, entry, origin, policy)
    return collected


def collect(
    public: LogClient,
    origin: str,
    policy: Policy,
    remark: Callable[[str], None] = lambda _text: None,
    *,
    any_size: bool = False,
) -> Collected:
    """Return all endorsements of a log in another, found by its index of `origin/1`, or by looking through it.

    origin, policy   of the log that is endorsed
    any_size         look through a public log of any size, entry by entry
    Raises what `search` raises.
    """
    collected, before = Collected(), MAX_COVERED
    wanted = ((Key(ORIGIN, origin.encode("utf-8")),),)
    while True:
        found = search(public, Query(wanted, before, _MOST, any_size), remark)
        for index, entry in found.hits:
            collected.take(index, entry, origin, policy)
        if found.unproven:
            collected.unproven = found.unproven
        elif found.covered < public.tree.size:
            collected.unproven = f"the index covers {found.covered} of {public.tree.size} entries"
        if not found.more or not found.hits:
            return collected
        before = found.hits[-1][0]


def check_endorsements(
    collected: Collected, policy: Policy, private: LogClient | None, visits: CheckpointMemory | None = None
) -> None:
    """Show that endorsed trees are of one history.

    policy    names the keys of the log that is endorsed
    private   reads that log; without it only trees of one size are compared
    visits    where evidence is kept
    Raises ForkError with evidence; HistoryUnknown if the log shows less than was endorsed, and nothing that would tell.
    """
    if collected.twins is not None:
        fork = fork_error(*collected.twins)
        raise fork if visits is None else forked(fork, policy, visits)
    if private is not None:
        for signed in _by_size(collected.trees):
            check_endorsed(private, signed, visits)


def _by_size(trees: Mapping[int, SignedCheckpoint]) -> list[SignedCheckpoint]:
    return [trees[size] for size in sorted(trees)]
