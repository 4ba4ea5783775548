"""Records of withheld entries: one form only, and signed by the log alone."""

from __future__ import annotations

import pytest

from tests.support.signed_text import LOG, ORIGIN, W2, key
from tests.support.withheld_texts import LEAF, NOT_RECORDS, RECORDS, SAID
from tiles.errors import Malformed, SignatureError, UsageError
from tiles.notes.checkpoint import parse_checkpoint
from tiles.notes.index_head import parse_index_head
from tiles.notes.withheld import MAX_WITHHELD_SIZE, Entry, Withheld, open_withheld, parse_withheld, sign_withheld
from tiles.tree.merkle import Hash


@pytest.mark.parametrize("what", RECORDS)
def test_records(what: str) -> None:
    """What is parsed prints the same text; the longest one fits; none is a checkpoint or the head of an index."""
    assert parse_withheld(RECORDS[what]).text == RECORDS[what]
    assert len(sign_withheld(parse_withheld(RECORDS[what]), LOG).data) <= MAX_WITHHELD_SIZE
    for parse in (parse_checkpoint, parse_index_head):
        with pytest.raises(Malformed):
            parse(RECORDS[what])


@pytest.mark.parametrize("what", NOT_RECORDS)
def test_no_records(what: str) -> None:
    """A record has one form, and says something of one bundle."""
    with pytest.raises(Malformed):
        parse_withheld(NOT_RECORDS[what])


def test_whose_it_is() -> None:
    """The log's key alone; one that signs checkpoints only signs none."""
    data = sign_withheld(SAID, LOG).data
    assert open_withheld(data, [LOG.verifier]) == SAID
    with pytest.raises(SignatureError):
        open_withheld(data, [key(ORIGIN, 2).verifier])
    with pytest.raises(SignatureError):
        open_withheld(data.replace(b"personal", b"Personal"), [LOG.verifier])
    with pytest.raises(Malformed):
        open_withheld(data + b" " * MAX_WITHHELD_SIZE, [LOG.verifier])
    with pytest.raises(UsageError):
        sign_withheld(SAID, W2)


def test_extended() -> None:
    """An entry more, or another reason."""
    more = SAID.extended(Entry(300, LEAF, "more")).extended(Entry(256, LEAF, "why"))
    assert [(each.index, each.reason) for each in more.entries] == [(256, "why"), (300, "more"), (511, "é, case 17")]


@pytest.mark.parametrize(
    ("origin", "bundle", "entries"),
    [("a\nb", 1, SAID.entries), ("a", -1, SAID.entries), ("a", 1, ()), ("a", 1, (Entry(256, Hash(b"short"), "x"),))],
)
def test_what_cannot_be_said(origin: str, bundle: int, entries: tuple[Entry, ...]) -> None:
    """No such record is made."""
    with pytest.raises(UsageError):
        Withheld(origin, bundle, entries)
