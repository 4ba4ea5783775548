"""The directory store's system calls, recorded or failing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tiles.store.posix import Posix

_ON_DESCRIPTORS = ("write", "read", "seek", "fstat", "fchmod", "close", "fsync", "syncfs", "names", "flock", "fdinfo")
CALLS = (
    *("open_root", "open_new", "open_read", "open_directory", "open_passage", "lstat", "mkdir", "rename", "rename_new"),
    *("link", "unlink", "realpath", "mountinfo", *_ON_DESCRIPTORS),
)


class Traced(Posix):
    """Passes every call through `called`."""

    def __init__(self, *, syncfs: bool = True, renameat2: bool = True) -> None:
        super().__init__()
        self.has_syncfs, self.has_renameat2 = syncfs, renameat2
        for name in CALLS:
            setattr(self, name, self._traced(name, getattr(self, name)))

    def _traced(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        return lambda *given: self.called(name, call, given)

    def called(self, name: str, call: Callable[..., object], given: tuple[object, ...]) -> object:  # noqa: ARG002
        """Make a call, or not."""
        return call(*given)


class Recorder(Traced):
    """Notes each call, with the path behind a descriptor, relative to the store."""

    def __init__(self, root: Path, **system: bool) -> None:
        super().__init__(**system)
        self.root = root
        self.open: dict[object, str] = {}
        self.calls: list[tuple[str, ...]] = []

    def called(self, name: str, call: Callable[..., object], given: tuple[object, ...]) -> object:
        about = self._about(name, given)
        self.calls.append((name, *(os.path.relpath(one, self.root) for one in about)))
        result = call(*given)
        if name.startswith("open"):
            self.open[result] = about[-1]
        return result

    def _about(self, name: str, given: tuple[object, ...]) -> list[str]:
        """Return the paths that a call is about: a descriptor, or one and the name after it, stand for one."""
        if name in ("open_root", "realpath"):
            return [str(given[0])]
        if name in _ON_DESCRIPTORS:
            return [self.open.get(given[0], str(self.root))]
        pairs = zip(given[::2], given[1::2], strict=False)
        return [os.path.normpath(f"{self.open[at]}/{name}") for at, name in pairs if isinstance(name, str)]

    def only(self, *names: str) -> list[tuple[str, ...]]:
        """Return the calls of these names, and forget all."""
        calls = [call for call in self.calls if call[0] in names]
        self.calls.clear()
        return calls


class Faulty(Traced):
    """Lets the n-th call fail: before it does anything, or after it did it. Syncs do nothing, to be quick."""

    def __init__(self, n: int, code: int, *, after: bool, **system: bool) -> None:
        super().__init__(**system)
        self.left, self.code, self.after = n, code, after
        self.failed = ""

    def fsync(self, _: int) -> None:
        pass

    syncfs = fsync

    def called(self, name: str, call: Callable[..., object], given: tuple[object, ...]) -> object:
        self.left -= 1
        if self.left != 0:
            return call(*given)
        if self.after or name == "close":  # a descriptor is gone whatever close says
            result = call(*given)
            if name.startswith("open"):
                assert isinstance(result, int)
                os.close(result)
        self.failed = name
        raise OSError(self.code, os.strerror(self.code), *given[:1])


def temps(root: Path) -> list[str]:
    """Return the names of the temporary files."""
    return sorted(path.name for path in (root / ".tmp").iterdir()) if (root / ".tmp").exists() else []


def content(root: Path, path: str) -> bytes | None:
    """Return the content of a file, or None."""
    return (root / path).read_bytes() if (root / path).exists() else None
