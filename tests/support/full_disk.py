"""A program that fills up a small file system under a log, and says what `tiletree add` makes of that.

To be run where it may mount (`unshare --mount`): `full_disk.py FOLDER PART KIND`. PART is what is on the small file
system: `public`, `private`, `anchor` or `all`; KIND is what runs out: `blocks` or `files`. One JSON document for each
amount that is free, from 0 on, until `add` succeeds; see `Trial`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.real_log import Answer, RealLog
from tests.support.world import some_entries

SIZE = 4 << 20  # bytes of the small file system
FILES = 400
BASE = some_entries("base", 250)
ENTRIES = [entry * 120 for entry in some_entries("entry", 10)]  # more than a page in the batch, and in its bundle


@dataclass
class Trial:
    """One trial.

    free        blocks or files that were free
    first       what `add` said on the full disk
    committed   entries that were committed then
    again       what it said when it was run once more there
    finished    what the run said that was made when there was room again, with nothing to add
    entries     how many there were after ENTRIES were added again, if the first run had not committed them
    problem     what was wrong then
    """

    free: int
    first: Answer
    committed: int
    again: Answer
    finished: Answer
    entries: int
    problem: str


class SmallDisk:
    """A mounted file system, on which the parts of a log are, by symbolic links."""

    def __init__(self, path: Path, part: str, kind: str) -> None:
        self.path = path
        self._ballast = path / "ballast"
        self._kind = kind
        self._parts = ("public", "private", "anchor") if part == "all" else (part,)
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes={FILES}", "tmpfs", str(path)], check=True)

    def settle(self, log: RealLog) -> None:
        """Put the parts of a log on the small file system, in the place of those of another one."""
        for old in self.path.iterdir():
            if old.is_symlink():
                old.unlink()
            else:
                shutil.rmtree(old)
        (anchor,) = (log.folder / "config").rglob("*.anchor")
        places = {"public": log.path, "private": log.path.with_name("log.private"), "anchor": anchor}
        names = {"public": "log", "private": "log.private", "anchor": "anchor"}
        for part in self._parts:
            shutil.move(places[part], self.path / names[part])
            places[part].symlink_to(self.path / names[part])
        if "public" in self._parts and "private" not in self._parts:
            # the private part of a log that is named by a link is beside what the link leads to
            (self.path / names["private"]).symlink_to(places["private"])

    def fill(self, free: int) -> None:
        """Leave so much free."""
        self._ballast.mkdir()
        if self._kind == "files":
            while os.statvfs(self.path).f_ffree > free:
                (self._ballast / str(os.statvfs(self.path).f_ffree)).touch()
            return
        with (self._ballast / "file").open("wb") as file:
            status = os.statvfs(self.path)
            os.posix_fallocate(file.fileno(), 0, (status.f_bavail - free) * status.f_frsize)
        assert os.statvfs(self.path).f_bavail == free

    def make_room(self) -> None:
        """Free what was filled."""
        shutil.rmtree(self._ballast)


def trial(disk: SmallDisk, base: RealLog, free: int) -> Trial:
    """Add ENTRIES while so much is free, and then with enough room."""
    log = base.copy(base.folder.with_name("run"))
    disk.settle(log)
    arguments = "add", str(log.path), "--lines", log.file(ENTRIES), "--json"
    nothing = "add", str(log.path), "--lines", log.file([])
    disk.fill(free)
    try:
        first = log.inside(*arguments)
        committed = len(log.committed())
        log.let_time_pass()
        again = log.inside(*nothing)
        disk.make_room()
        finished = log.inside(*nothing)
        if first.code == 0 or committed > len(BASE):
            start = first.document["ranges"][0]["first_index"]
            log.acknowledged += [(start + number, entry) for number, entry in enumerate(ENTRIES)]
        else:
            log.add(ENTRIES)
        return Trial(free, first, committed, again, finished, len(log.check()), "")
    except Exception:  # noqa: BLE001  to be seen by the test
        return Trial(free, first, committed, again, finished, 0, traceback.format_exc())


def trials(folder: Path, part: str, kind: str) -> Iterator[Trial]:
    """Yield trials until one succeeds at once."""
    base = RealLog(folder / "base").create()
    base.add(BASE)
    disk = SmallDisk(folder / "small", part, kind)
    for free in range(SIZE):
        done = trial(disk, base, free)
        yield done
        if done.first.code == 0:
            return


if __name__ == "__main__":
    for done in trials(Path(sys.argv[1]), *sys.argv[2:]):
        print(json.dumps(asdict(done)), flush=True)
