"""Kinds of entries: what is made is known again, and what is said of an entry follows from its bytes."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.entries.file_digest import digest_entry, file_entry
from tiles.entries.kinds import KINDS, Content, forms, kind_of, read_content
from tiles.errors import Malformed
from tiles.tree.bundle import MAX_ENTRY_SIZE

A = digest_entry("ab" * 32, 7)


@pytest.mark.parametrize("size", [0, 1, MAX_ENTRY_SIZE, MAX_ENTRY_SIZE + 1, 3 << 20])
def test_one_pass(size: int) -> None:
    """Digest and size are those of the whole stream; the bytes are there if they can be an entry."""
    data = b"x" * size
    content = read_content(io.BytesIO(data))
    assert content == Content(sha256(data).hexdigest(), size, data if size <= MAX_ENTRY_SIZE else None)
    made = dict(forms(content))
    assert made["file"] == file_entry(io.BytesIO(data))
    assert made.get("raw") == content.data


@given(st.binary(max_size=200))
def test_what_is_made_is_known_again(data: bytes) -> None:
    """Each form of a file is of its kind, or of one that comes before."""
    for name, entry in forms(read_content(io.BytesIO(data))):
        assert kind_of(entry).name in ("file", name)


@pytest.mark.parametrize(
    ("entry", "kind", "size"),
    [
        (A, "file", 7),
        (b"", "raw", 0),
        (A + b"\n", "raw", len(A) + 1),
        (A.replace(b"size 7", b"size 07"), "raw", len(A) + 1),
        (A.replace(b"ab", b"AB"), "raw", len(A)),
    ],
)
def test_kind_of(entry: bytes, kind: str, size: int) -> None:
    """An entry that is nearly a digest is bytes like any others."""
    found = kind_of(entry)
    assert found.name == kind
    assert ("Size", f"{size} bytes") in found.describe(entry)


def test_keys() -> None:
    """A file is found by the same digest, whichever way it was logged."""
    data = b"the file"
    (key,) = {key for kind, entry in forms(read_content(io.BytesIO(data))) for key in kind_of(entry).keys(entry)}
    assert (key.index, key.value) == ("sha256/1", sha256(data).digest())


def test_too_long() -> None:
    """What no bundle can hold is no entry."""
    with pytest.raises(Malformed):
        kind_of(bytes(MAX_ENTRY_SIZE + 1))
    assert KINDS[-1].name == "raw"
