"""Between which times a log has used its keys: what kept checkpoints show, and what they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError, VerificationError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.key_change import ADD, KeyChange
from tiles.notes.key_history import KeyHistory, Said, Use
from tiles.notes.policy import Accepted
from tiles.read.client import LogClient
from tiles.read.kept import Kept
from tiles.read.key_times import Times, check_statements, times_of
from tiles.tree.layout import CHECKPOINT
from tiles.tree.merkle import Hash, TreeHead

TODAY = date(2026, 11, 29)
KEY = LOG.verifier


def kept(day: int, size: int, *by: object, time: int | None = None) -> Kept:
    """Return what is kept of a day in November. by: keys that have signed it beside the log's other key"""
    objects = make_log(size, key=OTHER_KEY)
    data = (cosigned(objects, LOG) if by else objects)[CHECKPOINT]
    signed = parse_signed_checkpoint(data)
    return Kept(date(2026, 11, day), Accepted(signed, OTHER_KEY.verifier, ()), time)


class Days:
    """Kept checkpoints, as `KeptCheckpoints` finds them."""

    today = TODAY

    def __init__(self, *days: Kept) -> None:
        self.days = days

    def newest(self, day: date, after: date = date.min) -> Kept | None:
        """Return the newest of a day or before."""
        found = [one for one in self.days if after < one.day <= day]
        return max(found, key=lambda one: one.day, default=None)

    def first_beyond(self, size: int) -> Kept | None:
        """Return the first of a larger tree."""
        return min((one for one in self.days if one.size > size), key=lambda one: one.day, default=None)


def times(use: Use, *days: Kept) -> Times:
    """Return between which times a key was used."""
    return times_of(Days(*days), [use])[0]  # type: ignore[arg-type]


def at(day: int, *clock: int) -> datetime:
    """Return a time in November."""
    return datetime(2026, 11, day, *clock, tzinfo=UTC)


@pytest.mark.parametrize(
    ("use", "days", "start", "end"),
    [
        (Use(KEY, 0), [kept(3, 5)], None, None),
        (Use(KEY, None, 5), [kept(3, 5), kept(4, 6)], None, at(4, 23, 59, 59)),
        (Use(KEY, 0, 5), [kept(3, 5)], None, None),
        (Use(KEY, 0, 5), [kept(3, 5), kept(7, 9, time=int(at(6, 12).timestamp()))], None, at(6, 12)),
        (Use(KEY, 5), [kept(3, 5), kept(4, 6, KEY)], at(3), None),
        (Use(KEY, 5), [kept(3, 5), kept(4, 5, KEY), kept(5, 6, KEY)], at(3), None),
        (Use(KEY, 5), [kept(3, 5)], at(3), None),
        (Use(KEY, 5), [kept(4, 6, KEY)], None, None),
        (Use(KEY, 5), [], None, None),
        (Use(KEY, 5, 6), [kept(3, 5), kept(5, 7, time=int(at(2).timestamp()))], None, at(2)),
    ],
)
def test_times(use: Use, days: list[Kept], start: datetime | None, end: datetime | None) -> None:
    """A key was not in use before the last checkpoint without it, nor after the first of more than it has signed."""
    found = times(use, *days)
    assert (found.start, found.end) == (start, end)
    assert found.start_by
    assert found.end_by


def test_statements_of_another_tree() -> None:
    """A statement has to be of a tree of this log; one of a larger tree than is served may be right."""
    client = LogClient(Objects(make_log(3, 9)), POLICY)
    tree = client.tree_at(3)

    def history(tree: TreeHead) -> KeyHistory:
        change = KeyChange(0, ADD, OTHER_KEY.verifier, tree, (KEY,))
        return KeyHistory((KEY,), (Said(change, (KEY,)),))

    check_statements(client, history(tree))
    with pytest.raises(VerificationError, match="keys/0 says size 3"):
        check_statements(client, history(TreeHead(3, Hash(bytes(32)))))
    with pytest.raises(AccessError, match="is served with 9"):
        check_statements(client, history(TreeHead(10, tree.root)))
