"""What a proof file says of a file (docs/entry-formats.md): used only if it leads to an entry of exactly that file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.entry_texts import HEX, IGNORED, LEADING, extra
from tiles.entries.file_digest import DigestEntry
from tiles.entries.kinds import kind_of
from tiles.entries.proof_extra import MAX_EXTRA_SIZE, form_in, parse_proof_extra
from tiles.errors import Malformed

FILE = DigestEntry(HEX, 0)


@pytest.mark.parametrize("what", LEADING)
def test_extra_that_leads_to_an_entry(what: str) -> None:
    """Of exactly this file, with its name or blinded."""
    data, entry = LEADING[what]
    assert form_in(data, FILE) == (kind_of(entry).name, entry)
    assert parse_proof_extra(data).data == data
    assert form_in(data, DigestEntry(HEX, 0, "another name")) == form_in(data, FILE)
    longer = [] if what == "signature" else [DigestEntry(HEX, 1)]  # a signature's entry has no size
    for other in (*longer, DigestEntry("0" * 64, 0)):
        assert form_in(data, other) is None


@pytest.mark.parametrize("what", IGNORED)
def test_extra_that_is_ignored(what: str) -> None:
    """Whatever else it says."""
    assert form_in(IGNORED[what], FILE) is None


@given(st.binary(max_size=200))
def test_any_extra(data: bytes) -> None:
    """Arbitrary bytes are ignored or have one form."""
    for each in (data, b"tiletree/extra/v1\n" + data, extra(data)):
        assert form_in(each, FILE) is None
        try:
            assert parse_proof_extra(each).data == each
        except Malformed:
            continue
    with pytest.raises(Malformed, match=f"more than {MAX_EXTRA_SIZE} bytes"):
        parse_proof_extra(bytes(MAX_EXTRA_SIZE + 1))
