"""Blinded entries (docs/entry-formats.md)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.entry_texts import HEX, PLAIN, SECRET, blinded, r_of
from tiles.entries.blinded import blinded_entry, blinding, parse_blinded_entry
from tiles.entries.file_digest import DigestEntry
from tiles.errors import UsageError

FILE = DigestEntry(HEX, 0)


def test_blinding() -> None:
    """The same file and secret make the same entry, whatever the file's name; another secret makes another."""
    r = r_of(PLAIN.encode())
    assert blinding(SECRET, FILE) == r == blinding(SECRET, DigestEntry(HEX, 0, "a"))
    entry = blinded(PLAIN.encode(), r)
    assert blinded_entry(r, FILE) == entry == blinded_entry(r, DigestEntry(HEX, 0, "a"))
    assert parse_blinded_entry(entry) == sha256(b"tiletree/blind/v1\n" + r + PLAIN.encode()).hexdigest()
    assert blinding(bytes(32), FILE) != r
    assert blinding(SECRET, DigestEntry(HEX, 1)) != r
    for size in (0, 31, 33):
        with pytest.raises(UsageError):
            blinding(bytes(size), FILE)
        with pytest.raises(UsageError):
            blinded_entry(bytes(size), FILE)
