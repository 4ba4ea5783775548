"""A head that is made again never leads to a tree that excludes one which was signed, or cosigned by a witness."""

from __future__ import annotations

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.lost_heads import anchor_of, died_after, head_of, rebuild
from tests.support.sampling import one_in
from tests.support.witnesses import ahead, away, witness_policy
from tests.support.world import World, some_entries
from tiles.errors import Refused, TilesError, Unfinished
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from tiles.notes.policy import Policy, policy_of
from tiles.records.paths import HEAD, PENDING, POLICIES, POLICY, STAGING, WITNESSED
from tiles.signing.anchor import FROZEN
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import Hash, TreeHead

NEW = some_entries("new", 10)
W0 = "http://w0.example"


def remove(world: World, role: str, prefix: str) -> None:
    """Remove all objects below a prefix."""
    for listed in list(world.stores[role].list(prefix)):
        world.put(role, listed.path, None)


def cosigned_and_lost(scheme: str = "http", *, pending: bool = True, staged: bool = True, tiles: bool = True) -> World:
    """Return a log whose run died once a witness had cosigned its tree, 13; head and anchor's newest copy are lost.

    The anchor that is left is an older copy: it holds what is published, 3.
    """
    world = World().witnessed(2, 3, "http").grown(3)
    old = world.contents()
    died_after(world, f"witness ask {W0}", NEW)
    assert world.witnesses[W0].seen[world.verifier.name].tree.size == 13
    if scheme != "http":  # the same witnesses, and the log only looks at what they show
        world.witnesses = {url.replace("http", scheme): each for url, each in world.witnesses.items()}
        world.policy = witness_policy(world.verifier, world.witnesses, 2)
        remove(world, "private", POLICIES)
        world.stores["private"].create({f"{POLICIES}{world.policy.sha256}": world.policy.data})
    world.put("private", HEAD, None)
    world.restore("anchor", old)
    if not pending:
        world.put("public", PENDING, old["public"][PENDING])
    if not staged:
        remove(world, "private", STAGING)
    if not tiles:
        world.put("public", "tile/entries/000.p/13", None)
    return world


def goes_on(world: World) -> None:
    """The next run publishes the tree that was cosigned, with its quorum, and the log goes on."""
    world.acknowledged.append((3, NEW))
    assert world.sequencer().finish().tree.size == 13
    world.append([b"more"])
    world.check(orphans=True)
    assert head_of(world).anchor == anchor_of(world).identity


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize(("scheme", "pending"), [("http", True), ("http", False), ("s3", False)])
def test_what_a_witness_has_cosigned_is_completed(scheme: str, pending: bool, staged: bool) -> None:
    """The anchor is an older copy: `pending`, or the witness itself, says what was signed; that tree is published."""
    world = cosigned_and_lost(scheme, pending=pending, staged=staged)
    done = rebuild(world)
    assert (done.head.tree.size, done.head.base, done.head.batch is not None) == (13, 3, True)
    assert any("is an older copy, or was begun anew" in text for text in done.unknown)
    assert any("which submissions" in text for text in done.unknown) != staged
    if scheme == "http":
        goes_on(world)
        return
    with pytest.raises(Unfinished, match="has not come by since"):
        world.sequencer().finish()
    for each in world.witnesses.values():
        each.visit(world.stores["public"].read(PENDING).data)
    assert world.sequencer().finish().tree.size == 13
    world.check(orphans=True)


@pytest.mark.parametrize("pending", [True, False])
def test_what_a_witness_has_cosigned_is_not_there(pending: bool) -> None:
    """Neither its batch nor all of its tiles are there: nothing is changed, for a tree without them would be a fork."""
    world = cosigned_and_lost(pending=pending, staged=False, tiles=False)
    before = world.contents()
    with pytest.raises(Refused, match="not all of it is in") as raised:
        rebuild(world)
    assert "#more-was-signed-than-is-published" in raised.value.hint
    assert world.contents() == before


def test_a_witness_that_only_says_so_stops_it() -> None:
    """It shows nothing, and says that it holds more than is known: refused, until a policy leaves it out."""
    world = cosigned_and_lost(pending=False)
    world.witnesses[W0].hides = True
    before = world.contents()
    with pytest.raises(Refused, match="witness w0 says that it has cosigned another tree, of size 13") as raised:
        rebuild(world)
    assert "#a-witness-has-cosigned-more" in raised.value.hint
    assert world.contents() == before
    without = {url: each for url, each in world.witnesses.items() if url != W0}
    policy = witness_policy(world.verifier, without, 2)
    assert rebuild(world, policy=policy).head.tree.size == 3


def test_a_witness_that_lies_about_its_size() -> None:
    """It stops only this command, which says whose word it is."""
    world = World().witnessed(2, 3).grown(3)
    world.put("private", HEAD, None)
    world.witnesses[W0].lie = ahead
    with pytest.raises(Refused, match="witness w0 says"):
        rebuild(world)


def test_a_witness_that_cannot_be_asked() -> None:
    """That is said: anchor and checkpoint agree, so the log goes on."""
    world = World().witnessed(2, 3).grown(3)
    world.put("private", HEAD, None)
    world.witnesses[W0].lie = away
    done = rebuild(world)
    assert [text for text in done.unknown if "witness" in text] == ["what the witness w0 has cosigned: no connection"]
    world.append(NEW)
    world.check()


OTHER = TreeHead(13, Hash(b"\x07" * 32))


@pytest.mark.parametrize("by", ["pending", "witness", "larger"])
def test_another_tree_was_signed(by: str) -> None:
    """It is no beginning of what is known, or has its size: refused; what a witness shows is kept as evidence."""
    world = World().witnessed(2, 3).grown(3, 10)
    tree = OTHER if by != "larger" else TreeHead(20, OTHER.root)
    signed = sign_checkpoint(Checkpoint(world.verifier.name, tree), world.key)
    world.put("private", HEAD, None)
    if by == "pending":
        world.put("public", PENDING, signed.data)
    else:
        world.witnesses[W0].seen[world.verifier.name] = signed
    before = world.contents()
    with pytest.raises(Refused):
        rebuild(world)
    kept = [listed.path for listed in world.stores["private"].list(WITNESSED)]
    shown = {parse_signed_checkpoint(world.stores["private"].read(path).data).tree for path in kept}
    assert shown  # with `pending`, two trees that exclude each other
    assert (tree in shown) == (by != "pending")
    for path in kept:
        world.put("private", path, None)
    assert world.contents() == before


def test_a_kept_checkpoint_counts() -> None:
    """The checkpoint and the anchor were put back together: what is kept says more, without any witness."""
    world = World().grown(3)
    old = world.contents()
    world.append(NEW)
    world.put("private", HEAD, None)
    world.restore("anchor", old)
    world.put("public", CHECKPOINT, old["public"][CHECKPOINT])
    assert rebuild(world).head.tree.size == 13
    assert world.sequencer().finish().tree.size == 13
    assert anchor_of(world).tree.size == 13


def test_a_sound_head_that_pending_excludes_is_made_again() -> None:
    """Head and anchor were put back, and agree with the checkpoint; `pending` shows that more was signed."""
    world = cosigned_and_lost()
    world.stores["private"].create({HEAD: World().witnessed(2, 3).grown(3).contents()["private"][HEAD]})
    world.put("private", HEAD, head_of(world).anchored(anchor_of(world).identity, "b" * 32).data)
    with pytest.raises(Refused, match="pending shows"):
        world.append([b"refused"])
    assert rebuild(world).head.tree.size == 13
    goes_on(world)


def test_a_frozen_anchor() -> None:
    """It can sign no other tree, so a log of which more was signed is not the one that was frozen."""
    world = cosigned_and_lost()
    world.move_anchor(state=FROZEN)
    with pytest.raises(Refused, match="is frozen at size 3"):
        rebuild(world)


@pytest.mark.parametrize("trace", [PENDING, POLICY])
def test_a_lost_policy_is_not_taken_for_none(trace: str) -> None:
    """A log that had witnesses is not published without them because its private part is lost: it has to be named."""
    world = World().witnessed(2, 3).grown(3)
    assert isinstance(world.policy, Policy)
    world.restore("private", {"private": {}})
    world.put("public", PENDING, None)
    if trace == PENDING:
        world.put("public", PENDING, b"whatever")
    else:
        world.put("public", POLICY, world.policy.data)
    with pytest.raises(Refused, match="seems to have had witnesses") as raised:
        rebuild(world)
    assert "--policy" in raised.value.hint
    assert rebuild(world, policy=world.policy).head.policy == world.policy.sha256
    world.append(NEW)
    world.check(orphans=True)


def test_a_policy_copy_without_witnesses_changes_nothing() -> None:
    """A log that never had any goes on as ever."""
    world = World().grown(3)
    world.restore("private", {"private": {}})
    world.put("public", POLICY, policy_of([world.verifier]).data)
    assert rebuild(world).is_new


def dies_at(lost: World, one_of: int, *, every: bool) -> None:
    """Let the call die at one of so many of its operations; whatever it has done, the same call finishes the work."""
    counting = Faults()
    rebuild(lost.copy(), counting.wrap)
    assert any(what.startswith("witness ask") for what, _ in counting.done)
    for at in one_in(one_of, range(len(counting.done))):
        for fault in counting.done[at][1] if every else [Fault.DIES]:
            world = lost.copy()
            try:
                rebuild(world, Faults(at, fault).wrap)
            except (Died, TilesError):
                rebuild(world)
            goes_on(world)


@pytest.mark.parametrize(("pending", "staged"), [(True, True), (False, False)])
def test_dies_anywhere(pending: bool, staged: bool) -> None:
    """Requests to witnesses included (a sample)."""
    dies_at(cosigned_and_lost(pending=pending, staged=staged), 6, every=False)


@pytest.mark.slow
@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("pending", [True, False])
def test_dies_anywhere_of_any_fault(pending: bool, staged: bool) -> None:
    """Whatever goes wrong at any of its operations."""
    dies_at(cosigned_and_lost(pending=pending, staged=staged), 1, every=True)


def test_a_run_died_anywhere_before() -> None:
    """A run dies at any of its operations, requests included, and the head is lost: no cosigned tree is given up."""
    lost = World().witnessed(2, 3).grown(3)
    counting = Faults()
    lost.copy().sequencer(counting.wrap).append(NEW)
    assert any(what.startswith("witness ask") for what, _ in counting.done)
    for at in one_in(4, range(len(counting.done))):
        world = lost.copy()
        with pytest.raises((Died, TilesError)):
            world.sequencer(Faults(at, Fault.DIES).wrap).append(NEW)
        cosigned = [seen.tree for each in world.witnesses.values() for seen in each.seen.values()]
        world.put("private", HEAD, None)
        done = rebuild(world)
        assert done.head.tree.size >= max(tree.size for tree in cosigned)
        if done.head.tree.size == 13:
            goes_on(world)
