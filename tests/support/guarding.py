"""What the tests of guards share: a log with a past, ways to damage it, and what every refusal must be like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.sampling import quickly
from tests.support.world import ORIGIN, Contents, RecordingKey, World, recording_key, some_entries
from tiles.errors import Refused
from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
from tiles.records.head import Head, parse_head
from tiles.tree.merkle import Hash, TreeHead
from tiles.write.sequencer import Sequencer

SIZES = (3, 10, 300)
NEW = some_entries("new", 10)
OTHER_ROOT = Hash(b"\x07" * 32)
OTHER_KEY = b"\x02" * 32

ACTIONS: dict[str, Callable[[Sequencer], object]] = {
    "append": lambda writer: writer.append(NEW),
    "finish": lambda writer: writer.finish(),
    "create": lambda writer: writer.create(),
}

Damage = Callable[[World], dict[str, Any] | None]


@dataclass(frozen=True)
class Case:
    """What is done to a log of `SIZES`, which runs then refuse, and what the message has in it.

    damage   may return what else than the world's own the writer is made with
    """

    damage: Damage
    message: str
    actions: tuple[str, ...]


Cases = dict[str, Case]


def case_of(cases: Cases, message: str, *actions: str) -> Callable[[Damage], Damage]:
    """Make a function one of the cases: of these runs, or of every kind of run."""

    def add(damage: Damage) -> Damage:
        cases[damage.__name__] = Case(damage, message, actions or tuple(ACTIONS))
        return damage

    return add


def in_places(cases: Cases) -> list[object]:
    """Return the cases by name, each in memory and in a directory; of those in a directory, three in four are slow.

    What is refused is decided before anything is written, so a directory shows only that nothing is.
    """
    every = [(name, place) for name in cases for place in ("memory", "directory")]
    quick = [(name, "memory") for name in cases] + [(name, "directory") for name in [*cases][::4]]
    return quickly(every, quick)


def check_refused(case: Case, folder: Path | None) -> None:
    """The case is refused, the message says what was found, and neither a store nor the signer has done anything.

    folder   where the log is to be; None for memory
    """
    for action in case.actions:
        world = sound()[0].copy(folder / action if folder else None)
        options = case.damage(world) or {}
        key = options.setdefault("key", world.key)
        assert isinstance(key, RecordingKey)
        before, signed = world.contents(), list(key.texts)
        with pytest.raises(Refused) as caught:
            ACTIONS[action](world.sequencer(**options))
        assert case.message in str(caught.value)
        assert world.contents() == before
        assert key.texts == signed


@cache
def sound() -> tuple[World, dict[int, Contents]]:
    """Return a log of 300 entries, and all it held when it had 0, 3, 10 and 300."""
    world = World().grown()
    past = {0: world.contents()}
    for size in SIZES:
        world.append(some_entries(f"up to {size}", size - world.size()))
        past[size] = world.contents()
    return world, past


def emptied(world: World) -> None:
    """Remove everything."""
    for role in world.stores:
        world.restore(role, {role: {}})


def back_to(size: int) -> Contents:
    """Return what the log held at a size."""
    return sound()[1][size]


def die(world: World, before: str) -> None:
    """Let an append of NEW die right before its first operation of that name."""
    counting = Faults()
    world.copy().sequencer(counting.wrap).append(NEW)
    at = next(at for at, (what, _) in enumerate(counting.done) if what.startswith(before))
    with pytest.raises(Died):
        world.sequencer(Faults(at - 1, Fault.DIES).wrap).append(NEW)


def head(world: World) -> Head:
    """Return the head."""
    return parse_head(world.stores["private"].read("head").data)


def edit_head(world: World, **changes: Any) -> None:
    """Change fields of the head."""
    world.put("private", "head", replace(head(world), **changes).data)


def flip(world: World, role: str, path: str, at: int = 40) -> None:
    """Change one byte of an object."""
    data = bytearray(world.stores[role].read(path).data)
    data[at] ^= 1
    world.put(role, path, bytes(data))


def staged(world: World) -> str:
    """Return the path of the head's staged batch."""
    path = head(world).staged_path
    assert path is not None
    return path


def publish(world: World, tree: TreeHead) -> None:
    """Put a checkpoint of any tree, signed by the log's key, in the place of the published one."""
    world.put("public", "checkpoint", signed_by_us(tree))


def signed_by_us(tree: TreeHead) -> bytes:
    """Return a checkpoint signed by the log's key, of which the log knows nothing."""
    return sign_checkpoint(Checkpoint(ORIGIN, tree), recording_key()).data


def old(size: int, role: str, path: str) -> bytes:
    """Return what an object held when the log had that size."""
    return back_to(size)[role][path]
