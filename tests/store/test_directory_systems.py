"""The directory store on older systems, and where system calls are interrupted or cut short."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.traced_posix import Recorder, temps
from tiles.errors import AccessError
from tiles.store import Differs
from tiles.store.directory import DirectoryStore
from tiles.store.posix import Posix


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL])
def test_without_renameat2(root: Path, code: int) -> None:
    """Where a rename cannot spare what is there, names are given by link; this is found out once."""
    asked = []

    class Old(Recorder):
        def rename_new(self, _: int, old: str, __: int, new: str) -> None:
            asked.append((old, new))
            raise OSError(code, os.strerror(code), new)

    posix = Old(root)
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    store.create({"c": b"3"})
    assert len(asked) == 1
    assert [call[2] for call in posix.only("link")] == ["a", "b", "c"]
    with pytest.raises(Differs):
        store.create({"a": b"x", "d": b"4"})
    assert [store.read(path).data for path in "abcd"] == [b"1", b"2", b"3", b"4"]
    assert temps(root) == []


def test_an_error_of_renameat2_is_an_error(root: Path) -> None:
    """Other errors of the rename do not make it fall back."""

    class Full(Posix):
        def rename_new(self, _: int, __: str, ___: int, new: str) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), new)

    posix = Full()
    with pytest.raises(AccessError, match="No space left on device") as caught:
        DirectoryStore(root, posix).create({"a": b"1"})
    assert posix.has_renameat2
    assert "make room" in caught.value.hint


def test_functions_that_libc_lacks(root: Path) -> None:
    """A C library that has neither function is an older system, not an error."""
    posix = Posix()
    posix._renameat2 = posix._syncfs = None
    assert not posix._answers_syncfs()
    posix.has_syncfs = False
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    assert not posix.has_renameat2
    assert store.read("b").data == b"2"


def test_interrupted_calls_are_repeated(root: Path) -> None:
    """A signal that interrupts syncfs or renameat2 does not fail the call."""
    posix = Posix()
    if not posix.has_syncfs:
        pytest.skip("NOT TESTED: no syncfs here")
    interrupted = []

    def once(name: str, call: Callable[..., int]) -> Callable[..., int]:
        def interrupt(*given: object) -> int:
            if name in interrupted:
                return call(*given)
            interrupted.append(name)
            ctypes.set_errno(errno.EINTR)
            return -1

        return interrupt

    posix._syncfs = once("syncfs", posix._syncfs)
    posix._renameat2 = once("renameat2", posix._renameat2)
    store = DirectoryStore(root, posix)
    store.create({"a": b"1", "b": b"2"})
    assert interrupted == ["syncfs", "renameat2"]
    assert (store.read("a").data, store.read("b").data) == (b"1", b"2")


def test_short_writes_and_reads(root: Path) -> None:
    """Calls that do only part of the work are called again."""

    class Short(Posix):
        def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
            return super().write(fd, data[:3])

        def read(self, fd: int, size: int) -> bytes:
            return super().read(fd, min(size, 2))

    store = DirectoryStore(root, Short())
    store.create({"a": b"0123456789", "b": b""})
    store.swap("head", b"abcdefg", None)
    store.swap("head", b"hijklmn", store.read("head").version)
    store.create({"a": b"0123456789"})
    assert [store.read(path).data for path in ("a", "b", "head")] == [b"0123456789", b"", b"hijklmn"]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_contents_of_any_kind(root: Path, kind: Callable[[bytes], bytes]) -> None:
    """Contents need not be copied into bytes; those that are evidence are."""
    store = DirectoryStore(root)
    store.create({"a": kind(b"12345")})
    store.create({"a": kind(b"12345"), "b": kind(b"")})
    with pytest.raises(Differs) as caught:
        store.create({"a": kind(b"x")})
    assert caught.value.ours == b"x"
    assert isinstance(caught.value.ours, bytes)
    assert store.swap("head", kind(b"1"), None) == store.read("head").version
