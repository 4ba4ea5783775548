"""What is known of a file after one pass over it."""

from __future__ import annotations

import io
from hashlib import sha256, sha512

import pytest

from tiles.entries.content import MAX_DATA_SIZE, Content, read_content, read_digests
from tiles.entries.file_digest import file_entry
from tiles.entries.file_kinds import forms


@pytest.mark.parametrize("size", [0, 1, MAX_DATA_SIZE, MAX_DATA_SIZE + 1, 3 << 20])
def test_one_pass(size: int) -> None:
    """Digest and size are those of the whole stream; the bytes are there if they can be an entry."""
    data = b"x" * size
    content = read_content(io.BytesIO(data))
    assert content == Content(sha256(data).hexdigest(), size, data if size <= MAX_DATA_SIZE else None)
    made = dict(forms(content))
    assert made["file"] == file_entry(io.BytesIO(data))
    assert made.get("raw") == content.data


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_digests_of_one_pass(size: int) -> None:
    """Several at once, of what is left of a stream, by the names that were given."""
    stream = io.BytesIO(b"yx" + b"x" * size)
    stream.seek(2)
    data = b"x" * size
    assert read_digests(stream, {"a": sha256, "b": sha512}) == {"a": sha256(data).digest(), "b": sha512(data).digest()}
