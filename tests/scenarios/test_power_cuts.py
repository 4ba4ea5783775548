"""Power cuts: runs over three directory stores are recorded, and go on from every state that a cut may leave.

In each state the checkpoint is not ahead of its tiles, the signer's memory covers every text ever signed, and nobody
finds another content than before; the next run succeeds, and `check_log` audits what it leaves. The counter-test
leaves out one sync at a time, of all that the code makes, and must find a state where that does not hold. What was
there after the cut is in the note of the error; `power_cut` says what a cut may do.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.faults import Died
from tests.support.power_machine import SYSTEMS, Action, LeftOut, Machine, Several, System, judge_all, sites
from tests.support.power_moves import judge_moves, judge_owed, moved, moved_again, moved_by_two, moves
from tests.support.power_scenes import (
    NEXT,
    OTHERS,
    OURS,
    a_few,
    adding,
    admitting,
    collected,
    deaths,
    endorsed,
    filed,
    grown,
    race,
    rebuilt,
    refreshed,
    rekeyed,
    rekeying,
    staged_twice,
    traces,
    withheld,
)
from tests.support.power_witness import search_witnesses
from tests.support.reference import printed_random
from tests.support.sampling import quickly, soaking
from tests.support.world import explained, recording_key, some_entries
from tiles.errors import NotFound, TilesError
from tiles.signing.key_file import write_key

BASES = (0, 3, 250, 256)  # OURS fits, fits, crosses the end of a bundle, begins a bundle
MOST = 1024  # choices for which all states are looked at
SOME = 16  # in the quick tests: of more choices it is a sample, by a printed seed

each_system = pytest.mark.parametrize("system", SYSTEMS, ids=str)
some_systems = pytest.mark.parametrize("system", quickly(SYSTEMS, [SYSTEMS[0], SYSTEMS[3]]), ids=str)


# ---- a run, and a cut


@some_systems
def test_a_cut_while_a_log_is_created(system: System) -> None:
    """Whatever a cut leaves of a creation, creating again makes a log; batches by the same process are as safe."""
    assert judge_all(created(system), SOME, printed_random(), [printed_random().choice(NEXT)]) > 20


@pytest.mark.slow
@each_system
def test_any_cut_while_a_log_is_created(system: System) -> None:
    """The same for all that a cut may leave."""
    assert judge_all(created(system), MOST, printed_random(), NEXT) > 100


def created(system: System) -> Machine:
    """Return what there is after a process created a log, and added to it twice."""
    machine = Machine(system)
    machine.act("create", OTHERS[:1], OURS[:2])
    machine.cut()
    return machine


@pytest.mark.parametrize(("system", "base"), list(zip(SYSTEMS, BASES, strict=True)), ids=str)
def test_a_cut_while_entries_are_added(system: System, base: int) -> None:
    """After a cut at any moment of an append nothing signed, published or acknowledged is lost; a next run goes on."""
    assert judge_all(added(system, base), SOME, printed_random(), NEXT) > 20


@pytest.mark.slow
@each_system
@pytest.mark.parametrize("base", BASES)
def test_any_cut_while_entries_are_added(system: System, base: int) -> None:
    """The same for all that a cut may leave."""
    assert judge_all(added(system, base), MOST, printed_random(), NEXT) > 20


def added(system: System, base: int) -> Machine:
    """Return what there is after entries were added to a log of that size."""
    machine = grown(system, base).copy()
    machine.act(OURS)
    machine.cut()
    return machine


@some_systems
def test_a_cut_while_a_batch_is_staged_again(system: System) -> None:
    """A name that an earlier cut left without its content stops nothing, and what is put there lasts."""
    assert judge_all(staged_twice(system), 4, printed_random(), [OURS]) > 5


@pytest.mark.slow
@each_system
@pytest.mark.parametrize("base", BASES)
def test_a_cut_while_many_entries_are_added(system: System, base: int) -> None:
    """The same for batches of several bundles, one after the other by the same process."""
    machine = grown(system, base).copy()
    machine.act(OURS, some_entries("many", 600), OTHERS)
    machine.cut()
    assert judge_all(machine, soaking(64, MOST), printed_random(), NEXT) > 100


@some_systems
@pytest.mark.parametrize("broken", ["head", "checkpoint", "anchor"])
def test_a_cut_after_a_sync_that_failed(system: System, broken: str) -> None:
    """A swap whose sync reports an error is looked at again, and is made to last before anything is built on it."""
    machine = grown(system, 3).copy()
    machine.act(OURS, broken=broken)
    machine.cut()
    assert judge_all(machine, SOME, printed_random(), NEXT) > 10


@some_systems
def test_a_cut_while_partial_tiles_are_deleted(system: System) -> None:
    """The checkpoint on whose account they go is made to last before, whoever published it."""
    machine = collected(system)
    there = [listed.path for listed in machine.world.stores["public"].list("tile/0/")]
    assert there == ["tile/0/000", "tile/0/001.p/4"]
    assert judge_all(machine, 64, printed_random(), ["finish"]) > 20


@some_systems
@pytest.mark.parametrize("scene", [admitting, withheld, endorsed, rekeyed])
def test_a_cut_after_a_change(system: System, scene: Callable[[System], Machine]) -> None:
    """Another admission policy is there with the head that names it; what was withheld, endorsed or said stays so."""
    assert judge_all(scene(system), 16, printed_random(), ["finish"]) > 3


@some_systems
def test_a_cut_while_a_log_is_moved(system: System) -> None:
    """Whatever a cut leaves, a place that has the head has all of it, and the same call goes on (a sample)."""
    rng = printed_random()
    for machine in (moved(system), moved_by_two(system)):
        machine.moments = rng.sample(machine.moments, 4)
        judge_moves(machine, rng, 0.04)
    for machine in moved_again(system):
        assert judge_owed(machine, rng) > 0


@pytest.mark.slow
@each_system
def test_any_cut_while_a_log_is_moved(system: System) -> None:
    """The same for more of what a cut may leave."""
    rng = printed_random()
    machines = (moved(system), moved_by_two(system), *moved_again(system))
    judged = [judge_moves(machine, rng, soaking(0.06, 1.0)) for machine in machines]
    assert sum(judged) > 5 * len(judged)  # of one of them a share of the states may be few, by chance


@some_systems
def test_a_cut_while_a_head_is_made_again(system: System) -> None:
    """Whatever a cut leaves, making it again makes the log sound."""
    assert judge_all(rebuilt(system), MOST, printed_random(), NEXT) > 10


# ---- a run dies, another one goes on from what it has not synced, and a cut


@some_systems
def test_a_cut_after_a_death(system: System) -> None:
    """What a dead run has not synced is made to last before another one builds on it (a sample)."""
    rng = printed_random()
    for machine in deaths(adding(system), a_few(rng, 0.005)):
        judge_all(machine, 8, rng, [rng.choice(NEXT)])


@some_systems
def test_a_cut_after_a_death_while_keys_change(system: System) -> None:
    """Whoever goes on, the log has the old keys or the new ones, and says what it has done (a sample)."""
    rng = printed_random()
    for machine in deaths(rekeying(system), a_few(rng, 0.02)):
        judge_all(machine, 4, rng, [rng.choice((OURS, "finish"))])


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death_while_keys_change(system: System) -> None:
    """The same, whenever it died, and for more of what a cut may leave."""
    rng = printed_random()
    for machine in deaths(rekeying(system), a_few(rng, soaking(0.2, 1.0))):
        judge_all(machine, soaking(16, MOST), rng, [rng.choice((OURS, "finish"))])


@pytest.mark.slow
@each_system
def test_a_cut_after_any_death(system: System) -> None:
    """What a dead run has not synced is made to last before another one builds on it, whenever it died."""
    rng = printed_random()
    for machine in deaths(adding(system), a_few(rng, soaking(0.06, 1.0))):
        judge_all(machine, soaking(32, MOST), rng, soaking((rng.choice(NEXT),), NEXT))


# ---- deaths and cuts, one after the other


def live(machine: Machine, rng: random.Random, runs: int) -> None:
    """Let processes run, die, and the power be cut, in any order; the log stays sound, and goes on."""
    done: list[str] = []
    with explained(lambda: "\n".join(done)):
        for number in range(runs):
            entries = some_entries(f"run {number} of {rng.random()}", rng.choice([1, 2, 10, 250, 257]))
            actions: list[Action] = [entries, entries, entries, "finish", "gc", "sequence", "submit", "submit too much"]
            chosen = [rng.choice(actions)] if machine.world.committed() is not None else ["create", entries]
            lives = rng.randrange(80) if rng.random() < 0.6 else None
            done.append(f"{[each[0] if isinstance(each, list) else each for each in chosen]}, {lives=}")
            machine.moments.clear()
            try:
                machine.act(*chosen, lives=lives)
            except Died:
                done[-1] += ": died"
            machine.cut()
            if rng.random() < 0.4:
                moment = rng.choice(machine.moments)
                state = rng.choice(list(moment.cut.states(8, rng)))
                done.append(str(state))
                machine = moment.after(state)
            machine.look()
        with suppress(NotFound):
            machine.act("finish", "sequence")
            machine.check()
            machine.outside.check_submissions(machine.world, complete=True)


@some_systems
def test_deaths_and_cuts_without_end(system: System) -> None:
    """After any sequence of runs, deaths and power cuts the log is sound and complete."""
    rng = printed_random()
    for _ in range(8):
        live(Machine(system), rng, 8)


@pytest.mark.slow
@each_system
def test_deaths_and_cuts_without_end_for_long(system: System) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(soaking(60, 600)):
        live(Machine(system), rng, 20)


# ---- two processes at a time


def race_and_cut(system: System, base: int, rng: random.Random) -> None:
    """Cut the power at some moments of a race."""
    machine = grown(system, base).copy()
    race(machine, rng, [some_entries("one", rng.choice([1, 10, 260])), some_entries("two", rng.choice([1, 10, 260]))])
    machine.moments = rng.sample(machine.moments, 4)
    judge_all(machine, 4, rng, [rng.choice(NEXT)])


@some_systems
def test_a_cut_while_two_processes_add(system: System) -> None:
    """A cut at any moment of two processes' work loses nothing of what either was told, or has shown (a sample)."""
    rng = printed_random()
    for _ in range(4):
        race_and_cut(system, rng.choice(BASES), rng)


@pytest.mark.slow
@each_system
def test_a_cut_while_two_processes_add_for_long(system: System) -> None:
    """The same, for minutes."""
    rng = printed_random()
    for _ in range(soaking(60, 1000)):
        race_and_cut(system, rng.choice(BASES), rng)


# ---- the counter-test: every sync is needed


def search(site: LeftOut, machines: Iterable[Machine] | None = None) -> str:
    """Return how a state breaks a promise when that sync is left out; "" if none that is looked at does."""
    rng = random.Random(0)
    for machine in traces(site) if machines is None else machines:
        try:
            judge_all(machine, 16, rng, NEXT)
        except (AssertionError, TilesError) as error:
            return repr(error)
    return ""


def search_deaths(site: LeftOut, number: int) -> str:
    """`search`, but first in deaths of one scene of `adding`, as it takes long until the others come to them."""
    return search(site, deaths([adding(SYSTEMS[0])[number]], site=site)) or search(site)


def search_nested(site: LeftOut) -> str:
    """`search` in the store alone, for what no object of a log needs today: swapping one that is in a directory."""
    for system in SYSTEMS:
        machine = Machine(system, site)
        machine.boot()
        machine.world.stores["public"].create({"a/other": b""})
        machine.boot()
        machine.world.stores["public"].swap("a/b/head", b"1", None)
        machine.cut()
        for state in machine.moments[-1].cut.states(MOST, random.Random(0)):
            after = machine.moments[-1].after(state)
            after.boot()
            try:
                after.world.stores["public"].read("a/b/head")
            except NotFound as error:
                return repr(error)
    return ""


def search_moves(site: LeftOut) -> str:
    """`search` in moves of a log to another place."""
    for machine in moves(site):
        try:
            judge_moves(machine, random.Random(0))
        except (AssertionError, TilesError) as error:
            return repr(error)
    return ""


def search_refreshed(site: LeftOut) -> str:
    """`search` where the line of a witness is added to what was published below the quorum."""
    for system in SYSTEMS:
        try:
            judge_all(refreshed(system, site), 16, random.Random(0), ["finish"])
        except (AssertionError, TilesError) as error:
            return repr(error)
    return ""


def search_filed(site: LeftOut) -> str:
    """`search` where a file is published before the entry of its submission."""
    for system in SYSTEMS:
        try:
            judge_all(filed(system, site), 16, random.Random(0), ["sequence"])
        except (AssertionError, TilesError) as error:
            return repr(error)
    return ""


#   Not needed for any promise as the code is, and why.
NOT_NEEDED = {
    # A published checkpoint and what is kept of it are made to last by `tidy`, before the staged batch goes and before
    # anything is committed on top: if there is nothing to tidy, another run has done so. The tiles of a new tree are
    # made to last by `_write`, whoever wrote them, before they are signed.
    "recover.py _make_last self._parts.public.barrier 0",
    # What is copied lasts once the settings are swapped in after it. This is for what an earlier call has copied.
    "move.py move self._to.private.barrier 0",
    # A head is only replaced when its batch is published, tidied and deleted, so an older one that came back would not
    # want a batch; whoever staged another one for it is gone with the cut. And a head whose checkpoint is published,
    # on whose account partial tiles go, lasts; one that only refuses is of the same tree as the one before.
    "gc.py gc private.barrier 0",
    # The anchor is ahead of the checkpoint only once its tiles last. This is for tiles that were put back since then.
    "lost_head.py _publish self._parts.public.barrier 0",
}
SEARCHES = {  # of parts of names
    "make_lasting": search_nested,
    "payloads.py": search_filed,
    "move.py": search_moves,
    "copying.py": search_moves,
    "witness.py": search_witnesses,
    "publish.py refresh": search_refreshed,
    "sign_and_tell": partial(search_deaths, number=6),
    "publish.py begin": partial(search_deaths, number=0),
    "_sync_name": partial(search_deaths, number=0),
}
SITES = {str(site): site for site in sites()}


# each scenario of these takes seconds; they are in the soak
SEARCHED_LONG = ("publish.py _write self._public.barrier 0", "recover.py settle self._make_last 0")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in SEARCHED_LONG else name
        for name in SITES
        if name not in NOT_NEEDED
    ],
)
def test_every_sync_is_needed(name: str) -> None:
    """Without any one sync that the code makes, some power cut breaks a promise."""
    how = next((how for part, how in SEARCHES.items() if part in name), search)
    assert how(SITES[name]), "nothing is lost without it"


def test_what_a_witness_has_given_out_lasts() -> None:
    """Also what a dead process wrote and another one gave out, and what was renamed and not synced at first."""
    assert search_witnesses(None) == ""


def test_nested_swaps_last() -> None:
    """A swapped object in a directory lasts, and so do the directories above it, whoever made them."""
    assert search_nested(None) == ""


@pytest.mark.slow
@pytest.mark.skipif(soaking(True, False), reason="takes a minute: a part of make soak-full")
def test_some_syncs_are_not_needed() -> None:
    """What is said not to be needed is not: no power cut is found that breaks a promise without any of these."""
    assert search(Several(tuple(SITES[name] for name in NOT_NEEDED))) == ""


def test_a_new_key_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is synced, and so is the name of each directory made for it: without the key the log is at its end."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "config/tiletree/keys/example.key"
    write_key(path, recording_key())
    assert set(synced) == {at.stat().st_ino for at in (path, *path.parents[:3], tmp_path)}
