"""Tidying up: in which order the inbox is emptied, and where a refusal is kept."""

from __future__ import annotations

import pytest

from tests.support.faults import Faults, GatedStore
from tests.support.submissions import with_inbox
from tests.support.world import World
from tiles.write.tidy import rejection_path


def test_the_order_of_emptying_the_inbox() -> None:
    """What was refused lasts before the inbox loses it; the inbox has lost it for good before the staged batch goes."""
    faults = Faults()
    with_inbox(3).sequencer(faults.wrap).sequence()
    names = [name for name, _ in faults.done if name.split()[0] == "private"]
    after = [" ".join(name.split("/")[0].split()[1:]) for name in names[names.index("private swap head") + 1 :]]
    assert [name for name, before in zip(after, ["", *after], strict=False) if name != before] == [
        "create rejected",
        "barrier",
        "delete inbox",
        "barrier",
        "delete staging",
    ]


@pytest.mark.parametrize("odd", ["eve/other", "mallory", "eve/.hidden"])
def test_a_name_that_no_submission_has(odd: str) -> None:
    """Its refusal has a path of its own, which is no folder of another's."""
    paths = [rejection_path(name) for name in (odd, odd + "x", "nobody")]
    assert len(set(paths)) == 3
    assert all(path.startswith("rejected/.odd/") and path.count("/") == 2 for path in paths)


def test_two_runs_that_show_the_policy_at_once() -> None:
    """The copy of the policy appears while it is being written: that is no failure."""
    world = World().grown()
    world.put("public", "policy.txt", None)

    def gate(what: str) -> None:
        if what == "public swap policy.txt":
            world.put("public", "policy.txt", b"# somebody else's\n")

    world.sequencer(lambda store, role: GatedStore(store, role, gate)).finish()
    assert world.stores["public"].read("policy.txt").data == b"# somebody else's\n"
