"""Guards: another key, log, place or policy than the log's own, and objects that are not what they should be.

Each is refused, with a word on what was found, and nothing is written or signed.
"""
# ruff: noqa: D103 - the name of a case says what was done

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.guarding import (
    ACTIONS,
    OTHER_KEY,
    Case,
    Cases,
    Damage,
    case_of,
    check_refused,
    edit_head,
    emptied,
    flip,
    head,
    in_places,
    old,
)
from tests.support.world import ORIGIN, World, recording_key
from tiles.errors import AccessError, Refused
from tiles.inbox.admission import MAX_ADMISSION_SIZE, Admission
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy, policy_for
from tiles.records.head import parse_head
from tiles.records.paths import policy_path
from tiles.records.staged_batch import digest
from tiles.signing.anchor import FROZEN
from tiles.store.memory import MemoryStore

CASES: Cases = {}


# ---- another key, another log, another place


@case_of(CASES, "the key of example.com/log has signed before: size 300", "create")
def empty_place_with_a_key_that_has_signed(world: World) -> None:
    for role in ("public", "private"):
        world.restore(role, {role: {}})


@case_of(CASES, "signed by example.com/log+")
def another_key_for_the_origin(_world: World) -> dict[str, Any]:
    return {"key": recording_key(seed=OTHER_KEY)}


@case_of(CASES, "with key example.com/log+")
def another_key_for_the_origin_before_anything_is_published(world: World) -> dict[str, Any]:
    for role in ("public", "anchor"):
        world.restore(role, {role: {}})
    world.put("private", "head", old(0, "private", "head"))
    return {"key": recording_key(seed=OTHER_KEY)}


@case_of(CASES, "is the private part of a log with origin example.com/log, not example.com/other")
def two_logs_into_one_private_part(world: World) -> dict[str, Any]:
    world.stores["public"] = MemoryStore("other")
    world.stores["anchor"] = MemoryStore("other-anchor")
    return {"key": recording_key("example.com/other")}


@case_of(CASES, "publishes the log example.com/log, the key is of example.com/other")
def two_logs_into_one_place(world: World) -> dict[str, Any]:
    world.stores["anchor"] = MemoryStore("other-anchor")
    return {"key": recording_key("example.com/other")}


@case_of(CASES, "already holds a log, and its private part is not at", "create")
def private_part_elsewhere(world: World) -> None:
    world.stores["private"] = MemoryStore("elsewhere")
    world.stores["anchor"] = MemoryStore("other-anchor")


@case_of(CASES, "already holds a log", "create")
def empty_log_in_the_place(world: World) -> None:
    emptied(world)
    world.put("public", "checkpoint", old(0, "public", "checkpoint"))


@case_of(CASES, "already holds a log", "create")
def tiles_of_another_log_in_the_place(world: World) -> None:
    emptied(world)
    world.put("public", "tile/0/000.p/1", b"\x00" * 32)


@case_of(CASES, "already holds a log", "create")
def what_is_left_of_a_log_without_entries(world: World) -> None:
    emptied(world)
    world.put("public", "checkpoints/000", old(0, "public", "checkpoint"))


@case_of(CASES, "already holds a log", "create")
def a_log_whose_first_checkpoint_waits_for_witnesses(world: World) -> None:
    emptied(world)
    world.put("public", "pending", old(0, "public", "checkpoint"))


# ---- policies


WITNESS = signing_key("witness.example", b"\x03" * 32, SignatureType.COSIGNATURE).verifier


def with_witness() -> Policy:
    """Return a policy that takes a cosignature."""
    ours = recording_key().verifier
    return parse_policy(f"log {ours.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n".encode())


@case_of(CASES, "with policy", "append", "finish", "create")
def another_policy_than_the_log_has(world: World) -> dict[str, Any]:
    policy = policy_for(world.verifier)
    return {"policy": parse_policy(policy.data + b"# the same, and other bytes\n")}


@case_of(CASES, "needs witnesses that its lines give no URL of")
def policy_of_the_log_needs_witnesses(world: World) -> None:
    world.put("private", policy_path(with_witness().sha256), with_witness().data)
    edit_head(world, policy=with_witness().sha256)


@case_of(CASES, "the policy does not accept what example.com/log")
def policy_of_the_log_is_for_another_key(world: World) -> None:
    policy = policy_for(recording_key(seed=OTHER_KEY).verifier)
    world.put("private", policy_path(policy.sha256), policy.data)
    edit_head(world, policy=policy.sha256)


@case_of(CASES, "needs witnesses that its lines give no URL of", "create")
def new_log_with_a_policy_that_needs_witnesses(world: World) -> dict[str, Any]:
    emptied(world)
    return {"policy": with_witness()}


@case_of(CASES, "the policy does not accept what example.com/log", "create")
def new_log_with_a_policy_for_another_key(world: World) -> dict[str, Any]:
    emptied(world)
    return {"policy": policy_for(recording_key(seed=OTHER_KEY).verifier)}


@case_of(CASES, "is not the policy that was committed")
def policy_of_the_log_changed(world: World) -> None:
    flip(world, "private", policy_path(policy_for(world.verifier).sha256), 0)


@case_of(CASES, "with admission policy")
def admission_policy_other_than_expected(world: World) -> dict[str, Any]:
    return {"admission": Admission(max_entries=5)}


@case_of(CASES, "is gone: a committed policy")
def admission_policy_lost(world: World) -> None:
    edit_head(world, admission=Admission(max_entries=5).sha256)


@case_of(CASES, "malformed tiletree-admission/v1")
def admission_policy_of_another_version(world: World) -> None:
    other = b"tiletree-admission/v2\n"
    world.put("private", policy_path(digest(other)), other)
    edit_head(world, admission=digest(other))


@case_of(CASES, "the log example.com/log is frozen at size 300", "append")
def frozen_log(world: World) -> None:
    edit_head(world, frozen=True)
    world.move_anchor(state=FROZEN)


# ---- things that are not what they should be


def junk(role: str, path: str, data: Callable[[bytes], bytes]) -> Damage:
    """Return what replaces an object by what `data` makes of it."""
    return lambda world: world.put(role, path, data(world.stores[role].read(path).data))


for role_, path_, what in (
    ("private", "head", "malformed tiletree-head/v2"),
    ("anchor", "anchor", "malformed tiletree-anchor/v2"),
    ("public", "checkpoint", "malformed"),
):
    spoiled: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda _: b"",
        "zeros": lambda data: b"\x00" * len(data),
        "cut": lambda data: data[: len(data) // 2],
        "longer": lambda data: data + b"\n",
        "binary": lambda _: bytes(range(256)),
    }
    CASES |= {f"{path_}_{how}": Case(junk(role_, path_, spoil), what, tuple(ACTIONS)) for how, spoil in spoiled.items()}


@case_of(CASES, "signature")
def checkpoint_with_a_wrong_signature(world: World) -> None:
    data = old(300, "public", "checkpoint")
    world.put("public", "checkpoint", data[:-8] + (b"AAA" if data[-8:-5] != b"AAA" else b"BBB") + data[-5:])


@case_of(CASES, "signed by")
def checkpoint_with_nobodys_signature(world: World) -> None:
    key = recording_key(seed=OTHER_KEY)
    world.put("public", "checkpoint", sign_checkpoint(Checkpoint(ORIGIN, head(world).tree), key).data)


# ---- the tests


@pytest.mark.parametrize(("name", "place"), in_places(CASES))
def test_refuses_and_writes_nothing(name: str, place: str, tmp_path: Path) -> None:
    """What cannot be is refused, the message says what was found, and nothing is written or signed."""
    check_refused(CASES[name], None if place == "memory" else tmp_path)


@pytest.mark.parametrize("place", ["memory", "directory"])
def test_half_a_beginning_repeated_with_another_key(place: str, tmp_path: Path) -> None:
    """Once a head decides key and origin, beginning with another key is refused; with the same one it is finished."""
    counting = Faults()
    World().sequencer(counting.wrap).create()
    names = [what for what, _ in counting.done]
    decided = names.index("private swap head")
    for at in range(len(names)):
        world = World(None if place == "memory" else tmp_path / str(at))
        with pytest.raises(Died):
            world.sequencer(Faults(at, Fault.DIES).wrap).create()
        other = world.copy(None if place == "memory" else tmp_path / f"{at}-other")
        other.stores["anchor"] = MemoryStore("another's")
        other.key = recording_key(seed=OTHER_KEY)
        before = other.contents()
        if at < decided:
            other.history.verifier = other.verifier
            other.sequencer().create()
            other.check()
        else:
            with pytest.raises(Refused, match=r"with key|signed by"):
                other.sequencer().create()
            assert other.contents() == before
            assert not other.key.texts
        world.sequencer().create()
        world.check()


@pytest.mark.parametrize(("kind", "limit"), [("policy", MAX_POLICY_SIZE), ("admission", MAX_ADMISSION_SIZE)])
def test_a_committed_policy_is_capped(kind: str, limit: int) -> None:
    """One that has grown beyond reason is not read, whatever its digest."""
    world = World()
    world.sequencer(admission=Admission(max_entries=7)).create()
    found = parse_head(world.stores["private"].read("head").data)
    world.put("private", policy_path(getattr(found, kind)), b"#" * (limit + 1))
    with pytest.raises(AccessError, match=f"longer than {limit} bytes"):
        world.sequencer().finish()
