"""Tidying up: in which order the inbox is emptied, and where a refusal is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.support.collecting import collect
from tests.support.faults import Died, Faults, GatedStore, Passing
from tests.support.submissions import check_submitted, inbox, rejected, submitted, with_inbox
from tests.support.world import World, some_entries
from tiles.errors import AccessError
from tiles.inbox.naming import rejection_path
from tiles.records.decided import parse_decided
from tiles.records.paths import INBOX
from tiles.store import Store


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


class Held(Passing):
    """A private part in whose inbox some submitters' objects cannot be deleted, or are deleted without a reply."""

    def __init__(self, inner: Store, held: str = "", silent: str = "") -> None:
        super().__init__(inner, "private")
        self.held = held
        self.silent = silent

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            if self.held and path.startswith(f"inbox/{self.held}"):
                raise AccessError(f"{path}: held on purpose")
            super().delete([path])
            if self.silent and path.startswith(f"inbox/{self.silent}"):
                raise AccessError(f"{path}: no reply, on purpose")


def holding(held: str = "", silent: str = "") -> Callable[[Store, str], Store]:
    """Return what wraps the private part so."""
    return lambda store, role: Held(store, held, silent) if role == "private" else store


@pytest.mark.parametrize("who", ["ann/", "eve/", "bob/"])
def test_what_cannot_be_deleted_stops_nothing(who: str) -> None:
    """It is said and recorded; then adding, sequencing and freezing go on, and nothing of it is decided again."""
    world = with_inbox(3)
    expected = submitted(world)
    held = {name for name in inbox(world) if name.startswith(who)}
    writer = world.sequencer(holding(who))
    done = writer.sequence()
    assert (len(done.took), len(done.refused)) == (3, 1)
    assert ({*writer.undeleted()}, writer.undeleted()) == (held, ())
    assert inbox(world) == held
    private = world.stores["private"]
    assert {parse_decided(private.read(each.path).data) for each in private.list("decided/")} == held
    assert not list(private.list("staging/"))
    again = world.sequencer(holding(who)).sequence()
    assert (again.took, again.refused, again.backlog.undeletable) == ((), (), len(held))
    world.append(some_entries("after", 2))
    world.sequencer(holding(who)).freeze()
    private.delete([f"{INBOX}{name}" for name in held])
    check_submitted(world, expected, complete=True)


def test_a_deletion_without_a_reply_is_recorded() -> None:
    """Nobody knows whether it was done, or will be: the name is recorded, and gc looks."""
    world = with_inbox(3)
    names = {name for name in inbox(world) if name.startswith("ann/")}
    world.sequencer(holding(silent="ann/")).sequence()
    assert len(list(world.stores["private"].list("decided/"))) >= 1
    assert names.isdisjoint(inbox(world))
    assert collect(world).decided >= 1
    assert not list(world.stores["private"].list("decided/"))


@pytest.mark.parametrize("step", ["private delete inbox", "private create decided", "private delete staging"])
def test_death_beside_what_cannot_be_deleted(step: str) -> None:
    """Whenever the run dies, the next one, which cannot delete it either, records it, and nobody takes it again."""
    world = with_inbox(3)
    expected = submitted(world)
    held = {name for name in inbox(world) if name.startswith("ann/")}

    def die(what: str) -> None:
        if what.startswith(step):
            raise Died(what)

    with pytest.raises(Died):
        world.sequencer(lambda store, role: GatedStore(holding("ann/")(store, role), role, die)).sequence()
    assert world.sequencer(holding("ann/")).sequence().took == ()
    assert inbox(world) == held
    world.append(some_entries("after", 2))
    assert world.sequencer().sequence().took == ()
    assert collect(world).decided == len(held)
    check_submitted(world, expected, complete=True)


def test_a_name_that_no_batch_can_hold_goes() -> None:
    """It is refused under its digest, and its object is found again and deleted, by the next run if this one dies."""
    world = with_inbox(3)
    private = world.stores["private"]
    private.create({f"{INBOX}eve/a b": b"x", f"{INBOX}eve/\u00e4": b"x", f"{INBOX}no folder": b"x"})

    def die(what: str) -> None:
        if what.startswith("private delete inbox"):
            raise Died(what)

    with pytest.raises(Died):
        world.sequencer(lambda store, role: GatedStore(store, role, die)).sequence()
    world.sequencer().finish()
    assert not inbox(world)
    assert sum(name.startswith(".odd/") for name in rejected(world)) == 3


def test_the_records_last_before_the_staged_batch_goes() -> None:
    """After them comes a barrier, and only then does the staged batch go."""
    faults = Faults()
    with_inbox(3).sequencer(lambda store, role: faults.wrap(holding("ann/")(store, role), role)).sequence()
    names = [name for name, _ in faults.done if name.split()[0] == "private"]
    last = max(number for number, name in enumerate(names) if name.startswith("private create decided"))
    assert [name.split("/")[0] for name in names[last + 1 : last + 3]] == ["private barrier", "private delete staging"]


def test_the_order_of_looking_into_the_inbox() -> None:
    """A run looks for the staged batch, then reads what is decided, then lists the inbox: the model's rule."""
    faults = Faults()
    with_inbox(3).sequencer(faults.wrap).sequence()
    looks = ("private read staging", "private list decided", "private list inbox")
    assert [name.split("/")[0] for name, _ in faults.done if name.startswith(looks)] == [*looks]
