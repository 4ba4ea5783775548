"""The record of a monitor, to the byte."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.support.readers import make_log
from tests.support.signed_text import cases, malformed
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.watch.monitor_record import Cursor, Position, parse_position

SEEN = parse_signed_checkpoint(make_log(5)["checkpoint"])
ID, TAIL = "0123456789abcdef" * 4, sha256(b"").hexdigest()
POSITION = Position(ID, 3, 1024, TAIL, SEEN, (Cursor("1" * 64, 0, 3), Cursor("2" * 64, 2, 2)))
FIELDS = f"tiletree-monitor/v1\nlog {ID}\nnext 3\nkept 1024\ntail {TAIL}\n".encode()
ENDORSED = f"endorsed {'1' * 64} 0 3\nendorsed {'2' * 64} 2 2\n".encode()
DIGEST = sha256(FIELDS + ENDORSED + b"\n" + SEEN.data).hexdigest()
HEAD = FIELDS + f"digest {DIGEST}\n".encode()
LINES = HEAD + ENDORSED + b"\n"
WHAT = "tiletree-monitor/v1"


def test_the_record() -> None:
    """Its bytes, and back; with endorsements and without."""
    assert POSITION.data == LINES + SEEN.data
    assert parse_position(POSITION.data) == POSITION
    few = replace(POSITION, endorsed=())
    assert parse_position(few.data) == few


def endorsed(*lines: bytes) -> bytes:
    """Return a record with such lines."""
    return HEAD + b"".join(b"endorsed " + line + b"\n" for line in lines) + b"\n" + SEEN.data


ONE, TWO = b"1" * 64 + b" 0 3", b"2" * 64 + b" 2 2"


@pytest.mark.parametrize(
    ("data", "problem"),
    cases(
        {
            f"{WHAT}: no empty line before the checkpoint": {
                "empty": b"",
                "no checkpoint": LINES[:-1],
            },
            f"{WHAT}: line 3 is not 'next <value>':": {"swapped": LINES.replace(b"next", b"past") + SEEN.data},
            f"{WHAT}: entry 6 is next, and 5 were seen": {"ahead": LINES.replace(b"next 3", b"next 6") + SEEN.data},
            f"{WHAT}: not a whole record that begins with its title:": {"v2": LINES.replace(b"v1", b"v2") + SEEN.data},
            f"{WHAT}: its digest is another one, or it is not in canonical form": {
                "another next": LINES.replace(b"next 3", b"next 4").replace(b" 3\n", b" 4\n") + SEEN.data,
                "another length": LINES.replace(b"kept 1024", b"kept 1025") + SEEN.data,
                "another cursor": LINES.replace(b" 0 3", b" 0 2") + SEEN.data,
                "no endorsements": HEAD + b"\n" + SEEN.data,
                "another digest": LINES.replace(DIGEST.encode(), b"0" * 64) + SEEN.data,
            },
            f"{WHAT}: line 7 is not 'endorsed <value>':": {
                "another line": LINES.replace(b"endorsed 1", b"endorsing 1") + SEEN.data
            },
            f"{WHAT}: not 'endorsed <log> <first> <next>':": {
                "no log": endorsed(b"0 3"),
                "one more": endorsed(ONE + b" 3"),
            },
            f"{WHAT}: the lines 'endorsed' are not sorted, or one is there twice": {
                "unsorted": endorsed(TWO, ONE),
                "twice": endorsed(ONE, ONE),
            },
            f"{WHAT}: endorsements from 0 to 4, and entry 3 is next": {"beyond": endorsed(ONE[:-1] + b"4")},
            f"{WHAT}: endorsements from 3 to 2, and entry 3 is next": {"less than none": endorsed(ONE[:-3] + b"3 2")},
            f"{WHAT}: not 64 lower-case hexadecimal digits:": {"no digest": endorsed(ONE[1:])},
        }
    ),
)
def test_malformed(data: bytes, problem: str) -> None:
    """Anything else is refused."""
    with malformed(problem):
        parse_position(data)
