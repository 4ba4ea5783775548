"""What a witness cosigns, what it remembers, and what it does where its memory is gone, damaged or put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults, GatedStore, Stepped
from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG, ORIGIN, TIME, W1, W2, W3, forged, key, sign, signed
from tests.support.witnessing import (
    NOW,
    OURS,
    SHARED,
    Evidence,
    Kept,
    OtherSize,
    Time,
    ask,
    at,
    begun,
    check_row,
    history,
    proof,
    witness,
)
from tiles.errors import AccessError, ForkError, ProofError, Refused, SignatureError, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign, verify_cosignature
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import SigningKey
from tiles.notes.note import claimed
from tiles.notes.policy import policy_of
from tiles.notes.witness_messages import seen_path
from tiles.store import Store
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_TREE
from tiles.watch.witness import COSIGNED, REFRESHED, Cosigned, WitnessedLog

PATH = seen_path(ORIGIN)


def stored(store: Store) -> SignedCheckpoint:
    """Return what the witness has published."""
    return parse_signed_checkpoint(store.read(PATH).data)


def put(store: Store, data: bytes) -> None:
    """Put something in the place of what the witness has published."""
    store.swap(PATH, data, store.read(PATH).version)


# ---- what is cosigned


@pytest.mark.parametrize("keys", [(W1,), (W2,), (W1, W2)], ids=["Ed25519", "ML-DSA-44", "both"])
def test_a_log_that_grows(keys: tuple[SigningKey, ...]) -> None:
    """Each checkpoint is cosigned with every key, at the time of the clock; what is returned is what is published."""
    time, store = Time(), Kept(MemoryStore())
    ours = witness(store, time, keys)
    assert ours.begin(OURS)
    for old, new in [(0, 0), (0, 1), (1, 2), (2, 255), (255, 256), (256, 256), (256, 300)]:
        time.now += 10.7
        done = ask(ours, old, new)
        assert done.outcome == (COSIGNED if new > old or new == 0 else REFRESHED)
        assert done.signed == stored(store)
        assert done.lines == done.signed.note.signatures[1:]
        for line, by in zip(done.lines, keys, strict=True):
            assert verify_cosignature(done.signed.checkpoint, line, by.verifier).timestamp == int(time.now) == done.time
    assert [tree.size for tree in check_row(store.contents, keys)] == [0, 0, 1, 2, 255, 256, 256, 300]


def test_what_is_published() -> None:
    """The checkpoint, the signatures of the log that were verified, and ours: no line by anybody else."""
    store = begun()
    shown = signed(at(7).checkpoint, W3, LOG, OTHER_KEY)
    done = witness(store).cosign(OURS, shown, lambda _: ())
    assert [(line.name, line.key_id) for line in done.signed.note.signatures] == [
        (by.name, by.verifier.key_id) for by in (LOG, W1)
    ]


def test_the_same_tree_again_is_refreshed() -> None:
    """At a later time it is cosigned anew; within the same second nothing new could be said, and nothing is written."""
    time, store = Time(), begun()
    ours = witness(store, time)
    first = ask(ours, 0, 5)
    writes = len(store.contents)
    assert ask(ours, 5, 5).lines == first.lines
    assert len(store.contents) == writes
    time.now += 1
    again = ask(ours, 5, 5)
    assert (again.outcome, again.time) == (REFRESHED, first.time + 1)
    assert stored(store) == again.signed


def test_times_are_the_later_of_now_and_the_last() -> None:
    """A clock that went back makes no cosignature older than the last one, whichever tree it is of."""
    store = begun()
    ask(witness(store, Time(NOW + 50)), 0, 5)
    assert ask(witness(store, Time(NOW)), 5, 6).time == NOW + 50
    check_row(store.contents)


@pytest.mark.parametrize("now", [0.0, -5.0, 0.9])
def test_a_time_is_never_omitted(now: float) -> None:
    """ "The cosignature MUST NOT omit the timestamp", which 0 would do: not even where the clock says 1970."""
    store = begun(time=Time(now))
    done = ask(witness(store, Time(now), (W1,)), 0, 5)
    assert verify_cosignature(done.signed.checkpoint, done.lines[0], W1.verifier).timestamp == 1


def test_the_whole_tree_is_cosigned() -> None:
    """ML-DSA-44 could sign a part of a tree; "start MUST be zero and end MUST be the checkpoint size"."""
    store = Kept(MemoryStore())
    ours = witness(store, keys=(W2,))
    ours.begin(OURS)
    done = ask(ours, 0, 5)
    verify_cosignature(Checkpoint(ORIGIN, history("entry").head(5)), done.lines[0], W2.verifier)


def test_extension_lines_are_cosigned_as_they_are() -> None:
    """ "if present MUST be included in the cosigned message"."""
    shown = signed(Checkpoint(ORIGIN, at(5).tree, ("an extension",)), LOG)
    done = witness(begun()).cosign(OURS, shown, lambda _: ())
    assert done.signed.checkpoint == shown.checkpoint
    assert len(claimed(done.signed.note, [W1.verifier])) == 1


def test_a_log_with_two_keys() -> None:
    """Any of its keys will do; what both have signed of one checkpoint is published together."""
    second = key(ORIGIN, 9)
    both = WitnessedLog(ORIGIN, policy_of([LOG.verifier, second.verifier]))
    store = Kept(MemoryStore())
    ours = witness(store)
    ours.begin(both)
    ours.cosign(both, at(5), lambda _: ())
    done = ours.cosign(both, signed(at(5).checkpoint, second), lambda _: ())
    assert {line.key_id for line in done.signed.note.signatures} == {by.verifier.key_id for by in (LOG, second, W1)}
    check_row(store.contents)


# ---- what is not


def nothing_changes(store: Kept, error: type[Exception], call: Callable[[], object]) -> Exception:
    """Return the error that the call has to raise, having written nothing."""
    before = list(store.contents)
    with pytest.raises(error) as caught:
        call()
    assert store.contents == before
    return caught.value


@pytest.mark.parametrize(
    "shown",
    [
        signed(at(5).checkpoint, W1),
        signed(at(5).checkpoint, OTHER_KEY),
        signed(at(5).checkpoint, key("x.example.com", 1)),
        with_signatures(at(5).checkpoint, [forged(sign(at(5).checkpoint, LOG))]),
        with_signatures(at(5).checkpoint, [sign(at(5).checkpoint, LOG), forged(sign(at(5).checkpoint, LOG))]),
    ],
    ids=["by the witness", "by another key of that name", "by the key of another name", "wrong", "wrong beside right"],
)
def test_what_the_log_has_not_signed(shown: SignedCheckpoint) -> None:
    """Nothing without a right signature by a pinned key, nor with a wrong one of such a key."""
    store = begun()
    nothing_changes(store, SignatureError, lambda: witness(store).cosign(OURS, shown, lambda _: ()))


def test_what_does_not_extend() -> None:
    """A proof that does not lead there; one where none is needed; none where one is."""
    store = begun()
    ours = witness(store)
    nothing_changes(store, ProofError, lambda: ours.cosign(OURS, at(5), lambda _: proof(5, 6)))
    ask(ours, 0, 150)
    too_long = (*proof(150, 200), at(1).tree.root)
    nothing_changes(store, ProofError, lambda: ours.cosign(OURS, at(200), lambda _: ()))
    nothing_changes(store, ProofError, lambda: ours.cosign(OURS, at(200), lambda _: too_long))
    nothing_changes(store, ProofError, lambda: ours.cosign(OURS, at(200, "other"), lambda _: proof(150, 200, "other")))
    nothing_changes(store, ProofError, lambda: ours.cosign(OURS, at(150), lambda _: proof(5, 6)))
    nothing_changes(store, UsageError, lambda: ours.cosign(OURS, at(SHARED), lambda _: ()))


def test_two_roots_of_one_size_are_evidence() -> None:
    """Both checkpoints are signed by the log: they are saved, and whoever knows its key can check them."""
    store, evidence = begun(), Evidence()
    ours = witness(store, visits=evidence)
    ask(ours, 0, 200)
    error = nothing_changes(store, ForkError, lambda: ask(ours, 200, 200, "other"))
    older, newer = check_fork(evidence.saved[0], OURS.policy)
    assert (older.tree, newer.tree) == (at(200).tree, at(200, "other").tree)
    assert "the evidence is in memory" in getattr(error, "hint", "")


# ---- what is remembered


def test_a_log_that_was_not_begun_is_refused() -> None:
    """Nothing says what was cosigned last, and nothing is made anew in silence."""
    store = Kept(MemoryStore())
    error = nothing_changes(store, Refused, lambda: ask(witness(store), 0, 5))
    assert "is gone: it says what was cosigned last of log.example.com" in str(error)


def test_an_object_that_is_gone_is_refused() -> None:
    """Whoever deletes what was published cannot make the witness begin anew."""
    store = begun()
    ours = witness(store)
    ask(ours, 0, 200)
    store.delete([PATH])
    nothing_changes(store, Refused, lambda: ask(ours, 0, 200, "other"))


def test_what_begin_writes() -> None:
    """The empty tree, cosigned, which the log has not signed; a second call changes nothing."""
    store = begun()
    last = witness(store).last(OURS)
    assert (last.tree, last.by_log, last.time) == (EMPTY_TREE, False, NOW)
    assert not witness(store, Time(NOW + 9)).begin(OURS)
    assert len(store.contents) == 1
    ask(witness(store), 0, 5)
    assert not witness(store).begin(OURS)
    assert stored(store).tree.size == 5


def test_a_name_that_no_key_can_cosign() -> None:
    """ML-DSA-44 signs origins of 255 bytes; a longer one is refused before anything is there."""
    long = key("x" * 256, 9)
    log = WitnessedLog(long.name, policy_of([long.verifier]))
    store = MemoryStore()
    with pytest.raises(UsageError, match="255 bytes"):
        witness(store, keys=(W2,)).begin(log)
    assert list(store.list("")) == []


OTHER_ORIGIN = Checkpoint("other.example.com", at(5).tree)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        at(5).data[:-1],
        at(5).data,
        signed(at(5).checkpoint, LOG, W3).data,
        signed(at(5).checkpoint, W1).data,
        signed(at(5).checkpoint, OTHER_KEY, W1).data,
        signed(OTHER_ORIGIN, W1).data,
        signed(Checkpoint("other.example.com", EMPTY_TREE), W1).data,
        with_signatures(at(5).checkpoint, [sign(at(5).checkpoint, LOG), forged(sign(at(5).checkpoint, W1))]).data,
        with_signatures(at(5).checkpoint, [forged(sign(at(5).checkpoint, LOG)), sign(at(5).checkpoint, W1)]).data,
    ],
)
def test_an_object_that_is_another_is_refused(data: bytes) -> None:
    """It has to be of this log, cosigned by this witness and signed by the log, or what `begin` wrote."""
    store = begun()
    put(store, data)
    error = nothing_changes(store, Refused, lambda: ask(witness(store), 5, 200))
    assert "is not what this witness has stored" in str(error)
    nothing_changes(store, Refused, lambda: witness(store).begin(OURS))


def test_a_store_that_was_put_back_is_noticed_where_ours_is_shown() -> None:
    """A checkpoint that bears a cosignature of ours for more than what is stored: nothing is cosigned any more."""
    store = begun()
    ours = witness(store)
    ask(ours, 0, 150)
    old = store.read(PATH).data
    newest = ask(ours, 150, 200).signed
    put(store, old)
    error = nothing_changes(store, Refused, lambda: ours.cosign(OURS, newest, lambda _: proof(150, 200)))
    assert "for size 200 is shown: the store was put back" in str(error)


def test_what_cannot_be_noticed_of_a_store_that_was_put_back() -> None:
    """Where nobody shows a cosignature of ours for more, a fork from the older tree is cosigned, as the manual says."""
    store = begun()
    ours = witness(store)
    ask(ours, 0, 50)
    old = store.read(PATH).data
    ask(ours, 50, 200)
    put(store, old)
    assert ask(ours, 50, 200, "other").outcome == COSIGNED
    before, after = store.contents[2], store.contents[-1]
    with pytest.raises(AssertionError, match="exclude each other"):
        check_row([before, after])


def test_a_wrong_line_in_our_name_stops_nothing() -> None:
    """Anybody can write one into a checkpoint."""
    shown = with_signatures(at(5).checkpoint, [sign(at(5).checkpoint, LOG), forged(cosign(at(5).checkpoint, W1, TIME))])
    assert witness(begun()).cosign(OURS, shown, lambda _: ()).outcome == COSIGNED


# ---- together with others, and through trouble


class Meeting:
    """Two requests to one store, each of which waits before every operation on it."""

    def __init__(self, store: Store, *asked: tuple[int, int]) -> None:
        self.calls = [self._call(store, *each) for each in asked]

    def _call(self, store: Store, old: int, new: int) -> Stepped[Cosigned]:
        def body(call: Stepped[Cosigned]) -> Cosigned:
            return ask(witness(GatedStore(store, "state", call.gate)), old, new)

        return Stepped(f"{old} to {new}", body)


def test_the_race_of_the_specification() -> None:
    """ "checking the old size against the latest checkpoint and persisting the new checkpoint must be performed
    atomically": A is checked, B is checked, B is stored; then A is not, and what was stored is not rolled back."""
    store = begun()
    ask(witness(store), 0, 50)
    meeting = Meeting(store, (50, 100), (50, 110))
    a, b = meeting.calls
    for call in (a, b):
        call.step()
        assert call.trace[-1] == f"state swap {PATH}"
    b.finish()
    a.finish()
    assert b.outcome().signed.tree == at(110).tree
    assert isinstance(a.error, OtherSize)
    assert [tree.size for tree in check_row(store.contents)] == [0, 50, 110]


def test_the_same_request_twice_at_once() -> None:
    """Both are answered: the one that loses sees what was stored."""
    store = begun()
    ask(witness(store), 0, 50)
    a, b = Meeting(store, (50, 50), (50, 50)).calls
    a.step()
    b.step()
    a.finish()
    b.finish()
    assert a.outcome().signed.tree == b.outcome().signed.tree == at(50).tree
    check_row(store.contents)


def test_others_that_never_stop() -> None:
    """After some tries it is given up; nothing was said."""
    store = begun()
    later = Time()

    class Busy(Kept):
        def swap(self, path: str, data: bytes, expected: object) -> object:  # type: ignore[override]
            later.now += 1
            ask(witness(store, later), 0, 0)
            return super().swap(path, data, expected)  # type: ignore[arg-type]

    with pytest.raises(AccessError, match="others keep writing"):
        ask(witness(Busy(store)), 0, 5)
    assert stored(store).tree.size == 0


def call_of(store: Store, time: Time, old: int, new: int) -> Callable[[], object]:
    """Return a call of a witness; of no size, its beginning."""
    return lambda: witness(store, time).begin(OURS) if new < 0 else ask(witness(store, time), old, new)


@pytest.mark.parametrize(
    ("old", "new", "later", "kind"),
    [
        (0, -1, 1, "memory"),
        (0, 5, 1, "memory"),
        (5, 200, 1, "memory"),
        (5, 200, 1, "directory"),
        (5, 5, 1, "memory"),
        (5, 5, 0, "memory"),
    ],
)
def test_every_fault_at_every_operation(old: int, new: int, later: int, kind: str, tmp_path: Path) -> None:
    """A death or a lost answer at each operation: what was said is stored, and the next call goes on from it."""
    numbers = iter(range(1000))

    def world() -> Kept:
        store = Kept(MemoryStore() if kind == "memory" else DirectoryStore(tmp_path / str(next(numbers))))
        if new >= 0:
            witness(store).begin(OURS)
            if old:
                ask(witness(store), 0, old)
        return store

    counted = Faults()
    call_of(counted.wrap(world(), "state"), Time(NOW + later), old, new)()
    assert len(counted.done) >= 1
    for at_, (_, kinds) in enumerate(counted.done):
        for fault in kinds:
            store = world()
            faults = Faults(at_, fault)
            try:
                said = call_of(faults.wrap(store, "state"), Time(NOW + later), old, new)()
            except (AccessError, Died):
                said = None
            if isinstance(said, Cosigned):  # "The witness MUST persist the new checkpoint before responding"
                assert stored(store) == said.signed
            if fault is Fault.DONE_UNKNOWN and new >= 0:
                assert said is not None, "the answer was lost, and what is there tells that it was done"
            # another process goes on
            if new < 0:
                witness(store, Time(NOW + 2)).begin(OURS)
            now = witness(store).last(OURS).tree.size
            assert now in (old, max(new, 0))
            ask(witness(store, Time(NOW + 3)), now, 210)
            assert check_row(store.contents)[-1] == at(210).tree


def test_a_death_between_check_and_swap_says_nothing() -> None:
    """Nobody has the cosignature that was made and not stored."""
    store = begun()
    (call,) = Meeting(store, (0, 5)).calls
    call.step()
    call.kill()
    assert [tree.size for tree in check_row(store.contents)] == [0]


def test_a_read_that_fails_says_nothing() -> None:
    """What cannot be read is not taken for absent."""
    store = begun()
    faults = Faults(0, Fault.NOT_DONE)
    nothing_changes(store, AccessError, lambda: ask(witness(faults.wrap(store, "state")), 0, 5))


def test_a_changed_key_does_not_go_on(tmp_path: Path) -> None:
    """A new key has not cosigned what is stored: it is a new witness. One more key beside the old one goes on."""
    store = begun(DirectoryStore(tmp_path / "seen"))
    ask(witness(store), 0, 5)
    nothing_changes(store, Refused, lambda: ask(witness(store, keys=(W3,)), 5, 6))
    done = ask(witness(store, keys=(W1, W3)), 5, 5)
    assert len(done.lines) == 2
