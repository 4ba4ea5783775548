"""Witnesses while publishing: what is published has its quorum, whoever is away, lies, or knows more than the log."""

from __future__ import annotations

from itertools import product

import pytest

from tests.support.faults import GatedStore
from tests.support.sampling import quickly
from tests.support.witnesses import LIES, InProcess, Witness, away, witness_policy
from tests.support.world import ORIGIN, World, some_entries
from tiles.errors import Malformed, Refused, Unfinished
from tiles.notes.cosignature import MAX_TIMESTAMP
from tiles.notes.cosigned import shortfall
from tiles.notes.freshness import AHEAD
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.note import Signature
from tiles.notes.witness_messages import format_signatures, parse_add_checkpoint
from tiles.read.http_post import Posted
from tiles.records.paths import PENDING, WITNESSED
from tiles.write.cosign import BelowQuorum, Cosigned, Witnessing

NEW = some_entries("new", 10)


class Asked:
    """What a witness was asked last: the log's own lines in it."""

    def __init__(self) -> None:
        self.own = b""

    def watch(self, witness: Witness) -> None:
        """Look at what this one is asked."""
        answer = witness._answer

        def watching(body: bytes) -> Posted:
            note = parse_add_checkpoint(body).signed.note
            self.own = format_signatures(tuple(each for each in note.signatures if each.name == ORIGIN))
            return answer(body)

        witness._answer = watching  # type: ignore[method-assign]


def names(world: World) -> list[str]:
    """Return whose lines the published checkpoint has."""
    text = world.stores["public"].read("checkpoint").data.decode()
    return [line.split(" ")[1].rpartition("/")[2] for line in text.splitlines() if line.startswith("— witness")]


def test_a_log_is_cosigned_from_its_first_checkpoint_on() -> None:
    """Three witnesses of both types: the empty tree is cosigned, and every larger one."""
    world = World().witnessed(3, 3).grown(250, 10)
    assert names(world) == ["0", "1", "2"]
    world.check()
    assert [each.asked for each in world.witnesses.values()] == [3, 3, 3]


def test_a_witness_that_holds_another_size_is_asked_again_with_its_proof() -> None:
    """One was away for two batches, one has cosigned the committed tree before: both say so, and both cosign."""
    world = World().witnessed(2, 3).grown(250)
    first, *_ = world.witnesses.values()
    first.lie = away
    world.append(NEW)
    world.append([b"more"])
    assert names(world) == ["1", "2"]
    first.lie = None
    asked = first.asked
    world.append([b"and more"])
    assert names(world) == ["0", "1", "2"]
    assert first.asked == asked + 2
    world.check()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_of_one_witness_does_nothing(lie: object) -> None:
    """Two of three are enough, whatever the third one answers; nothing of what it says is published."""
    world = World().witnessed(2, 3).grown(3)
    list(world.witnesses.values())[1].lie = lie  # type: ignore[assignment]
    world.append(NEW)
    assert names(world) == ["0", "2"]
    world.check()


PAIRS = list(product(LIES, LIES))


@pytest.mark.parametrize(("lie", "other"), quickly(PAIRS, PAIRS[::5]))
def test_below_the_quorum_nothing_is_published(lie: object, other: object) -> None:
    """Two of three lie: the run says who is missing and why, and the next one publishes the same text."""
    world = World().witnessed(2, 3).grown(3)
    for each, how in zip(world.witnesses.values(), (lie, other), strict=False):
        each.lie = how  # type: ignore[assignment]
    before = world.stores["public"].read("checkpoint").data
    with pytest.raises(Unfinished, match=r"quorum g is not met.*w0: .*; w1: ") as caught:
        world.append(NEW)
    assert (caught.value.first_index, caught.value.count, caught.value.published) == (3, 10, False)
    assert world.stores["public"].read("checkpoint").data == before
    pending = world.stores["public"].read(PENDING).data
    for each in world.witnesses.values():
        each.lie = None
    assert world.sequencer().finish().data.startswith(pending.partition(b"\n\n")[0])
    world.check()


def test_what_a_run_that_waits_for_its_quorum_says() -> None:
    """The same `add` again is not done (5); another one is not begun (3): its entries are not in the log."""
    world = World().witnessed(1, 1).grown(3)
    (only,) = world.witnesses.values()
    only.lie = away
    for _ in range(2):
        with pytest.raises(Unfinished) as caught:
            world.sequencer().append(NEW)
        assert (caught.value.first_index, caught.value.count) == (3, 10)
    with pytest.raises(BelowQuorum):
        world.sequencer().append([b"other"])
    with pytest.raises(BelowQuorum):
        world.sequencer().freeze()
    for act in (world.sequencer().finish, world.sequencer().sequence, world.sequencer().refresh):
        with pytest.raises(Unfinished) as caught:
            act()
        assert (caught.value.first_index, caught.value.count, caught.value.published) == (3, 10, False)
    only.lie = None
    assert world.sequencer().append(NEW).first_index == 3
    assert world.size() == 13
    world.check()


def test_lines_are_kept_until_the_next_run() -> None:
    """One witness answers today and another one tomorrow: together they are two."""
    world = World().witnessed(2, 2).grown(3)
    first, second = world.witnesses.values()
    second.lie = away
    with pytest.raises(Unfinished):
        world.append(NEW)
    first.lie, second.lie = away, None
    assert world.sequencer().finish().tree.size == 13
    assert names(world) == ["0", "1"]
    world.check()


def test_fail_open_publishes_and_the_next_run_adds_what_is_missing() -> None:
    """Below the quorum it is published where that is asked for; then the union is, and kept, at the same size."""
    world = World().witnessed(2, 3).grown(3)
    world.history.quorum = 0
    told: list[Cosigned] = []
    first, second, _ = world.witnesses.values()
    first.lie = second.lie = away
    how = Witnessing(fail_open=True, told=told.append, ways=InProcess(world.witnesses))
    assert world.sequencer(how=how).append(NEW).checkpoint.tree.size == 13
    (done,) = told
    assert done.published
    assert done.cosigned_by == ("w2",)
    assert [name for name, _ in done.missing] == ["w0", "w1"]
    assert "quorum g is not met" in done.shortfall
    kept = {each.path for each in world.stores["public"].list("checkpoints/")}
    assert "checkpoints/013" not in kept
    first.lie = None
    assert world.sequencer().finish().tree.size == 13
    assert names(world) == ["0", "2"]
    assert world.policy is not None
    kept_one = world.stores["public"].read("checkpoints/013").data
    assert kept_one == world.stores["public"].read("checkpoint").data


def test_refresh_adds_lines_and_newer_times_to_an_unchanged_tree() -> None:
    """What was kept stays what it was; the published checkpoint has the newest line of each witness."""
    world = World().witnessed(1, 3).grown(3)
    first, *_ = world.witnesses.values()
    first.lie = away
    world.append(NEW)
    kept = world.stores["public"].read("checkpoints/013").data
    first.lie = None
    world.pass_time(100.0)
    done = world.sequencer().refresh()
    assert done.cosigned_by == ("w0", "w1", "w2")
    assert not done.missing
    assert names(world) == ["0", "1", "2"]
    assert world.stores["public"].read("checkpoints/013").data == kept
    before = world.stores["public"].read("checkpoint").data
    world.history.checkpoints.clear()
    world.pass_time(100.0)
    world.sequencer().refresh()
    after = world.stores["public"].read("checkpoint").data
    assert after != before
    assert after.partition(b"\n\n")[0] == before.partition(b"\n\n")[0]


def test_wait_extra_goes_on_for_further_lines() -> None:
    """Where the policy is met already by the lines of an earlier run, the others are asked only if that is wished."""
    for extra, asked in ((0.0, 0), (5.0, 1)):
        world = World().witnessed(1, 2).grown(3)
        first, second = world.witnesses.values()
        first.lie = second.lie = away
        with pytest.raises(Unfinished):
            world.append(NEW)
        first.visit(world.stores["public"].read(PENDING).data)
        pending = (
            world.stores["public"].read(PENDING).data + first.seen["example.com/log"].data.split(b"\n")[-2] + b"\n"
        )
        world.put("public", PENDING, pending)
        before = second.asked
        world.sequencer(how=Witnessing(extra=extra, ways=InProcess(world.witnesses))).finish()
        assert second.asked - before == asked


# ---- witnesses that come by themselves


def test_a_witness_without_a_server_takes_what_is_pending() -> None:
    """The log shows what it has committed, the witness cosigns that in its own time, and the next run publishes."""
    world = World().witnessed(1, 1, "s3")
    (only,) = world.witnesses.values()
    for entries in ((), NEW):
        with pytest.raises(Unfinished, match=r"w0: it shows"):
            _ = world.append(entries) if entries else world.sequencer().create()
        pending = world.stores["public"].read(PENDING).data
        only.visit(pending)
        world.sequencer().finish()
        assert names(world) == ["0"]
    world.acknowledged.append((0, NEW))
    world.check()


def test_pending_never_goes_back() -> None:
    """A run that paused before it wrote `pending` leaves a larger one as it is."""
    world = World().witnessed(1, 1).grown(3)
    larger = world.copy()
    larger.append(NEW)
    pending = larger.stores["public"].read(PENDING).data
    seen: list[str] = []

    def gate(what: str) -> None:
        if what == "public read pending" and len(seen) < 2:
            seen.append(what)
            if len(seen) == 2:
                world.append(NEW)

    world.sequencer(lambda store, role: GatedStore(store, role, gate)).append(NEW[:2])
    assert parse(world.stores["public"].read(PENDING).data) >= parse(pending)


def parse(note: bytes) -> int:
    """Return the size in a checkpoint."""
    return int(note.split(b"\n")[1])


@pytest.mark.parametrize("junk", [b"", b"<html>", b"\xff" * 10_000])
def test_a_pending_that_nobody_has_signed_says_nothing(junk: bytes) -> None:
    """Anyone may be able to write there: it is replaced."""
    world = World().witnessed(1, 1).grown(3)
    world.put("public", PENDING, junk)
    world.append(NEW)
    assert parse(world.stores["public"].read(PENDING).data) == 13
    world.check()


def test_forged_lines_in_pending_or_checkpoint_are_left_out() -> None:
    """A line that says it is the witness's, and is not, is neither counted nor published."""
    world = World().witnessed(1, 1).grown(3)
    (only,) = world.witnesses.values()
    only.lie = away
    with pytest.raises(Unfinished):
        world.append(NEW)
    key = only.key.verifier
    forged = Signature(key.name, key.key_id, b"\x00" * 7 + b"\x01" + b"\x00" * 64).line.encode() + b"\n"
    world.put("public", PENDING, world.stores["public"].read(PENDING).data + forged)
    with pytest.raises(Unfinished):
        world.sequencer().finish()
    only.lie = None
    world.sequencer().finish()
    world.check()


# ---- what shows that storage was put back


def put_back(*, anchor: bool) -> tuple[World, World]:
    """Return a log that was put back to what it was before a batch, and how it was then, with its witness."""
    world = World().witnessed(1, 1).grown(3)
    before = world.contents()
    world.append(NEW)
    after = world.copy()
    for role in ("public", "private", *(("anchor",) if anchor else ())):
        world.restore(role, before)
    world.history.checkpoints.pop()
    world.history.contents.clear()
    world.acknowledged.pop()
    return world, after


def test_a_witness_that_has_cosigned_more_shows_that_all_was_put_back() -> None:
    """Log and anchor are put back together: nobody else could know. It is refused, and the evidence is kept."""
    world, after = put_back(anchor=True)
    with pytest.raises(Unfinished, match=r"the witness w0 shows that .* was signed.*kept as") as caught:
        world.sequencer().append([b"another"])
    assert isinstance(caught.value.__cause__, Refused)
    (kept,) = world.stores["private"].list(WITNESSED)
    (only,) = after.witnesses.values()
    assert world.stores["private"].read(kept.path).data == only.seen["example.com/log"].data
    assert parse(world.stores["public"].read("checkpoint").data) == 3


def test_a_witness_that_has_cosigned_another_tree_of_this_size_shows_it_too() -> None:
    """The log grew again after it was put back, to the size that the witness has seen."""
    world, _ = put_back(anchor=True)
    with pytest.raises(Unfinished, match="the witness w0 shows that"):
        world.sequencer().append(some_entries("another", 10))


def test_a_pending_that_is_ahead_shows_it_before_anything_is_committed() -> None:
    """`pending` was not put back with the rest: the run refuses at step 1."""
    world, after = put_back(anchor=True)
    world.put("public", PENDING, after.stores["public"].read(PENDING).data)
    head = world.stores["private"].read("head").data
    with pytest.raises(Refused, match="pending shows that"):
        world.sequencer().append([b"another"])
    assert world.stores["private"].read("head").data == head


@pytest.mark.parametrize("hides", [False, True])
def test_a_witness_that_is_ahead_because_another_run_was_faster(hides: bool) -> None:
    """Between commit and cosigning another run publishes this tree and a larger one: that is success, not a refusal."""
    world = World().witnessed(1, 1).grown(3)
    for each in world.witnesses.values():
        each.hides = hides
    begun: list[str] = []

    def gate(what: str) -> None:
        if not begun:
            begun.append(what)
            world.pass_time(1000.0)
            world.append([b"more"])

    how = Witnessing(ways=InProcess(world.witnesses, gate=gate))
    done = world.sequencer(how=how).append(NEW)
    world.acknowledged.append((done.first_index, NEW))
    assert world.size() == 14
    world.check(complete=True)
    assert world.policy is not None
    assert not shortfall(world.sequencer().finish(), world.policy)


def test_a_witness_that_claims_more_and_shows_nothing_is_no_evidence() -> None:
    """Nothing is published and nothing refused; the next run publishes."""
    world = World().witnessed(1, 1).grown(3)
    (only,) = world.witnesses.values()
    only.lie = LIES[2]
    with pytest.raises(Unfinished, match="says that it has cosigned size 4611686018427387904, and shows no such"):
        world.append(NEW)
    only.lie = None
    world.sequencer().finish()
    world.check()


@pytest.mark.parametrize("ahead_by", [3600, None])
def test_a_cosignature_that_is_dated_in_the_future_is_not_published(ahead_by: int | None) -> None:
    """No newer line of the same tree could replace it; once the witness's clock is right, it counts."""
    world = World().witnessed(3, 3).grown(3)
    first = next(iter(world.witnesses.values()))
    right = first.now
    first.now = (lambda: right() + ahead_by) if ahead_by else (lambda: MAX_TIMESTAMP)
    with pytest.raises(Unfinished, match=r"w0: .* has a line that is dated in the future"):
        world.append(NEW)
    assert names(world) == ["0", "1", "2"], "the checkpoint before"
    first.now = right
    first.seen.clear()  # a true one would keep the time from going back
    assert world.sequencer().finish().tree.size == 13
    assert names(world) == ["0", "1", "2"]


def test_a_clock_may_be_somewhat_ahead() -> None:
    """By as much as readers allow."""
    world = World().witnessed(3, 3).grown(3)
    for each in world.witnesses.values():
        each.now = lambda: world.now + AHEAD
    world.append(NEW)
    assert names(world) == ["0", "1", "2"]


def test_a_cosignature_without_a_time_is_none() -> None:
    """tlog-witness: "the timestamp MUST NOT be zero"; the line is right otherwise."""
    world = World().witnessed(2, 3).grown(3)
    for each in list(world.witnesses.values())[1:]:
        each.now = lambda: 0
    with pytest.raises(Unfinished, match=r"w1: its answer has no line .* that verifies; w2: its answer has no line"):
        world.append(NEW)


def test_the_logs_own_lines_are_no_cosignature() -> None:
    """A witness that sends back what it was sent has not cosigned; beside its own line they do no harm."""
    world = World().witnessed(2, 3).grown(3)
    echo, both, away_ = world.witnesses.values()
    away_.lie = away
    asked = Asked()
    echo.lie = lambda posted: Posted(200, asked.own) if posted.status == 200 else posted
    both.lie = lambda posted: Posted(200, asked.own + posted.data) if posted.status == 200 else posted
    for each in (echo, both):
        asked.watch(each)
    with pytest.raises(Unfinished, match=r"1 of its 3 .*w0: its answer has no line by a witness of the policy"):
        world.append(NEW)
    echo.lie = None
    assert world.sequencer().finish().tree.size == 13
    assert names(world) == ["0", "1"]
    assert world.stores["public"].read("checkpoint").data.count(b"\xe2\x80\x94 example.com/log ") == 1


def test_one_key_under_two_names_is_no_policy() -> None:
    """It would count one witness twice: tlog-policy calls the keys duplicates, whatever their names are."""
    key = signing_key("witness.example/0", b"\x33" * 32, SignatureType.COSIGNATURE)
    again = signing_key("other.example/1", b"\x33" * 32, SignatureType.COSIGNATURE)
    with pytest.raises(Malformed):
        witness_policy(World().verifier, {"http://a": Witness(key, []), "http://b": Witness(again, [])}, 2)
