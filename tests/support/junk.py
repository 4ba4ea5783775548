"""What somebody who may create objects in the inbox, and nothing else, can put there: junk of many kinds."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.support.faults import Passing
from tiles.errors import AccessError, Denied, NotFound, Refused
from tiles.inbox.submission import Name, format_submission
from tiles.records.staged_batch import digest
from tiles.store import Listed, Object, Store, Unlistable

Objects = dict[str, bytes]  # name below `inbox/` → content

ZEROS, NONCE = "0" * 64, "e" * 32
HEADER = b"tiletree-submission/v1\nentries %d\n\n"


def well_named(*contents: bytes, submitter: str = "eve") -> Objects:
    """Return objects whose names fit their contents."""
    return {Name(submitter, f"{number:032x}", digest(data)).text: data for number, data in enumerate(contents)}


def named(*names: str) -> Objects:
    """Return objects of these names."""
    return dict.fromkeys(names, b"junk")


def odd_names() -> dict[str, Objects]:
    """Names that no submission has."""
    return {
        "a space": named("eve/a b", "eve/ ", "eve/x "),
        "letters beyond ASCII": named("eve/ä", "eve/a\u0308", "eve/日本"),
        "a line break": named("eve/a\nb", "eve/a\r\nb"),
        "a tab": named("eve/a\tb"),
        "an escape sequence": named("eve/a\x1b[2Jb"),
        "a delete character": named("eve/a\x7fb", "eve/\x9b"),
        "text from right to left": named("eve/\u202eb"),
        "signs of four bytes": named("eve/\U0001f333"),
        "very long": named(f"eve/{'x' * 250}/{'y' * 250}/{'z' * 250}"),
        "in no folder": named("x", "zz z"),
        "in a folder of a folder": named("eve/a/b", "eve/b/c/d"),
        "200 folders deep": named(f"eve/{'d/' * 200}x"),
        "hidden": named("eve/.hidden", ".eve/x"),
        "called as batches call what is odd": named(
            f".odd/{ZEROS}", f"eve/.odd/{ZEROS}", f"eve/.odd/{digest(b'eve/x')}"
        ),
        "an upper-case digest": named(f"eve/{NONCE}-{'A' * 64}"),
        "a short nonce": named(f"eve/0-{ZEROS}"),
        "a submitter in capitals": named(f"EVE/{NONCE}-{ZEROS}"),
        "a submitter with a long name": named(f"{'e' * 65}/{NONCE}-{ZEROS}"),
        "percent signs": named("eve/%2e%2e", "eve/%2F", "eve/%00"),
        "backslashes": named("eve/..\\..\\x", "eve\\x"),
        "a dash first": named("eve/-rf", "-rf/x"),
        "markup": named("eve/<script>alert(1)<script>", "eve/'\"&"),
        "below a name of a submission": named(f"eve/{NONCE}-{ZEROS}/x"),
        "called as the objects of a log": named("eve/head", "eve/decided", "head", "staging"),
        "500 that are odd": named(*(f"eve/{n} x" for n in range(500))),
        "500 that are only wrong": named(*(f"eve/{n}" for n in range(500))),
        "500 submitters": named(*(f"e{n}/x" for n in range(500))),
    }


def odd_contents() -> dict[str, Objects]:
    """Contents that no submission has, and submissions that are a burden."""
    one = format_submission([b"x"])
    return {
        "another digest": {f"eve/{NONCE}-{ZEROS}": one},
        "empty": well_named(b""),
        "one byte": well_named(b"x", b"\n", b"\0"),
        "only a header": well_named(HEADER % 1, HEADER[:20]),
        "no entries": well_named(HEADER % 0 + b"\0\0"),
        "too large a number of entries": well_named(HEADER % (10**18) + b"\0\0", HEADER % (10**90) + b"\0\0"),
        "another number of entries": well_named(HEADER % 2 + b"\0\1x", HEADER % 1 + b"\0\1x\0\1x"),
        "an entry longer than the object": well_named(HEADER % 1 + b"\xff\xffx"),
        "many empty gzip members": well_named(gzip.compress(b"") * 20_000),
        "a gzip bomb": well_named(gzip.compress(bytes(10**7))),
        "a submission in gzip": well_named(gzip.compress(one)),
        "zeros": well_named(bytes(3 << 20)),
        "too long": well_named(bytes((16 << 20) + 1)),
        "other formats": well_named(b"\x7fELF" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100), b"<html>" + bytes(100)),
        "UTF-16": well_named(one.decode().encode("utf-16")),
        "carriage returns": well_named(one.replace(b"\n", b"\r\n")),
        "65,536 empty entries": well_named(HEADER % 65_536 + bytes(2 * 65_536)),
        "65,537 empty entries": well_named(HEADER % 65_537 + bytes(2 * 65_537)),
        "200 long entries": well_named(format_submission([bytes(65_535)] * 200)),
        "500 good submissions": well_named(*(format_submission([b"%d" % n]) for n in range(500))),
        "500 of junk": well_named(*(b"junk %d" % n for n in range(500))),
    }


class Trouble(Passing):
    """The private part, in which one submitter's objects make trouble.

    does   "delete", "silent", "read", "list", "break", "vanish", "grow": at what, and how
    """

    def __init__(self, inner: Store, does: str, error: Exception) -> None:
        super().__init__(inner, "private")
        self.does = does
        self.error = error

    def read(self, path: str, limit: int | None = None) -> Object:
        if path.startswith("inbox/eve/") and self.does in ("read", "vanish", "grow"):
            raise NotFound(path) if self.does == "vanish" else self.error
        return super().read(path, limit)

    def list(self, prefix: str) -> Iterator[Listed]:
        for listed in super().list(prefix):
            if listed.path.startswith("inbox/eve/") and self.does == "list":
                raise self.error
            yield listed
            if listed.path.startswith("inbox/eve/") and self.does == "break":
                raise self.error

    def folders(self, prefix: str):  # type: ignore[no-untyped-def]
        return self.inner.folders(prefix)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path.startswith("inbox/eve/") and self.does == "delete":
                raise self.error
            super().delete([path])
            if path.startswith("inbox/eve/") and self.does == "silent":
                raise self.error


TROUBLES: dict[str, tuple[str, Exception]] = {
    "cannot be deleted": ("delete", AccessError("held on purpose")),
    "may not be deleted": ("delete", Denied("denied on purpose")),
    "is not deleted, through a link": ("delete", Refused("a link, on purpose")),
    "is deleted without a reply": ("silent", AccessError("no reply, on purpose")),
    "cannot be read": ("read", AccessError("unreadable on purpose")),
    "may not be read": ("read", Denied("denied on purpose")),
    "vanishes": ("vanish", AccessError("")),
    "cannot be listed": ("list", AccessError("no listing, on purpose")),
    "may not be listed": ("list", Denied("denied on purpose")),
    "has a name that stops the listing": ("list", Unlistable("a name, on purpose")),
    "is behind a link": ("list", Refused("a link, on purpose")),
    "is nested too deeply": ("list", RecursionError()),
    "breaks off in the listing": ("break", AccessError("broken off, on purpose")),
}


def _folders(eve: Path) -> None:
    for number in range(500):
        (eve / str(number)).mkdir()


def _deep(eve: Path) -> None:
    fd = os.open(eve, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)


def _socket(eve: Path) -> None:
    here = os.open(eve, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/s")
    os.close(here)


def _dated(eve: Path) -> None:
    for number, date in enumerate((0, 2**31, 2**33)):
        (eve / str(number)).write_bytes(b"junk")
        os.utime(eve / str(number), (date, date))


def _sparse(eve: Path) -> None:
    with (eve / f"{NONCE}-{ZEROS}").open("wb") as file:
        file.truncate(1 << 40)


FILES: dict[str, Callable[[Path], object]] = {  # what only a directory can hold
    "a link to a file": lambda eve: (eve / "x").symlink_to("/etc/hostname"),
    "a link to a folder": lambda eve: (eve / "x").symlink_to("/"),
    "a link to itself": lambda eve: (eve / "x").symlink_to("x"),
    "a pipe": lambda eve: os.mkfifo(eve / f"{NONCE}-{ZEROS}"),
    "a socket": _socket,
    "a name that is no text": lambda eve: Path(os.fsdecode(os.fsencode(eve) + b"/\xff\xfe")).write_bytes(b"junk"),
    "500 empty folders": _folders,
    "1500 folders deep": _deep,
    "a folder with the name of a submission": lambda eve: (eve / f"{NONCE}-{ZEROS}").mkdir(),
    "a terabyte of nothing": _sparse,
    "dates in the past and the future": _dated,
}

KEYS: dict[str, list[str]] = {  # names that only a bucket can hold
    "an empty element": ["eve//x"],
    "a dot": ["eve/./x"],
    "two dots": ["eve/../x"],
    "a control character": ["eve/\x01"],
    "a marker of a folder": ["eve/", "eve/a/"],
    "a folder and an object of one name": ["eve/x", "eve/x/y", "ann"],
}
