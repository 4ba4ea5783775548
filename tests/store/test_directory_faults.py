"""The directory store when system calls fail: every one of them, in every operation."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.sampling import quickly
from tests.support.traced_posix import Faulty, content, temps
from tiles.errors import AccessError, Conflict, OutcomeUnknown
from tiles.store.directory import DirectoryStore

OLD = {"head": b"old", "a/same": b"same"}
OPERATIONS: dict[str, tuple[Callable[[DirectoryStore], object], dict[str, bytes]]] = {
    "create many": (lambda store: store.create({"a/1": b"new" * 999, "b/2": b"new", "3": b""}), {}),
    "create one": (lambda store: store.create({"a/b/1": b"new" * 999}), {}),
    "create again": (lambda store: store.create({"a/same": b"same", "a/other": b"new"}), {}),
    "swap": (lambda store: store.swap("head", b"new", store.read("head").version), {"head": b"new"}),
    "swap new": (lambda store: store.swap("new", b"new", None), {"new": b"new"}),
    "swap below": (lambda store: store.swap("a/c/head", b"new", None), {"a/c/head": b"new"}),
    "delete": (lambda store: store.delete(["head", "a/never"]), {}),
    "barrier": (lambda store: store.barrier(), {}),
    "list": (lambda store: list(store.list("")), {}),
    "temps": (lambda store: store.delete_temps(store.stale_temps(1e12)), {}),
}


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Path]:
    """Where thousands of stores may be made: in memory where that is to be had, as nothing here is about the disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


def descriptors(ground: Path) -> int:
    """Return how many descriptors are open below a place; others come and go with threads of other tests."""
    found = 0
    for each in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        with suppress(OSError):  # closed meanwhile
            found += each.readlink().is_relative_to(ground)
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("system", [{}, {"syncfs": False, "renameat2": False}], ids=["", "old system"])
@pytest.mark.parametrize(
    ("code", "after"),
    quickly(
        [(errno.ENOSPC, False), (errno.EACCES, False), (errno.EIO, False), (errno.EIO, True)],
        [(errno.ENOSPC, False), (errno.EIO, True)],
    ),
    ids=["full", "forbidden", "broken", "done and broken"],
)
def test_every_call_may_fail(ground: Path, operation: str, after: bool, system: dict[str, bool], code: int) -> None:
    """Whichever call fails: an AccessError, each object old or new, nothing left behind, and the next time it works."""
    run, swapped = OPERATIONS[operation]
    n, reached = 0, True
    while reached:
        n += 1
        root = ground / str(n)
        for path, data in OLD.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        posix = Faulty(n, code, after=after, **system)
        before = descriptors(ground)
        error = None
        try:
            run(DirectoryStore(root, posix))
        except AccessError as e:
            error = e
        assert descriptors(ground) == before, posix.failed
        reached = posix.left <= 0
        # a folder that may not be looked into may still be passed through
        passed = ["open_root", "open_directory"] if code == errno.EACCES else []
        assert error is not None or posix.failed in ["", "unlink", "fdinfo", "mountinfo", *passed]

        everything = {"a/1": b"new" * 999, "b/2": b"new", "3": b"", "a/b/1": b"new" * 999, "a/other": b"new"}
        for path, new in (everything | {"new": b"new", "a/c/head": b"new"}).items():
            assert content(root, path) in (None, new), posix.failed
        assert content(root, "head") in (b"old", swapped.get("head", b"old"), *[None] * (operation == "delete"))
        assert content(root, "a/same") == b"same"
        assert posix.failed == "unlink" or temps(root) == [], posix.failed
        if error is not None and not isinstance(error, OutcomeUnknown):
            assert all(content(root, path) == OLD.get(path) for path in swapped), posix.failed

        store = DirectoryStore(root, Faulty(0, 0, after=False))
        with suppress(Conflict if swapped else ()):
            run(store)
        assert all(content(root, path) == new for path, new in swapped.items())
        store.delete_temps(store.stale_temps(1e12))
        assert temps(root) == []
    assert n > 1
