"""gzip: decoded within a limit or not at all, encoded without a clock."""

from __future__ import annotations

import gzip
import random
import zlib
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.errors import Malformed
from tiles.store import bounded_gzip
from tiles.store.bounded_gzip import MAGIC, Gunzip, decode, encode, on_wire

DATA = b"an entry " * 1000


@given(st.binary(max_size=2000), st.integers(0, 9))
def test_round_trip(data: bytes, level: int) -> None:
    """What is encoded is decoded again, by others too, at every level."""
    encoded = encode(data, level)
    assert encoded.startswith(MAGIC)
    assert decode(encoded, len(data)) == data == gzip.decompress(encoded)


def test_no_clock() -> None:
    """The time of modification is 0, so the same bytes are encoded alike whenever that is."""
    assert encode(DATA, 9)[4:8] == bytes(4)
    assert encode(DATA, 9) == encode(DATA, 9)


def test_the_limit_holds() -> None:
    """What decodes to one byte too many is refused, and a bomb long before it has gone off."""
    with pytest.raises(Malformed, match="more than 8999 bytes"):
        decode(encode(DATA), len(DATA) - 1)
    bomb = gzip.compress(bytes(20_000_000))
    for member in (bomb, gzip.compress(bytes(600)) * 50):
        assert len(Gunzip().decode(member, 1000)) == 1001
    with pytest.raises(Malformed, match="more than 0 bytes"):
        decode(bomb * 3, 0)


@pytest.mark.parametrize(
    "member",
    [encode(b""), encode(b"", 0), encode(b"1"), encode(b"") * 3 + encode(b"12")],
    ids=["empty", "empty and stored", "one byte", "mixed"],
)
def test_many_members(member: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many members are twice as much work, not four times: each byte is handed to zlib a few times at most."""
    handed = 0

    class Counting:
        def __init__(self, wbits: int) -> None:
            self.inner = zlib.decompressobj(wbits=wbits)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def decompress(self, data: bytes, limit: int) -> bytes:
            nonlocal handed
            handed += len(data)
            return self.inner.decompress(data, limit)

    monkeypatch.setattr(bounded_gzip, "zlib", SimpleNamespace(decompressobj=Counting, error=zlib.error))
    work = []
    for count in (1000, 2000, 4000):
        handed = 0
        decoded = decode(member * count, 10**6)
        assert decoded == gzip.decompress(member) * count
        work.append(handed)
    assert work[2] / work[1] < 2.5
    assert work[1] / work[0] < 2.5


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_members_in_pieces(piece: int) -> None:
    """Several members (§2.2) are one content, however they are cut on their way."""
    encoded = encode(DATA) + encode(b"") + encode(b"more")
    assert decode(encoded, len(DATA) + 4) == DATA + b"more"
    gunzip, decoded = Gunzip(), b""
    for at in range(0, len(encoded), piece):
        decoded += gunzip.decode(encoded[at : at + piece], 1 << 20)
    assert decoded == DATA + b"more"
    assert gunzip.is_complete


@pytest.mark.parametrize("data", [b"", b"\x1f", MAGIC, encode(DATA)[:-1], encode(DATA)[:20], encode(DATA) + MAGIC])
def test_cut_short(data: bytes) -> None:
    """Half a member is none."""
    with pytest.raises(Malformed, match="cut short"):
        decode(data, len(DATA))


@pytest.mark.parametrize("data", [b"plain", encode(DATA) + b"more", encode(DATA)[:-4] + b"1234", b"\x1f\x8b\x00\x00"])
def test_what_is_no_gzip(data: bytes) -> None:
    """Another header, bytes after the end, a wrong checksum: malformed."""
    with pytest.raises(Malformed):
        decode(data, len(DATA))


@given(st.binary(max_size=200), st.integers(0, 300))
def test_decodes_or_says_malformed(data: bytes, limit: int) -> None:
    """Whatever comes, it is content within the limit, or Malformed."""
    with suppress(Malformed):
        assert len(decode(MAGIC + b"\x08\x00" + data, limit)) <= limit


@pytest.mark.parametrize("size", [0, 1, 1000, 1_000_000])
def test_room_on_the_wire(size: int) -> None:
    """What cannot be compressed still fits in what is allowed to come."""
    data = random.Random(size).randbytes(size)
    assert all(len(encode(data, level)) <= on_wire(size) for level in (0, 1, 9))
