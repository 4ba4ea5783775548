"""docs/index-format.md, "Keys" and "Records"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.entry_texts import ENTRIES, keys_of
from tests.support.index_texts import MAX_COVERED, slow_record
from tiles.entries.kind import SHA256, Key
from tiles.errors import UsageError
from tiles.index.record import PREFIX_SIZE, RECORD_SIZE, index_in, key_prefix, leaf_records, record, records_of
from tiles.index.run import records_in
from tiles.notes.index_head import MAX_KEYS
from tiles.tree.merkle import leaf_hash

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index-format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("index", [0, 1, 255, 256, 2**32, MAX_COVERED - 1])
@pytest.mark.parametrize(("kind", "value"), [("leaf/1", bytes(32)), ("name/1", b""), ("a.b/1", b"\0x")])
def test_record(kind: str, value: bytes, index: int) -> None:
    """Ten bytes of a hash, and the index."""
    made = record(Key(kind, value), index)
    assert made == slow_record(kind, value, index)
    assert len(made) == RECORD_SIZE
    assert made[:PREFIX_SIZE] == key_prefix(Key(kind, value))
    assert index_in(made) == index


@pytest.mark.parametrize("index", [-1, MAX_COVERED])
def test_no_index(index: int) -> None:
    """An index has six bytes."""
    with pytest.raises(UsageError):
        record(Key("leaf/1", b""), index)


@pytest.mark.parametrize("kind", ["leaf/1", "sha256/1", "sha512/1", "name/1", "other/1"])
def test_records_of_entries(kind: str) -> None:
    """All keys of one kind of all entries, in the entries' order; the document's example is among them."""
    entries = [*ENTRIES, b"hello"]
    expected = [
        slow_record(kind, value, index)
        for index, entry in enumerate(entries, 70_000)
        for found, value in keys_of(entry)
        if found == kind
    ]
    assert records_of(kind, entries, 70_000) == b"".join(expected)
    assert bool(expected) == (kind != "other/1")
    (shown,) = re.findall(r"for `sha256/1`:\n\n {4}([0-9a-f]{32})\n", DOCUMENT)
    assert records_of("sha256/1", [b"hello"], 0) == bytes.fromhex(shown)


def test_leaf_records_around_four_bytes_of_index() -> None:
    """The index has six bytes, wherever the entries are."""
    leaves = [leaf_hash(b"%d" % number) for number in range(6)]
    for first in (0, 2**32 - 7, 2**32 - 6, 2**32 - 3, 2**32, MAX_COVERED - 6):
        expected = [slow_record("leaf/1", leaf, index) for index, leaf in enumerate(leaves, first)]
        assert leaf_records(b"".join(leaves), first) == b"".join(expected)


def test_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key of an entry has a record; two keys that begin alike have one."""
    values = [bytes([number]) for number in range(MAX_KEYS)]
    monkeypatch.setattr("tiles.index.record.values_by", lambda _kind: lambda _entry: [*values, values[3]])
    assert sorted(records_in(records_of(SHA256, [b""], 5))) == sorted(slow_record(SHA256, value, 5) for value in values)
