"""What the model remembers: the objects in storage, and what each run knows.

A tree stands for its root: it is the tuple of its entries, so that two trees are equal exactly when their roots are,
and one extends the other exactly when a consistency proof exists. Everything else is what the real objects hold.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .mistakes import Mistake

Tree = tuple[str, ...]


class Statement(NamedTuple):
    """`keys/<number>`. change: "+B" adds that key, "-A" retires that one, at the published tree of this size"""

    number: int
    change: str
    size: int


class Batch(NamedTuple):
    """A staged batch. entries in order; accepted and refused are names of inbox objects (a name is also its entry).

    says   how the keys of the log change, if that is what the batch is for
    """

    entries: Tree = ()
    accepted: Tree = ()
    refused: Tree = ()
    says: Statement | None = None


class Staged(NamedTuple):
    """`staging/<size>-<sha256>`."""

    size: int
    batch: Batch


class Head(NamedTuple):
    """The compare-and-swap object. base in entries; nonce of the run that committed it (0: a `sequence` run).

    anchor   the identity of the log's anchor
    keys     of the log, a letter each
    """

    tree: Tree = ()
    base: int = 0
    batch: Batch = Batch()
    nonce: int = 0
    anchor: int = 0
    frozen: bool = False
    keys: str = "A"

    @property
    def size(self) -> int:
        return len(self.tree)

    @property
    def staged(self) -> Staged:
        return Staged(self.size, self.batch)


GONE = Head(nonce=-1)  # stands for no head


class Anchor(NamedTuple):
    """What the signer keeps. The identity is a fresh random one, so that no two anchors have the same.

    frozen   no other tree is signed with it; sealed: nothing is, for another anchor is the log's
    """

    identity: int = 0
    tree: Tree = ()
    frozen: bool = False
    sealed: bool = False


class Tile(NamedTuple):
    """A group of public objects of one size, and the content they hold."""

    size: int
    part: str
    tree: Tree


class Mine(NamedTuple):
    """Where an `add` run's entries are, and the tree that has them.

    sure   the run saw its own commit; else it recognised equal entries as its own
    """

    first: int
    tree: Tree
    sure: bool


class Run(NamedTuple):
    """One writer.

    name      its nonce; 0 for all `sequence` runs
    entries   the batch that an `add` is at, and rest, those it has still to do; none for `sequence`
    strict    finds item 0 inadmissible
    mine      where the batch is, once the run knows that it is committed
    place     where it looks for the anchor: a machine may have another one
    job       "" writes; "freeze", "adopt", "rebuild" and "rekey" do that
    wants     the changes of the keys that it has still to do
    is_short  it holds the first key only, on a machine whose key file is an old one
    """

    name: int = 0
    entries: Tree = ()
    rest: tuple[Tree, ...] = ()
    strict: bool = False
    at: str = "load"
    place: int = 0
    job: str = ""
    head: Head = Head()
    checkpoint: Tree | None = None
    lined: bool = False  # the checkpoint that it read has the line of the witness
    lines: bool = False  # its own has it
    seen: Tree | None = None  # the `pending` that it read
    plan: Head = Head()
    doubt: bool = False  # a swap of the head had no reply
    known: frozenset[str] = frozenset()  # names that it read in `decided/`
    listed: frozenset[str] | None = None  # what it saw in the inbox, or the log; only some mistakes remember it
    tried: frozenset[str] = frozenset()  # names it asked to delete, without seeing them gone
    unsure: frozenset[str] = frozenset()  # those of them that it has to record
    anchor: Anchor | None = None  # as it was read
    ahead: Tree = ()  # a tree that the anchor or the witness has, larger than the head's
    mine: Mine | None = None
    wants: Tree = ()
    is_short: bool = False
    signers: str = ""  # the keys on the checkpoint that it read
    made: str = ""  # those by which it has signed its own
    own: bool = False  # it has published its tree itself, by its own swap

    def again(self) -> Run:
        """Back to step 1; of what it knew, only where its entries are is kept."""
        known = Run(self.name, self.entries, self.rest, self.strict, self.start, self.place, self.job, mine=self.mine)
        return known._replace(wants=self.wants, is_short=self.is_short) if self.wants or self.is_short else known

    @property
    def start(self) -> str:
        """The first step."""
        return self.job if self.job in ("adopt", "rebuild") else "load"

    def refuse(self, found: str) -> Run:
        """Stop, saying what was found."""
        return Run(self.name, self.entries, at="refused: " + found, place=self.place, job=self.job)


class Ack(NamedTuple):
    """An `add` that answered. left: batches it had still to do."""

    name: int
    entries: Tree
    left: int
    mine: Mine


class State(NamedTuple):
    """Storage, the anchor in each place, a witness, all runs; below them what only the checks look at."""

    runs: tuple[Run, ...]
    head: Head = Head()
    checkpoint: Tree | None = None
    staged: frozenset[Staged] = frozenset()
    tiles: frozenset[Tile] = frozenset()
    inbox: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()  # records of names whose deletion was not confirmed
    held: frozenset[str] = frozenset()  # names that nobody can delete, until the hold ends
    anchors: tuple[Anchor | None, ...] = (Anchor(),)
    pending: Tree | None = None  # the signed checkpoint of a committed tree, before its quorum
    lines: bool = False  # the published checkpoint has the line of the witness
    witness: Tree | None = None  # what it cosigned last
    late: frozenset[tuple[Head, Head]] = frozenset()  # swaps of `head` on their way: (expected, new)
    arrived: int = 0
    signed: frozenset[Tree] = frozenset()
    cosigned: frozenset[Tree] = frozenset()
    acked: frozenset[Ack] = frozenset()
    past: frozenset[Head] = frozenset()  # heads that may be put back
    harmed: bool = False  # the setup's harm was done
    closed: Tree | None = None  # the tree that a `freeze` has answered with
    signers: str = ""  # the keys that have signed the published checkpoint
    said: frozenset[Statement] = frozenset()  # `keys/…`
    made: frozenset[tuple[int, str]] = frozenset()  # of which size each key has signed a tree


class Harm(StrEnum):
    """What an operator, a backup or an attacker does to storage, once, at any moment."""

    LOSE_STAGING = "all staged batches are gone"
    REMOVE_CHECKPOINT = "the checkpoint is gone"
    RESTORE_CHECKPOINT = "the checkpoint is put back to any older signed one"
    RESTORE_HEAD = "the head is put back to any older one"
    RESTORE_LOG = "head and checkpoint are put back together"
    RESTORE_ALL = "head, checkpoint and anchor are put back together; the witness is not"
    LOSE_ANCHOR = "the anchor is gone"
    LOSE_HEAD = "the head is gone"
    LOSE_PRIVATE = "all writers are stopped; head and staged batches are gone, and the anchor is put back"
    RESTORE_LOG_LOSE_ANCHOR = "head and checkpoint are put back together, and the anchor is gone"

    @property
    def restores(self) -> bool:
        """Whether an older head is put back, so that those which were there have to be known."""
        return self.name.startswith("RESTORE")


class Setup(NamedTuple):
    """What is explored.

    items    submissions that arrive
    strict   how many of the `sequence` runs find item 0 inadmissible
    adders   the entries of each `add`: a letter each, a comma between batches ("ab,c")
    """

    sequencers: int = 2
    items: int = 2
    strict: int = 0
    adders: tuple[str, ...] = ()
    parts: bool = False  # tiles and bundles become readable one after the other, in any order
    witness: bool = False
    visits: bool = False  # it comes by itself, too, and reads `pending`
    fail_open: bool = False  # a run publishes without the witness if that is away
    unknown: bool = False  # the reply to any swap may be lost, whether or not it happened
    late: bool = False  # and a swap of `head` that did not happen may happen later
    harm: Harm | None = None
    second: Anchor | None = None  # what is in the second place at the start; the last `sequence` run looks there
    freeze: bool = False  # another run freezes the log
    adopt: bool = False  # another run begins a new anchor in the second place
    once: bool = False  # an `add` leaves out what is in the log already
    holds: bool = False  # item 0 cannot be deleted until a hold ends; any deletion may fail, or have no reply
    rebuild: bool = False  # another run rebuilds the head, in the second place if there is one
    rekeys: tuple[str, ...] = ()  # further runs change the keys of the log, each in this order: "+B,-A"
    short: bool = False  # the last `sequence` run holds the first key only
    mistake: Mistake | None = None

    @property
    def has_two_places(self) -> bool:
        """Whether the last `sequence` run looks for the anchor in a place of its own."""
        return self.adopt or self.second is not None

    def start(self) -> State:
        """An `init` that has just committed the empty tree: nothing is signed, there is no checkpoint yet."""
        last = self.sequencers - 1
        sequencers = tuple(
            Run(strict=n < self.strict, place=int(self.has_two_places and n == last)) for n in range(self.sequencers)
        )
        batches = [[tuple(batch) for batch in adder.split(",")] for adder in self.adders]
        adders = tuple(Run(n, first, tuple(rest)) for n, (first, *rest) in enumerate(batches, 1))
        freezing = (Run(job="freeze"),) if self.freeze else ()
        adopting = (Run(job="adopt", at="adopt", place=1),) if self.adopt else ()
        place = int(self.has_two_places)
        rebuilding = (Run(job="rebuild", at="rebuild", place=place),) if self.rebuild else ()
        if self.short:
            sequencers = (*sequencers[:-1], sequencers[-1]._replace(is_short=True))
        rekeying = tuple(Run(job="rekey", wants=tuple(changes.split(","))) for changes in self.rekeys)
        anchors = (Anchor(), self.second) if self.has_two_places else (Anchor(),)
        held = frozenset({"0"}) if self.holds else frozenset[str]()
        return State(sequencers + adders + freezing + adopting + rebuilding + rekeying, anchors=anchors, held=held)


def prefix(a: Tree | None, b: Tree) -> bool:
    """Whether tree b extends (or is) tree a; every tree extends none."""
    return a is None or a == b[: len(a)]


def size(tree: Tree | None) -> int:
    """The size of a tree that may be absent: -1, smaller than any."""
    return -1 if tree is None else len(tree)
