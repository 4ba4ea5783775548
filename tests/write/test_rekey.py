"""The keys of a log change by a commit: what is signed by whom, a fault at every operation, and who is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.faults import CHANGING, Died, Faults, GatedStore
from tests.support.sampling import one_in, quickly
from tests.support.witnesses import away
from tests.support.world import ORIGIN, World, explained, recording_key, some_entries
from tiles.errors import AccessError, NotFound, Refused, Unfinished, UsageError
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.key_change import ADD, RETIRE, open_key_change
from tiles.notes.keys import SignatureType, SigningKey, VerifierKey, signing_key
from tiles.notes.note import claimed
from tiles.notes.policy import parse_policy, policy_for
from tiles.records.head import parse_head
from tiles.signing.log_keys import LogKeys
from tiles.store import Store
from tiles.write.sequencer import Sequencer

OLD = recording_key()
NEW = signing_key(ORIGIN, b"\x02" * 32)
PQ = signing_key(ORIGIN, b"\x03" * 32, SignatureType.MLDSA44)
OTHERS = (NEW.verifier, PQ.verifier)
TWO = some_entries("two", 2)


def writer(world: World, *keys: SigningKey, wrap: Callable[[Store, str], Store] | None = None) -> Sequencer:
    """Return a new run that holds these keys, and otherwise the old, the new and the ML-DSA one."""
    held = LogKeys(keys or (OLD, NEW, PQ))
    return world.sequencer(wrap, key=held) if wrap else world.sequencer(key=held)


def vkeys(world: World) -> tuple[str, ...]:
    """Return the keys that the head names."""
    return parse_head(world.stores["private"].read("head").data).vkeys


def published(world: World) -> SignedCheckpoint:
    """Return the published checkpoint."""
    return parse_signed_checkpoint(world.stores["public"].read("checkpoint").data)


def signers(signed: SignedCheckpoint) -> set[VerifierKey]:
    """Return the keys whose signatures are on a checkpoint, all of them verified."""
    keys = [each.verifier for each in (OLD, NEW, PQ)]
    there = {key for _, key in claimed(signed.note, keys)}
    for key in there:
        policy_for(key).accept(signed)
    return there


def of(*keys: SigningKey) -> set[VerifierKey]:
    """Return what verifies the signatures of keys."""
    return {key.verifier for key in keys}


def is_whole(world: World, *keys: SigningKey) -> None:
    """Head, checkpoint, the policy that is shown, and the statements all say that these are the log's keys."""
    assert vkeys(world) == tuple(key.verifier.vkey for key in keys)
    assert signers(published(world)) >= of(*keys)
    shown = parse_policy(world.stores["public"].read("policy.txt").data)
    assert {log.key for log in shown.logs} == of(*keys)
    own = parse_head(world.stores["private"].read("head").data).staged_path
    assert own not in [listed.path for listed in world.stores["private"].list("staging/")]


def test_from_an_old_key_to_a_new_one() -> None:
    """Both sign until the old one is retired; readers who know either can read until then."""
    world = World(others=OTHERS).grown(3)
    assert signers(writer(world).rekeying.change(ADD, NEW.verifier)) == of(OLD, NEW)
    is_whole(world, OLD, NEW)
    assert signers(writer(world).append(TWO).checkpoint) == of(OLD, NEW)
    assert signers(writer(world).rekeying.change(RETIRE, OLD.verifier)) == of(OLD, NEW)
    is_whole(world, NEW)
    assert signers(writer(world, NEW).append(some_entries("after", 1)).checkpoint) == of(NEW)
    public = world.stores["public"]
    added, retired = (open_key_change(public.read(f"keys/{n}").data, [OLD.verifier]) for n in range(2))
    assert (added.action, added.key, added.tree.size, added.before) == (ADD, NEW.verifier, 3, (OLD.verifier,))
    assert (retired.action, retired.key, retired.tree.size) == (RETIRE, OLD.verifier, 5)
    assert [said.key for said in writer(world, NEW).rekeying.said()] == [NEW.verifier, OLD.verifier]


def test_a_pair_of_kinds() -> None:
    """An ML-DSA-44 key signs beside the Ed25519 one, from the beginning or from when it is added; either verifies."""
    world = World(others=OTHERS)
    begun = writer(world, OLD, PQ).create()
    assert signers(begun) == of(OLD, PQ)
    assert [each.signature[:8] for each in begun.note.signatures if len(each.signature) > 64] == [bytes(8)]
    other = World(others=OTHERS).grown(3)
    assert signers(writer(other, OLD, PQ).rekeying.change(ADD, PQ.verifier)) == of(OLD, PQ)
    is_whole(other, OLD, PQ)
    writer(other).rekeying.change(ADD, NEW.verifier)
    writer(other).rekeying.change(RETIRE, OLD.verifier)
    is_whole(other, NEW, PQ)  # texts are signed by the first


def test_a_signature_that_was_taken_off_comes_back() -> None:
    """Whoever can write the checkpoint can take a signature away; the next run puts it back, and nothing is stuck."""
    world = World(others=OTHERS)
    writer(world, OLD, PQ).create()
    writer(world, OLD, PQ).append(TWO)
    signed = published(world)
    world.put("public", "checkpoint", signed.note.text + b"\n" + f"{signed.note.signatures[0].line}\n".encode())
    assert signers(writer(world, OLD, PQ).finish()) == of(OLD, PQ)
    assert signers(published(world)) == of(OLD, PQ)


def test_again_is_no_change() -> None:
    """The same change twice is one; nothing is written the second time."""
    world = World(others=OTHERS).grown(3)
    for action, key in ((ADD, NEW), (RETIRE, OLD)):
        writer(world).rekeying.change(action, key.verifier)
        before = world.contents()
        writer(world).rekeying.change(action, key.verifier)
        assert world.contents() == before


def test_refused() -> None:
    """The last Ed25519 key stays; a retired one does not come back; what is not held or never was is named."""
    world = World(others=OTHERS).grown(3)
    with pytest.raises(Refused, match="only Ed25519 key"):
        writer(world).rekeying.change(RETIRE, OLD.verifier)
    writer(world).rekeying.change(ADD, PQ.verifier)
    with pytest.raises(Refused, match="only Ed25519 key"):
        writer(world).rekeying.change(RETIRE, OLD.verifier)
    with pytest.raises(UsageError, match="is no key of the log, and was none"):
        writer(world).rekeying.change(RETIRE, NEW.verifier)
    with pytest.raises(UsageError, match="is not in the key file"):
        writer(world, OLD, PQ).rekeying.change(ADD, NEW.verifier)
    writer(world).rekeying.change(RETIRE, PQ.verifier)
    with pytest.raises(Refused, match="was retired, and is not taken up again"):
        writer(world).rekeying.change(ADD, PQ.verifier)
    writer(world).freeze()
    with pytest.raises(Refused, match="is frozen at size 3"):
        writer(world).rekeying.change(ADD, NEW.verifier)


def test_whoever_lacks_a_key_is_refused() -> None:
    """A run with an old key file signs nothing: neither a new one, nor one that was at work when the key was added."""
    world = World(others=OTHERS).grown(3)
    late = writer(world, OLD)
    late.append(TWO)
    writer(world).rekeying.change(ADD, NEW.verifier)
    for run in (late, writer(world, OLD), writer(world, NEW)):
        with pytest.raises(Refused, match="with key "):
            run.append(some_entries("late", 1))
    assert published(world).tree.size == 5


def test_a_statement_in_the_way() -> None:
    """What somebody else has put at the place of a statement is refused before anything is changed."""
    world = World(others=OTHERS).grown(3)
    world.put("public", "keys/0", b"junk")
    before = world.contents()
    with pytest.raises(Refused, match="keys/0"):
        writer(world).rekeying.change(ADD, NEW.verifier)
    assert world.contents() == before


@pytest.mark.parametrize(
    ("action", "n"), quickly([(ADD, 6), (RETIRE, 6), (ADD, 1), (RETIRE, 1)], [(ADD, 6), (RETIRE, 6)])
)
def test_a_fault_at_every_operation(action: str, n: int) -> None:
    """Whatever fails, dies or is not answered: the old keys or the new, and the next run or the same call finishes."""
    world = World(others=OTHERS).grown(250)
    writer(world).rekeying.change(ADD, PQ.verifier)
    if action == RETIRE:
        writer(world).rekeying.change(ADD, NEW.verifier)
    key, before = (NEW, (OLD, PQ)) if action == ADD else (OLD, (OLD, NEW, PQ))
    after = (OLD, NEW, PQ) if action == ADD else (NEW, PQ)
    counting = Faults()
    writer(world.copy(), wrap=counting.wrap).rekeying.change(action, key.verifier)
    outcomes = set()
    for faults in one_in(n, [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]):
        here = world.copy()
        with explained(lambda faults=faults: str(faults)):
            try:
                writer(here, wrap=faults.wrap).rekeying.change(action, key.verifier)
            except (Died, AccessError, Unfinished):
                changed = vkeys(here) == tuple(each.verifier.vkey for each in after)
                assert changed or vkeys(here) == tuple(each.verifier.vkey for each in before)
                outcomes.add(changed)
            if _statement_is_public(here, len(before) - 1):
                assert vkeys(here) == tuple(each.verifier.vkey for each in after), "a statement of what was not decided"
            other = here.copy()  # the next run, which knows nothing of the change
            writer(other).append(TWO)
            is_whole(other, *(after if vkeys(other) == tuple(each.verifier.vkey for each in after) else before))
            for last in (here, other):
                writer(last).rekeying.change(action, key.verifier)
                is_whole(last, *after)
                writer(last).append(some_entries("more", 1))
                assert signers(published(last)) == of(*after)
                assert len(list(last.stores["public"].list("keys/"))) == len(before)
    assert outcomes == {True, False}


def _statement_is_public(world: World, number: int) -> bool:
    try:
        world.stores["public"].read(f"keys/{number}")
    except NotFound:
        return False
    return True


def test_beside_another_run() -> None:
    """A run that appends loses or wins the head, at whichever of its operations the key is added, and forks nothing."""
    world = World(others=OTHERS).grown(3)
    counting = Faults()
    writer(world.copy(), wrap=counting.wrap).append(TWO)
    assert any(kinds == CHANGING for _, kinds in counting.done)
    for at in range(len(counting.done)):
        here, left = world.copy(), iter(range(at))

        def gate(_what: str, here: World = here, left: Iterator[int] = left) -> None:
            if next(left, None) is None and len(vkeys(here)) == 1:
                writer(here).rekeying.change(ADD, NEW.verifier)

        def wrap(store: Store, role: str, gate: Callable[[str], None] = gate) -> Store:
            return GatedStore(store, role, gate)

        writer(here, wrap=wrap).append(TWO)
        assert published(here).tree.size == 5
        writer(here).finish()
        is_whole(here, OLD, NEW)


def test_a_log_that_needs_witnesses() -> None:
    """A key comes and goes while all witnesses are away: what they have cosigned of the tree stays with it."""
    world = World(others=OTHERS).witnessed(2, 3).grown(3)
    world.policy = None  # from now on, writers take the log's own, which changes with the keys
    cosigned = {line for line in published(world).note.signatures if line.name != ORIGIN}
    assert len(cosigned) >= 2
    for each in world.witnesses.values():
        each.lie = away
    writer(world).rekeying.change(ADD, NEW.verifier)
    assert signers(published(world)) == of(OLD, NEW)
    writer(world).rekeying.change(RETIRE, OLD.verifier)
    assert {line for line in published(world).note.signatures if line.name != ORIGIN} == cosigned
    is_whole(world, NEW)
