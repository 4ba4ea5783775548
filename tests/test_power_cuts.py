"""Power cuts: runs over three directory stores are recorded, and every state that a cut may leave is written to again.

In each state the checkpoint is not ahead of its tiles and the signer's memory covers every text ever signed; the next
run succeeds, and `check_log` audits what it leaves. The counter-test leaves out one sync at a time, wherever the code
makes one, and must find a state in which that does not hold. On failure the state is in the error's note.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from power_cut import NOTHING, Change, Cut, Disk, Owed, Process
from tiles.store.directory import DirectoryStore
from tiles.upkeep import gc
from world import ROLES, World, some_entries

Action = list[bytes] | Literal["create", "finish", "gc"]  # append these entries, or …

OURS = some_entries("ours", 10)
OTHERS = some_entries("other", 4)
BASES = (0, 3, 250, 256)  # OURS fits, fits, crosses the end of a bundle, begins a bundle
NEXT: dict[str, Action] = {"same": OURS, "other": OTHERS, "nothing": "finish"}
TILES = Path(sys.modules[DirectoryStore.__module__].__file__ or "").parents[1]


@dataclass(frozen=True)
class System:
    """Where the three stores are, and what the system can do."""

    name: str
    roots: tuple[str, str, str]
    mounts: tuple[str, ...] = ()
    syncfs: bool = True
    renameat2: bool = True

    def __str__(self) -> str:
        return self.name


APART = ("/one/log", "/two/deep/log.private", "/three/key.anchor")
TOGETHER = ("/disk/log", "/disk/log.private", "/disk/key.anchor")
SYSTEMS = (
    System("apart", APART, ("/one", "/two", "/three")),
    System("together", TOGETHER, ("/disk",)),
    System("apart, old", APART, ("/one", "/two", "/three"), syncfs=False, renameat2=False),
    System("together, old", TOGETHER, ("/disk",), syncfs=False, renameat2=False),
)


class Machine:
    """A machine with a log on it.

    world      what is known of the log from outside, which no cut takes away
    left_out   the sync that is left out, if any
    cuts       the moments at which the power may be cut
    """

    def __init__(self, system: System, disk: Disk | None = None, left_out: Site | None = None) -> None:
        self.system = system
        self.disk = disk or Disk(system.mounts)
        self.world = World()
        self.left_out = left_out
        self.owed: Owed = NOTHING
        self.cuts: list[Moment] = []

    def boot(self, lives: int | None = None, *, broken: str = "") -> Process:
        """Start a new process: `world` writes through its stores.

        lives    how many calls it makes before it dies
        broken   the first sync after a rename to a path that ends like this fails
        """
        self.world.writers += 1
        process = (Broken if broken else Process)(
            self.disk,
            self.world.writers,
            syncfs=self.system.syncfs,
            renameat2=self.system.renameat2,
            lives=lives,
            before_sync=self._before_sync,
        )
        if isinstance(process, Broken):
            process.broken = broken
        for role, root in zip(ROLES, self.system.roots, strict=True):
            self.world.stores[role] = DirectoryStore(Path(root), process)
        return process

    def run(self, action: Action, lives: int | None = None, *, broken: str = "") -> Process:
        """Let a new process do something, and take down what it was answered. Raises Died if it dies."""
        process = self.boot(lives, broken=broken)
        self.act(action)
        return process

    def act(self, action: Action) -> None:
        """Do something more by the same process."""
        world = self.world
        if isinstance(action, list):
            world.append(action)
        elif action == "create":
            world.sequencer().create()
        elif action == "finish":
            world.sequencer().finish()
        else:
            gc(world.stores["public"], world.stores["private"], now=world.now, grace=0.0)

    def cut(self) -> Moment:
        """Return this moment."""
        world = self.world
        return Moment(
            Cut(self.disk),
            self.system,
            self.owed & {*self.disk.changes, *self.disk.unsynced},
            list(world.key.texts),
            list(world.acknowledged),
            World(),
            world.writers,
        )

    def _before_sync(self, _: Process, changes: Sequence[Change], contents: set[int]) -> bool:
        if self.left_out is not None and self.left_out.is_on_the_way():
            self.owed |= {*changes, *contents}
            return False
        self.cuts.append(self.cut())
        return True
