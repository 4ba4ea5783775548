"""A machine with a log on it whose power can be cut, what must hold after a cut, and all syncs that the code makes."""

from __future__ import annotations

import ast
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import tiles
from tests.support.check_log import published, read_or_none, read_text
from tests.support.disk import Change, Disk
from tests.support.disk_posix import Process
from tests.support.power_cosigned import check_cosigned, check_pending, open_or_refresh, visited
from tests.support.power_cut import NOTHING, Cut, Owed, State
from tests.support.power_keys import NEW
from tests.support.power_outside import ADMITTED, FILE, REFUSED, Outside
from tests.support.witnesses import InProcess
from tests.support.world import ROLES, RecordingKey, World, explained
from tiles.records.head import parse_head
from tiles.records.paths import ANCHOR, HEAD, PENDING
from tiles.retry import Clock
from tiles.signing.anchor import parse_anchor
from tiles.signing.signer import Signer
from tiles.store.directory import DirectoryStore
from tiles.upkeep.gc import gc
from tiles.write.cosign import Witnessing
from tiles.write.lost_head import HeadRebuilder
from tiles.write.parts import Parts

# append these entries, or …
Action = (
    list[bytes]
    | Literal[
        "create",
        "finish",
        "gc",
        "submit",
        "submit too much",
        "submit a file",
        "sequence",
        "repair",
        "rebuild",
        "admit",
        "withhold",
        "endorse",
        "add_key",
        "retire_key",
        "fail open",
        "refresh",
    ]
)


SUBMITS = {"submit": ADMITTED, "submit too much": REFUSED, "submit a file": FILE}


@dataclass(frozen=True)
class System:
    """Where the three stores are, and what the system can do."""

    name: str
    roots: tuple[str, str, str]
    mounts: tuple[str, ...]
    is_old: bool = False  # it has neither syncfs nor renameat2

    def __str__(self) -> str:
        return self.name


APART = ("/one/log", "/two/deep/log.private", "/three/key.anchor"), ("/one", "/two", "/three")
TOGETHER = ("/disk/log", "/disk/log.private", "/disk/key.anchor"), ("/disk",)
SYSTEMS = (
    System("apart", *APART),
    System("together", *TOGETHER),
    System("apart-old", *APART, is_old=True),
    System("together-old", *TOGETHER, is_old=True),
)


@dataclass(frozen=True)
class Site:
    """A place in the code where a sync is asked for: the n-th of its kind in a function."""

    file: str
    lines: range
    function: str
    call: str
    n: int

    def __str__(self) -> str:
        return f"{Path(self.file).name} {self.function} {self.call} {self.n}"

    def is_on_the_way(self) -> bool:
        """Whether the code is there at this moment."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self.file and frame.f_lineno in self.lines:
                return True
            frame = frame.f_back
        return False


@dataclass(frozen=True)
class Several:
    """Some sites at a time."""

    sites: tuple[Site, ...]

    def is_on_the_way(self) -> bool:
        """Whether the code is at any of them at this moment."""
        return any(site.is_on_the_way() for site in self.sites)


LeftOut = Site | Several | None


class Machine:
    """A machine with a log on it. If it `records`, every sync that it makes is a moment at which the power may be cut.

    world      what is known of the log outside, which no cut takes away; its stores are the last process's
    outside    what else is known there
    left_out   the sync that is not made
    owed       what it would have made to last
    moments    when the power may be cut
    """

    def __init__(
        self, system: System, left_out: LeftOut = None, disk: Disk | None = None, *, records: bool = True
    ) -> None:
        self.system = system
        self._records = records
        self.left_out = left_out
        self.disk = disk or Disk(system.mounts)
        self.world = World(others=(NEW,))
        self.outside = Outside()
        self.owed: Owed = NOTHING
        self.moments: list[Moment] = []

    def boot(self, **process: Any) -> Process:
        """Start a process; the stores are its from now on. process: as `Process` takes it."""
        self.world.writers += 1
        started = Process(
            self.disk,
            self.world.writers,
            is_old=self.system.is_old,
            renamed=self._renamed,
            before_sync=self._before_sync if self._records else None,
            **process,
        )
        for role, root in zip(ROLES, self.system.roots, strict=True):
            self.world.stores[role] = DirectoryStore(Path(root), started)
        return started

    def act(self, *actions: Action, **process: Any) -> Process:
        """Let a new process do something, and take down what it is answered. Raises Died if it dies."""
        started = self.boot(**process)
        world = self.world
        private, key = world.stores["private"], self.outside.keys.held(world)
        writer = world.sequencer(admission=self.outside.admission, key=key)
        for action in actions:
            if isinstance(action, list):
                world.acknowledged.append((writer.append(action).first_index, action))
            elif action == "create":
                writer.create()
            elif action == "finish":
                writer.finish()
            elif action in SUBMITS:
                self.outside.submit(private, SUBMITS[action])
            elif action == "sequence":
                done = writer.sequence()
                logged = [entry for name in done.took for entry in self.outside.offered[name]]
                world.acknowledged.append((done.first_index, logged))
            elif action in ("repair", "admit", "withhold", "endorse", "add_key", "retire_key"):
                getattr(self.outside, action)(world)
            elif action == "rebuild":
                self._rebuild()
            elif action in ("fail open", "refresh"):
                open_or_refresh(world, action)
            else:
                gc(
                    world.stores["public"],
                    world.stores["private"],
                    now=world.now,
                    grace=0.0,
                    keep_refusals=2 * world.now,
                )
        return started

    def _rebuild(self) -> None:
        world = self.world
        public, private, anchor = (world.stores[role] for role in ROLES)
        clock = Clock(lambda: world.now, world.pass_time, random.Random(world.writers))
        how = Witnessing(ways=InProcess(world.witnesses))
        signer = Signer(self.outside.keys.held(world), anchor)
        HeadRebuilder(Parts(public, private), signer, clock, how).rebuild(world.policy, self.outside.admission)

    def look(self) -> int:
        """Look at the log as its readers may at any moment, and return its size."""
        world = self.world
        self.boot()
        public = world.stores["public"]
        for path, data in world.history.contents.items():
            if path not in self.outside.wrong:
                found = read_or_none(public, path)
                assert found in (None, data), f"{path} had another content before: {data!r}, now {found!r}"
        self.outside.check_repair(world)
        if self.outside.is_damaged:
            return 0
        found = published(public, world.verifiers)
        self.outside.keys.take_back(world)
        self.outside.check_submissions(world)
        self.outside.check_changes(world)
        check_pending(world)
        return len(found[1]) if found else 0

    def lose_private_part(self) -> None:
        """Let the whole private part be gone; that lasts, and so does all else that is there."""
        self.boot()
        private = self.world.stores["private"]
        private.delete([listed.path for listed in private.list("")])
        self.disk.sync(list(self.disk.changes), set(self.disk.unsynced))

    def damage(self) -> None:
        """Make some of the log wrong behind everyone's back; it lasts, and so does all that is there."""
        self.boot()
        self.outside.damage(self.world)
        self.disk.sync(list(self.disk.changes), set(self.disk.unsynced))

    def check(self) -> None:
        """Audit the log, which a run has just left complete. How often each entry is there is not looked at."""
        _put_back(self.world)
        self.outside.take_back(self.world)
        self.world.check(orphans=True, repeated=set(self.world.committed() or ()))

    def cut(self) -> None:
        """Let the power be cut at this moment."""
        self.moments.append(Moment(self))

    def copy(self, left_out: LeftOut = None) -> Machine:
        """Return an equal machine that goes on by itself; the power has not been cut on it."""
        other = Machine(self.system, left_out, self.disk.copy())
        other.world, other.outside = known(self.world)(), self.outside.copy()
        return other

    def _renamed(self, path: str) -> None:
        if path == f"{self.system.roots[0]}/checkpoint":
            self.world.history.wrote(self.world.stores["public"], ["checkpoint"])
        if path == f"{self.system.roots[0]}/{PENDING}":
            visited(self.world)

    def _before_sync(self, changes: Sequence[Change], contents: set[int]) -> bool:
        if self.left_out is not None and self.left_out.is_on_the_way():
            self.owed |= {*changes, *contents}
            return False
        self.cut()
        return True


class Moment:
    """A moment at which the power may be cut. owed: what would last if a sync had not been left out."""

    def __init__(self, machine: Machine) -> None:
        self.cut = Cut(machine.disk)
        self.owed = machine.owed.intersection([*machine.disk.changes, *machine.disk.unsynced])
        self._system = machine.system
        self._known, self._outside = known(machine.world), machine.outside.copy()

    def after(self, state: State, *, records: bool = True) -> Machine:
        """Return the machine as it is when the power is back."""
        machine = Machine(self._system, disk=state.disk.copy(), records=records)
        machine.world, machine.outside = self._known(), self._outside.copy()
        for each in machine.world.witnesses.values():
            each.lie = None  # those that were away are back
        return machine

    def judge(self, state: State, then: Action) -> None:
        """Hold a state that the cut left, and what the next run makes of it, against the promises."""
        with explained(lambda: f"{state}\nthen {then}"):
            machine = self.after(state, records=False)
            world = machine.world
            size = machine.look()
            if machine.outside.is_damaged:
                machine.act("repair")
                size = machine.look()
            _check_records(world)
            before = world.committed()
            if before is None:
                machine.act("rebuild" if size else "create")
                before = world.committed() if size else None
            check_cosigned(world, before or ())
            unpublished = list((before or ())[size:])
            machine.act(then)
            grown = (before or ()) + (tuple(then) if isinstance(then, list) and then != unpublished else ())
            after = world.committed() or ()
            assert after == grown or (then == "sequence" and after[: len(grown)] == grown)
            machine.outside.check_repair(world)
            machine.outside.keys.check(world, complete=True)
            machine.outside.check_submissions(world, complete=then == "sequence")
            machine.check()


def known(world: World) -> Callable[[], World]:
    """Return what makes a world that knows as much as this one does now, and has no stores."""
    history, key, writers = world.history.copy(), world.key, world.writers
    texts, acknowledged, witnesses = list(key.texts), list(world.acknowledged), world.copies(world.witnesses)

    policy, refreshed = world.policy, world.refreshed

    def make() -> World:
        other = World(key=RecordingKey(key.verifier, key.seed, list(texts)), others=(NEW,))
        other.history, other.acknowledged, other.writers = history.copy(), list(acknowledged), writers
        other.policy, other.witnesses, other.refreshed = policy, other.copies(witnesses), refreshed
        return other

    return make


def _check_records(world: World) -> None:
    """The head is whole, and the signer's memory covers every text ever signed."""
    head, anchor = read_or_none(world.stores["private"], HEAD), read_or_none(world.stores["anchor"], ANCHOR)
    assert head is None or parse_head(head)
    signed = max((read_text(text).size for text in world.key.texts), default=-1)
    remembered = -1 if anchor is None else parse_anchor(anchor).tree.size
    assert signed <= remembered, f"a text of size {signed} was signed, the anchor remembers {remembered}"


def judge_all(machine: Machine, most: int, rng: random.Random, then: Iterable[Action]) -> int:
    """Judge the states that a cut at any moment may leave, each once; return how many times. most: as in `Cut.states`.

    From the last moment to the first: what was promised by then is only less.
    """
    seen = set()
    count = 0
    for moment in reversed(machine.moments):
        if moment.owed or machine.left_out is None:
            for state in moment.cut.states(most, rng, moment.owed):
                if (signature := state.disk.signature()) not in seen:
                    seen.add(signature)
                    for action in then:
                        moment.judge(state, action)
                        count += 1
    return count


def _put_back(world: World) -> None:
    """Put back the partial tiles that gc has deleted, and may: `check_log` looks for all that ever was."""
    public = world.stores["public"]
    for path, data in world.history.contents.items():
        if ".p/" in path and read_or_none(public, path) is None and read_or_none(public, path.split(".p/")[0]):
            public.create({path: data})


# ---- the syncs that the code makes

_PACKAGE = Path(tiles.__file__).parent
_STORE = ("posix.py", "folders.py", "directory_root.py", "temporary.py", "directory_creating.py", "directory.py")
_SYNCS = {
    *("fsync", "syncfs", "sync_directory", "barrier", "sync_all", "make_lasting"),
    *("_sync_name", "sync_seen", "_make_last"),
}
_THE_CALLS = {"fsync", "syncfs", "_answers_syncfs"}  # of Posix: the system calls themselves


def sites() -> Iterator[Site]:
    """Yield every place in the code where a sync is asked for."""
    store = _PACKAGE / "store"
    index = _PACKAGE / "index"  # no run of these machines builds one: tests/index/test_build.py
    mirror = {*(_PACKAGE / "watch").glob("mirror*.py")}  # nor mirrors a log: tests/watch/test_mirror_lasting.py
    users = [
        file for file in sorted(_PACKAGE.rglob("*.py")) if not {store, index} & {*file.parents} and file not in mirror
    ]
    for file in [*(store / name for name in _STORE), *(file for file in users if ".barrier()" in file.read_text())]:
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and function.name not in _THE_CALLS:
                numbers = Counter[str]()
                calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _is_sync(node)]
                for call in sorted(calls, key=lambda call: call.lineno):
                    lines = range(call.lineno, (call.end_lineno or call.lineno) + 1)
                    text = ast.unparse(call.func)
                    yield Site(str(file), lines, function.name, text, numbers[text])
                    numbers[text] += 1


def _is_sync(call: ast.Call) -> bool:
    if any(keyword.arg == "sync" for keyword in call.keywords):
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr in _SYNCS
