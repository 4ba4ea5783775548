"""The disk in memory that power cuts are tried on."""

from __future__ import annotations

from pathlib import Path

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

    def ask(posix: Posix, root: str, call: str, given: list[str]) -> object:
        places = [f"{root}{path}" for path in given]
        try:
            if call == "write_file":
                return posix.write_file(*places, b"content", sync=True)
            if call == "read_file":
                return posix.read_file(*places)[0]
            if call == "names":
                return sorted(posix.names(*places))
            if call == "sync_directory":
                return posix.sync_directory(*places)
            return getattr(posix, call)(*places)
        except OSError as error:
            return error.errno

    calls = ["write_file", "read_file", "names", "sync_directory", "mkdir", "unlink", "rename", "rename_new", "link"]
    with explained(lambda: "\n".join(asked)):
        for _ in range(3000):
            call = rng.choice(calls)
            given = rng.sample(paths, 2 if call in ("rename", "rename_new", "link") else 1)
            if len(given) == 2 and (tmp_path / given[0][1:]).is_dir():
                continue  # the store moves no directories
            answers = [ask(real, str(tmp_path), call, given), ask(ours, "", call, given)]
            asked.append(f"{call} {given}: {answers[0]}")
            assert answers[0] == answers[1]
