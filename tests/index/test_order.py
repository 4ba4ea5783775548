"""Records in order: whatever parts they come in, with the native part and without."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module, util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.index import order as module
from tiles.index.order import between, few_at_a_time, in_order, merged
from tiles.index.record import RECORD_SIZE
from tiles.index.run import records_in

NATIVE = "tiletree_native"
ALIKE = [bytes(10), bytes(9) + b"\1", b"\xff" * 10]  # beginnings that many records have in common
RECORDS = st.binary(min_size=16, max_size=16)
RECORDS |= st.builds(bytes.__add__, st.sampled_from(ALIKE), st.binary(min_size=6, max_size=6))
PARTS = st.lists(st.lists(RECORDS, max_size=30), max_size=5)


@pytest.fixture(autouse=True, params=[False, True], ids=["python", "native"], scope="module")
def _by(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let Python or the native part sort."""
    if request.param and util.find_spec(NATIVE) is None:
        pytest.skip("`make native` builds it, where there is cargo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "compiled", import_module(NATIVE) if request.param else None)
        yield


@given(PARTS, st.sampled_from([0, 1 << 20]), st.sampled_from([16, 48, 1 << 20]))
def test_in_order(parts: list[list[bytes]], few: int, piece: int) -> None:
    """All records, sorted as bytes, however many there are and however large each part is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", few)
        patch.setattr(module, "PIECE", piece)
        found = b"".join(in_order([b"".join(records) for records in parts]))
    assert records_in(found) == sorted(one for records in parts for one in records)


@pytest.mark.parametrize("parts", [[300], [4096, 1], [256] * 20, [70_000, 3, 66_000]])
def test_many(parts: list[int]) -> None:
    """The same for sizes that occur; what is yielded at a time is bounded where hashes are spread."""
    rng = random.Random(len(parts))
    made = [rng.randbytes(RECORD_SIZE * count) for count in parts]
    found = list(in_order(made))
    assert records_in(b"".join(found)) == sorted(records_in(b"".join(made)))
    assert max(map(len, found)) <= 1.1 * module.PIECE


@given(PARTS, st.integers(1, 4))
def test_merged(parts: list[list[bytes]], size: int) -> None:
    """All records of all sources, in order, whatever the pieces they come in; empty ones among them."""
    sources = [b"".join(sorted(records)) for records in parts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", size * RECORD_SIZE)
        pieces = [iter([b"", *few_at_a_time([records]), b""]) for records in sources]
    assert records_in(b"".join(merged(pieces))) == sorted(one for records in parts for one in records)


@given(st.lists(st.integers(0, 2**48 - 1)), st.integers(0, 2**48), st.integers(0, 2**48))
def test_between(indexes: list[int], start: int, stop: int) -> None:
    """Some of the records of successive entries, of which each may have none, one or several."""
    rng = random.Random(0)
    made = [rng.randbytes(10) + index.to_bytes(6, "big") for index in sorted(indexes)]
    for low, high in ((start, stop), *((low, high) for low in indexes[:3] for high in indexes[:3])):
        expected = [one for one in made if low <= int.from_bytes(one[10:], "big") < high]
        assert records_in(between(b"".join(made), low, high)) == expected
