"""A file that is signed is read once, whatever of it is signed."""

from __future__ import annotations

import io

import pytest

from tiles.entries import signed_file
from tiles.entries.signed_file import read_signed
from tiles.errors import UsageError
from tiles.signatures.digests import signed


@pytest.mark.parametrize("data", [b"", b"test", bytes((1 << 20) + 1)])
def test_one_pass(data: bytes) -> None:
    """The digests are the same; the bytes are kept where they are asked for."""
    whole = signed(data)
    assert read_signed(io.BytesIO(data), whole=True) == whole
    digests = read_signed(io.BytesIO(data), whole=False)
    assert (digests.digests, digests.data) == (whole.digests, None)


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is refused; its digests can be had."""
    monkeypatch.setattr(signed_file, "MAX_WHOLE", 3)
    with pytest.raises(UsageError, match="more than 3 bytes") as caught:
        read_signed(io.BytesIO(b"test"), whole=True)
    assert "sign with SSH" in caught.value.hint
    assert read_signed(io.BytesIO(b"test"), whole=False).data is None
