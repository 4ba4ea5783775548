"""Folders that are made once in a process of tests, and written again for each test: making them takes far longer."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Template:
    """What a folder had in it.

    folders   names and permissions, each after the folder that it is in
    files     names, permissions, and what stood between the names of the place: a copy names its own place
    """

    folders: list[tuple[str, int]]
    files: list[tuple[str, int, list[bytes]]]

    @classmethod
    def of(cls, directory: Path) -> Template:
        """Read a folder, which has folders and regular files only."""
        folders, files = [], []
        for path in sorted(directory.rglob("*")):
            mode, name = path.lstat().st_mode, path.relative_to(directory).as_posix()
            if stat.S_ISDIR(mode):
                folders.append((name, stat.S_IMODE(mode)))
            else:
                assert stat.S_ISREG(mode), path
                files.append((name, stat.S_IMODE(mode), path.read_bytes().split(os.fsencode(directory))))
        return cls(folders, files)

    def write(self, directory: Path) -> None:
        """Write a copy into a folder that has nothing of the same name, under the umask of the first one."""
        place = os.fsencode(directory)
        for name, mode in self.folders:
            os.mkdir(f"{directory}/{name}", mode)  # noqa: PTH102  a copy has a hundred files, and pathlib is slower
        for name, mode, parts in self.files:
            file = os.open(f"{directory}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                os.write(file, place.join(parts))
            finally:
                os.close(file)
