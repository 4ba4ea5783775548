"""A witness: it cosigns a log's checkpoint after it was shown to extend the one that it cosigned last
(https://c2sp.org/tlog-witness).

Its memory is what it publishes: for each log one object, `<sha256 of origin>/checkpoint`, with the checkpoint that it
cosigned last, the log's verified signatures and its own. Each cosignature is made from that object, and is given out by
replacing it, by compare-and-swap. So all cosignatures of one witness stand in one row, each shown to extend the one
before, however many programs run on one store.

- dies before the swap: nobody has seen the cosignature, and nothing happened;
- dies after it: the cosignature is published, and the next call goes on from it;
- an absent object: nobody knows what was cosigned, so nothing is. Only `begin` makes an object, for a new log;
- put back to an older copy: noticed if a checkpoint that is shown bears a cosignature of ours for more.

What `begin` writes is the empty tree, cosigned, without a signature by the log: every tree extends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiles.errors import AccessError, Conflict, ForkError, LogError, NotFound, OutcomeUnknown, Refused, explained
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.fork_evidence import fork_error
from tiles.notes.keys import SigningKey, VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE, Signature, claimed
from tiles.notes.policy import Policy
from tiles.notes.witness_messages import seen_path
from tiles.read.histories import forked
from tiles.read.memories import CheckpointMemory
from tiles.retry import Clock, Pauses, attempts
from tiles.store import Store, Version
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead
from tiles.tree.proof import verify_consistency
from tiles.watch.cosigner import Cosigner

COSIGNED = "cosigned"  # a larger tree than before
REFRESHED = "refreshed"  # the same tree, at a later time

_OTHERS = Pauses(30, 0.05, 1.5, spread=(0.2, 1.0))  # another call was first; Google Cloud takes one write each second
_LOST = "a-witness-has-lost-what-it-cosigned-last"


@dataclass(frozen=True, slots=True)
class WitnessedLog:
    """A log that a witness knows.

    origin   which is the name of all its keys: logs of another origin than their key's name are not witnessed
    policy   of these keys, without a quorum
    url      where its tiles are read; "" for one that only asks
    """

    origin: str
    policy: Policy
    url: str = ""


@dataclass(frozen=True, slots=True)
class Last:
    """What a witness cosigned last of a log, as it is stored.

    time     of the newest cosignature, POSIX seconds
    by_log   whether the log has signed it; if not, it is what `begin` wrote, and no checkpoint of the log
    """

    signed: SignedCheckpoint
    time: int
    by_log: bool
    version: Version

    @property
    def tree(self) -> TreeHead:
        """Size and root."""
        return self.signed.tree


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that is cosigned and stored.

    signed    with the log's signatures that were verified, and ours
    lines     ours
    outcome   COSIGNED or REFRESHED
    """

    signed: SignedCheckpoint
    lines: tuple[Signature, ...]
    time: int
    outcome: str


Prove = Callable[[Last], Sequence[Hash]]


class Witness:
    """Cosigns checkpoints with its keys. Threads may share it.

    keys     at least one, of types that cosign
    store    of what is cosigned; read itself, and never through a cache
    visits   where the evidence of forks is kept
    """

    def __init__(self, keys: Sequence[SigningKey], store: Store, visits: CheckpointMemory, clock: Clock) -> None:
        self._cosigner = Cosigner(keys, clock.now)
        self._store = store
        self._visits = visits
        self._clock = clock

    def begin(self, log: WitnessedLog) -> bool:
        """Make the object of a log, whose beginning is the empty tree; return False if it is there already.

        Only for a log that was never begun. Raises Refused for an object that is not this witness's; UsageError for an
        origin that a key cannot cosign.
        """
        empty = Checkpoint(log.origin, EMPTY_TREE)
        made = with_signatures(empty, self._cosigner.lines(empty, self._cosigner.time_after(0)))
        try:
            self._store.swap(seen_path(log.origin), made.data, None)
        except (Conflict, OutcomeUnknown) as error:
            try:
                is_new = self.last(log).signed == made  # a bucket's client that tries again conflicts with itself
            except Refused:
                if isinstance(error, OutcomeUnknown):
                    raise error from None
                raise
            self._store.barrier()  # whoever made it may have died right after
            return is_new
        return True

    def last(self, log: WitnessedLog) -> Last:
        """Return what was cosigned last. Raises Refused if the object is gone, or is not one of this witness."""
        path = seen_path(log.origin)
        try:
            stored = self._store.read(path, MAX_NOTE_SIZE)
        except NotFound as error:
            raise Refused(
                f"{self._store.url}/{path} is gone: it says what was cosigned last of {log.origin}",
                hint=explained(_LOST, "nothing is cosigned without"),
            ) from error
        try:
            signed = parse_signed_checkpoint(stored.data)
            own = self._cosigner.own(signed)
            by_log = bool(claimed(signed.note, _keys(log)))
            if by_log or signed.tree.size:
                log.policy.accept(signed, log.origin)
        except LogError as error:
            raise self._not_ours(path, error.message) from error
        if not own or signed.origin != log.origin:
            raise self._not_ours(path, "no key of this witness has cosigned it")
        return Last(signed, max(each.timestamp for each in own), by_log, stored.version)

    def cosign(self, log: WitnessedLog, signed: SignedCheckpoint, prove: Prove) -> Cosigned:
        """Cosign a checkpoint, and store it before it is returned.

        prove   returns the consistency proof from what was cosigned last, or raises that there is none. It is called
                again if another call was faster
        Raises SignatureError or PolicyError unless the log has signed it; ProofError; ForkError, whose evidence is
        saved; Refused as `last` does, and for a store that was put back; AccessError. Nothing is cosigned then, but
        after an AccessError the cosignature may be stored.
        """
        lines = log_lines(log, signed)
        sent: list[Cosigned] = []  # of which it is not known that they were not stored
        for _ in attempts(self._clock, _OTHERS):
            last = self.last(log)
            stored = next((each for each in sent if each.signed == last.signed), None)
            if stored is not None:
                self._store.barrier()
                return stored
            try:
                _check_extends(signed, last, prove(last))
            except ForkError as fork:
                raise self.forked(log, fork) from None
            self._check_not_put_back(log, signed, last)
            made = self._made(log, signed, lines, last)
            if made.signed.data == last.signed.data:
                self._store.barrier()  # whoever wrote it may have died right after
                return made
            try:
                self._store.swap(seen_path(log.origin), made.signed.data, last.version)
            except (Conflict, OutcomeUnknown):
                # the answer to a swap that was done may be lost, also one that says what it conflicts with; and what
                # was sent may arrive after the next look
                sent.append(made)
                continue
            return made
        raise AccessError(f"{self._store.url}: others keep writing what is cosigned of {log.origin}")

    def _made(self, log: WitnessedLog, signed: SignedCheckpoint, lines: Sequence[Signature], last: Last) -> Cosigned:
        """Return what to store instead of `last`: the same, if nothing is new."""
        time = self._cosigner.time_after(last.time)
        outcome = COSIGNED if signed.tree.size > last.tree.size or not last.by_log else REFRESHED
        if signed.checkpoint == last.signed.checkpoint:
            # what another key of the log has signed stays
            others = [each for each in log_lines(log, last.signed) if not _is_among(each, lines)] if last.by_log else []
            lines = [*lines, *others]
            own = self._cosigner.own(last.signed)
            there = {each.key for each in own if each.timestamp == time}
            if there == {*self._cosigner.verifiers} and {*lines} <= {*last.signed.note.signatures}:
                kept = [line for line, _ in claimed(last.signed.note, self._cosigner.verifiers)]
                return Cosigned(last.signed, tuple(kept), time, outcome)
        ours = self._cosigner.lines(signed.checkpoint, time)
        return Cosigned(with_signatures(signed.checkpoint, [*lines, *ours]), ours, time, outcome)

    def _check_not_put_back(self, log: WitnessedLog, signed: SignedCheckpoint, last: Last) -> None:
        """Raise Refused if the checkpoint bears a cosignature of ours for a larger tree than what is stored.

        What is stored was read after the checkpoint was, and a cosignature is stored before anybody gets it.
        """
        if signed.tree.size <= last.tree.size:
            return
        try:
            own = self._cosigner.own(signed)
        except LogError:
            return  # by somebody else, in our name
        if own:
            raise Refused(
                f"{self._store.url}: what was cosigned last of {log.origin} has size {last.tree.size}, and a "
                f"cosignature of this witness for size {signed.tree.size} is shown: the store was put back",
                hint=explained(_LOST, "nothing is cosigned"),
            )

    def forked(self, log: WitnessedLog, fork: ForkError) -> ForkError:
        """Return the error for a log that has forked, whose evidence is saved now."""
        return forked(fork, log.policy, self._visits)

    def _not_ours(self, path: str, problem: str) -> Refused:
        hint = explained(_LOST, "nothing is cosigned without")
        return Refused(f"{self._store.url}/{path} is not what this witness has stored: {problem}", hint=hint)


def log_lines(log: WitnessedLog, signed: SignedCheckpoint) -> list[Signature]:
    """Return the signatures of the log's known keys, all of them verified, at least one.

    Raises SignatureError or PolicyError as `Policy.accept` does: also for a wrong one beside a right one.
    """
    log.policy.accept(signed, log.origin)
    return [line for line, _ in claimed(signed.note, _keys(log))]


def _check_extends(signed: SignedCheckpoint, last: Last, proof: Sequence[Hash]) -> None:
    if signed.tree.size == last.tree.size and signed.tree != last.tree:
        raise fork_error(last.signed, signed)
    verify_consistency(last.tree, signed.tree, proof)


def _keys(log: WitnessedLog) -> list[VerifierKey]:
    return log.policy.keys_of(log.origin)


def _is_among(line: Signature, lines: Sequence[Signature]) -> bool:
    return any((each.name, each.key_id) == (line.name, line.key_id) for each in lines)
