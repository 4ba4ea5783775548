"""What an append and a beginning write, keep, read and sync, and in which order."""

from __future__ import annotations

import time

import pytest

from tests.support.check_log import tree_paths
from tests.support.faults import Faults
from tests.support.world import World, some_entries
from tests.support.written import DAY, NOON, paths, public
from tiles.errors import AccessError
from tiles.notes.policy import MAX_POLICY_SIZE, policy_for


def test_the_first_checkpoint_of_each_day_is_kept(world: World) -> None:
    """`checkpoints/days/` has the first one of each day in UTC, also of a writer that goes on over midnight."""
    world.now = NOON
    writer = world.sequencer()
    kept = {"2023-11-15": writer.create().data}
    assert writer.append([b"one"]).checkpoint.data not in kept.values()
    world.now = NOON + DAY / 2 - 1
    writer.append([b"two"])
    world.now += 2
    kept["2023-11-16"] = writer.append([b"three"]).checkpoint.data
    writer.append([b"four"])
    world.sequencer().append([b"five"])
    world.now += 3 * DAY
    kept["2023-11-19"] = world.sequencer().append([b"six"]).checkpoint.data
    assert {path[-10:]: public(world, path) for path in paths(world, "public", "checkpoints/days/")} == kept
    world.check()


@pytest.mark.parametrize(("zone", "now"), [("WEST+11", NOON - DAY / 2), ("EAST-11", NOON + DAY / 2 - 1)])
def test_days_are_in_utc(zone: str, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the writer is: by the clock on its wall it is another day."""
    world = World()
    world.now = now
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        world.sequencer().create()
    time.tzset()
    assert paths(world, "public", "checkpoints/days/") == ["checkpoints/days/2023-11-15"]


@pytest.mark.parametrize("shown", [None, b"# somebody else's\n", b""])
def test_the_policy_is_shown_again(shown: bytes | None, world: World) -> None:
    """In a new log, a copy of the policy that was removed or changed is put right by the next run, once."""
    world.sequencer().create()
    world.put("public", "policy.txt", shown)
    world.sequencer().finish()
    assert public(world, "policy.txt") == policy_for(world.verifier).data
    faults = Faults()
    world.sequencer(faults.wrap).finish()
    assert "public swap policy.txt" not in [what for what, _ in faults.done]


def test_the_policy_that_is_shown_is_capped(world: World) -> None:
    """A public copy of the policy that has grown beyond reason is not read."""
    world.sequencer().create()
    world.put("public", "policy.txt", b"#" * (MAX_POLICY_SIZE + 1))
    with pytest.raises(AccessError, match=f"longer than {MAX_POLICY_SIZE} bytes"):
        world.sequencer().finish()


def test_objects_written_per_batch() -> None:
    """A batch costs the changed tiles and bundles, and one each of staging, head, anchor, checkpoint and its copy."""
    world = World().grown(250)
    writer = world.sequencer()
    writer.append([b"warms up"])
    faults = Faults()
    before = world.contents()
    writing = world.sequencer(faults.wrap)
    writing.append(some_entries("new", 10))
    written = [what for what, _ in faults.done if what.split()[1] in ("create", "swap")]
    new_tiles = set(tree_paths(261)) - set(before["public"])
    assert sorted(written) == sorted(
        [
            *(f"public create {path}" for path in new_tiles),
            *(what for what in written if what.startswith("private create staging/261-")),
            "private swap head",
            "anchor swap anchor",
            "public swap checkpoint",
            "public create checkpoints/261",
            "public create checkpoints/days/2096-10-02",
        ]
    )
    assert len(written) == len(new_tiles) + 6


ORDER = [
    "private create staging/",
    "private barrier",  # what the head is to name lasts
    "private swap head",
    "public create tile/",
    "public barrier",  # what the checkpoint is to stand on lasts
    "anchor swap anchor",
    "public create checkpoints/",
    "public swap checkpoint",  # it makes the history last, before the last way to repeat that goes
    "private delete staging/",
]


@pytest.mark.parametrize("base", [0, 3, 250, 256])
def test_the_order_of_an_append(base: int) -> None:
    """Stage, commit, write, remember, publish, tidy; a barrier before each step that stands on what was written."""
    world = World().grown(*[base] * (base > 0))
    writer = world.sequencer()
    writer.finish()
    faults = Faults()
    watched = world.copy().sequencer(faults.wrap)
    watched.append(some_entries("new", 10))
    names = [what for what, _ in faults.done]
    first = next(at for at, name in enumerate(names) if name.startswith(ORDER[0]))
    assert {"private barrier", "public barrier"} <= set(names[:first])  # what others wrote lasts before it is built on
    steps = [next((step for step in ORDER if name.startswith(step)), name) for name in names[first:]]
    steps = [step for step in steps if " read " not in step]
    assert [step for step, before in zip(steps, ["", *steps], strict=False) if step != before] == ORDER


def test_the_order_of_a_beginning() -> None:
    """What the head names lasts before the head, the anchor too; the head decides before anything is published."""
    faults = Faults()
    World().sequencer(faults.wrap).create()
    names = [what for what, _ in faults.done if what.split()[1] in ("create", "swap", "barrier")]
    head = names.index("private swap head")
    first = ["anchor swap anchor", *["private create policies"] * 2, "private barrier"]
    assert [name.split("/")[0] for name in names[:head]] == first
    assert [name for name in names[head:] if " swap " in name] == [
        "private swap head",
        "public swap checkpoint",
        "public swap policy.txt",
    ]


def test_a_writer_syncs_what_others_wrote_and_not_its_own_twice() -> None:
    """The barriers before a commit run once for each head that somebody else wrote."""
    world = World().grown(3)
    faults = Faults()
    writer = world.sequencer(faults.wrap)

    def barriers_before_staging() -> int:
        faults.done.clear()
        writer.append(some_entries(f"at {world.size()}", 1))
        names = [what for what, _ in faults.done]
        first = next(at for at, name in enumerate(names) if name.startswith("private create"))
        return sum("barrier" in name for name in names[:first])

    assert [barriers_before_staging() for _ in range(3)] == [2, 0, 0]
    world.append([b"another's"])
    assert [barriers_before_staging() for _ in range(2)] == [2, 0]


def test_a_writer_reads_and_syncs_a_log_at_rest_once() -> None:
    """Where all is published there is one look at the head, and one barrier per part; a second time, only the look."""
    faults = Faults()
    writer = World().grown(3).sequencer(faults.wrap)
    for barriers in (1, 0):
        faults.done.clear()
        writer.finish()
        names = [what for what, _ in faults.done]
        assert names.count("private read head") == 1
        assert [names.count(f"{role} barrier") for role in ("private", "public")] == [barriers] * 2


def test_a_writer_that_goes_on_does_not_read_what_it_wrote() -> None:
    """From its second append on a writer reads no tile, and looks for the day's checkpoint no more."""
    world = World().grown(250)
    faults = Faults()
    writer = world.sequencer(faults.wrap)
    writer.append([b"one"])
    faults.done.clear()
    writer.append([b"two"])
    names = [what for what, _ in faults.done]
    assert not [name for name in names if name.startswith("public read tile") or "days" in name]
    world.append([b"another's"])
    faults.done.clear()
    writer.append([b"three"])
    assert "public read tile/0/000.p/253" in [what for what, _ in faults.done]
