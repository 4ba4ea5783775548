"""The disk in memory that power cuts are tried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.disk import Disk
from tests.support.disk_posix import Process
from tests.support.reference import printed_random
from tests.support.world import explained
from tiles.store.posix import Posix


def test_the_disk_is_like_a_real_one(tmp_path: Path) -> None:
    """Random calls get the same answers and the same errors from the disk in memory as from a real file system."""
    rng = printed_random()
    real, ours = Posix(), Process(Disk())
    paths = ["/" + "/".join(rng.choices("ab", k=rng.randint(1, 3))) for _ in range(12)]
    asked: list[str] = []

    roots = real.open_root(str(tmp_path)), ours.open_root("/")
    calls = ["write_file", "read_file", "names", "fsync", "mkdir", "unlink", "rename", "rename_new", "link"]
    with explained(lambda: "\n".join(asked)):
        for _ in range(3000):
            call = rng.choice(calls)
            given = rng.sample(paths, 2 if call in ("rename", "rename_new", "link") else 1)
            if len(given) == 2 and (tmp_path / given[0][1:]).is_dir():
                continue  # the store moves no directories
            answers = [_answer(posix, root, call, given) for posix, root in zip((real, ours), roots, strict=True)]
            asked.append(f"{call} {given}: {answers[0]}")
            assert answers[0] == answers[1]
    real.close(roots[0])


def _answer(posix: Posix, root: int, call: str, given: list[str]) -> object:
    """Return what a call on paths below an open folder says: its value, or the number of its error."""
    opened = []
    try:
        places: list[Any] = []
        for path in given:
            at = root
            *folders, name = path[1:].split("/")
            for folder in folders:
                at = posix.open_directory(at, folder)
                opened.append(at)
            places += (at, name)
        if call == "read_file":
            return posix.read_file(*places)[0]
        if call in ("names", "fsync"):
            opened.append(posix.open_directory(*places))
            answer = getattr(posix, call)(opened[-1])
            return sorted(answer) if call == "names" else answer
        more: dict[str, Any] = {"write_file": {"data": b"content", "sync": True}, "mkdir": {"mode": 0o777}}
        return getattr(posix, call)(*places, **more.get(call, {}))
    except OSError as error:
        return error.errno
    finally:
        for fd in opened:
            posix.close(fd)
