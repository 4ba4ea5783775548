"""Looking for a key in a run: what is found is what a list of the records has, in few reads, whatever is damaged."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ranges import Counting, PastCache
from tests.support.reference import flipped
from tests.support.sampling import quickly
from tiles.errors import AccessError, NotFound, TileError, UsageError
from tiles.index.lookup import Place, newest, show
from tiles.index.record import index_in
from tiles.index.run import FILE_RECORDS, build_run
from tiles.index.run_reader import RunReader
from tiles.notes.index_head import MAX_COVERED, Run
from tiles.tree.merkle import EMPTY_ROOT, TreeHead, leaf_hash
from tiles.tree.proof import verify_inclusion

Make = Callable[[int], list[bytes]]

KIND = "sha256/1"
LEVEL = 3  # covers 262,144 entries


def spread(count: int) -> list[bytes]:
    """Return sorted records, one for each entry, as hashes of keys spread them."""
    return sorted(sha256(b"%d" % index).digest()[:10] + index.to_bytes(6, "big") for index in range(count))


def ground(count: int) -> list[bytes]:
    """Return sorted records of keys that somebody has ground to begin alike, between others."""
    begin = sha256(b"ground").digest()[:6]
    keys = [begin + sha256(b"%d" % index).digest()[:4] if index % 4 else sha256(b"%d" % index).digest()[:10]
            for index in range(count)]  # fmt: skip
    return sorted(key + index.to_bytes(6, "big") for index, key in enumerate(keys))


def popular(count: int) -> list[bytes]:
    """Return sorted records of which most have one key."""
    one = sha256(b"popular").digest()[:10]
    keys = [one if index % 8 else sha256(b"%d" % index).digest()[:10] for index in range(count)]
    return sorted(key + index.to_bytes(6, "big") for index, key in enumerate(keys))


def opened(records: Sequence[bytes], *, ranges: bool = True) -> tuple[RunReader, Counting]:
    """Return what reads a run of these records, and what counts its requests."""
    run, objects = build_run(KIND, LEVEL, 0, records)
    fetcher = Counting(objects, ranges=ranges)
    return RunReader(fetcher, KIND, run), fetcher


def of(records: Sequence[bytes], prefix: bytes, before: int = MAX_COVERED) -> list[int]:
    """Return what has to be found."""
    return sorted((index_in(one) for one in records if one[:10] == prefix and index_in(one) < before), reverse=True)


def prefixes(records: Sequence[bytes], count: int) -> list[bytes]:
    """Return some keys that are there, and some that are not, the first and the last possible ones included."""
    rng = random.Random(count)
    there = [rng.choice(records)[:10] for _ in range(count)] if records else []
    return [
        *there,
        *(rng.randbytes(10) for _ in range(count)),
        bytes(10),
        b"\xff" * 10,
        *(p[:9] + b"\0" for p in there),
    ]


@pytest.mark.parametrize("make", [spread, ground, popular])
@pytest.mark.parametrize("count", quickly([0, 1, 256, 257, 4200, FILE_RECORDS, FILE_RECORDS + 1], [0, 257, 4200]))
@pytest.mark.parametrize("ranges", quickly([True, False], [True]))
def test_all_records_of_a_key(make: Make, count: int, ranges: bool) -> None:
    """Newest first, below any bound, with a store that knows ranges and one that does not."""
    records = make(count)
    run, objects = build_run(KIND, LEVEL, 0, records)
    fetcher = Counting(objects, ranges=ranges)
    for prefix in prefixes(records, 2 if count < FILE_RECORDS else 1):
        for proven in (False, True):
            for before in (MAX_COVERED, 0, count // 2):
                reader = RunReader(fetcher, KIND, run)
                found = [one for some in newest(reader, prefix, before, proven=proven) for one in some]
                assert found == of(records, prefix, before)


def test_requests() -> None:
    """One read nearly always; few where keys were ground; pages of a key that most entries have as they are wanted."""
    records = spread(70_000)
    reader, fetcher = opened(records)
    counts = []
    for prefix in prefixes(records, 12):
        fetcher.asked.clear()
        list(newest(reader, prefix, proven=False))
        counts.append(len(fetcher.asked))
    assert sum(counts) / len(counts) < 1.1
    assert max(fetcher.sizes) <= 65_536
    assert sum(fetcher.sizes) / len(fetcher.sizes) <= 6 * 4096
    assert not any("/tile/" in path for path in fetcher.asked)
    records = ground(30_000)
    reader, fetcher = opened(records)
    for prefix in prefixes(records, 10):
        fetcher.asked.clear()
        list(newest(reader, prefix, proven=False))
        assert len(fetcher.asked) <= 14
    reader, fetcher = opened(popular(30_000))
    found = next(newest(reader, sha256(b"popular").digest()[:10], proven=True))
    assert found[0] == 29_999
    assert len(fetcher.asked) <= 20


def test_requests_to_prove() -> None:
    """One for the pages, and one for each tile of their tree that says more than the root."""
    for count, requests in ((200, 1), (4096, 2), (FILE_RECORDS, 2), (FILE_RECORDS + 1, 4)):
        records = spread(count)
        reader, fetcher = opened(records)
        assert [one for some in newest(reader, records[70][:10], proven=True) for one in some] == [
            index_in(records[70])
        ]
        assert len(fetcher.asked) == requests, count


def test_a_record_that_is_changed() -> None:
    """Where it stays in order, nothing but the root says that it is another one."""
    records = spread(5000)
    run, objects = build_run(KIND, LEVEL, 0, records)
    at = next(at for at in range(2000, 3000) if records[at][:9] < records[at + 1][:9] and records[at][9] < 255)
    prefix, path = records[at][:10], f"index/{KIND}/{LEVEL}/000/000"
    other = prefix[:9] + bytes([prefix[9] + 1]) + records[at][10:]
    hidden = Counting({**objects, path: objects[path].replace(records[at], other)})
    assert list(newest(RunReader(hidden, KIND, run), prefix, proven=False)) == [[]]
    for wanted in (prefix, other[:10]):
        with pytest.raises(TileError, match="do not lead to the root"):
            list(newest(RunReader(hidden, KIND, run), wanted, proven=True))


@pytest.mark.parametrize("make", [spread, popular])
def test_shown(make: Make) -> None:
    """The pages are in the run, and with their neighbours they leave no room for other records of the key."""
    records = make(3000)
    run, objects = build_run(KIND, LEVEL, 0, records)
    for prefix in [*prefixes(records, 10), *(records[at][:10] for at in (0, 256, 511, 2560, 2999))]:
        shown = show(RunReader(Counting(objects), KIND, run), prefix, 20)
        there = b"".join(page for page, _ in shown.pages)
        whole = b"".join(records)
        assert there == whole[shown.first * 4096 :][: len(there)]
        for number, (page, proof) in enumerate(shown.pages, shown.first):
            verify_inclusion(leaf_hash(page), number, TreeHead(12, run.root), proof)
        assert shown.first == 0 or there[:10] < prefix
        assert whole.endswith(there) or there[-16:-6] > prefix
        if make is spread:
            assert len(shown.pages) <= 2
    if make is popular:
        with pytest.raises(UsageError, match="too many for a proof"):
            show(RunReader(Counting(objects), KIND, run), sha256(b"popular").digest()[:10], 3)


@pytest.mark.parametrize("count", quickly([300, 4200, FILE_RECORDS + 600], [4200]))
def test_whatever_is_damaged(count: int) -> None:
    """What was proven is right, or there is an error; what was not proven may be anything, but ends."""
    records = spread(count)
    run, objects = build_run(KIND, LEVEL, 0, records)
    rng = random.Random(count)
    for path, data in objects.items():
        for changed in (*(flipped(data, rng.randrange(8 * len(data))) for _ in range(4)), data[:-16], b"", None):
            damaged = {**objects, path: changed} if changed is not None else {}
            for prefix in prefixes(records, 1):
                for proven in (True, False):
                    reader = RunReader(Counting(damaged), KIND, run)
                    try:
                        found = [one for some in newest(reader, prefix, proven=proven) for one in some]
                    except (TileError, AccessError):
                        continue
                    assert found == of(records, prefix) or not proven


def test_what_a_cache_had() -> None:
    """A damaged page, or none, is read once more where no cache answers."""
    records = spread(5000)
    run, objects = build_run(KIND, LEVEL, 0, records)
    for cached in ({path: bytes(len(data)) for path, data in objects.items()}, dict.fromkeys(objects, b""), {}):
        reader = RunReader(PastCache(cached, objects), KIND, run)
        for prefix in prefixes(records, 2):
            assert [one for some in newest(reader, prefix, proven=True) for one in some] == of(records, prefix)


def test_a_run_that_is_no_run() -> None:
    """Records out of order, twice, or of entries that it does not cover: said, although they lead to the root."""
    good = spread(5000)
    swapped = [*good[:700], good[701], good[700], *good[702:]]
    for records in (swapped, [*good[:700], good[699], *good[700:]], [*good[:700], good[700][:10] + b"\xff" * 6]):
        run, objects = build_run(KIND, LEVEL, 0, records)
        for proven in (True, False):
            with pytest.raises(TileError, match="lead to the root of the run, and") as caught:
                list(newest(RunReader(Counting(objects), KIND, run), good[700][:10], proven=proven))
            (path,) = caught.value.evidence
            assert caught.value.evidence[path] == objects[path]
    assert list(newest(RunReader(Counting({}), KIND, Run(0, 0, 0, EMPTY_ROOT)), bytes(10), proven=True)) == []
    with pytest.raises(NotFound):
        list(newest(RunReader(Counting({}), KIND, run), bytes(10), proven=True))


@given(st.lists(st.binary(min_size=2, max_size=2), unique=True, min_size=1, max_size=60), st.binary(max_size=3))
def test_place(keys: list[bytes], target: bytes) -> None:
    """Whatever the records are, the place is found, and in few steps."""
    records = sorted(key.ljust(10, b"\1") + bytes(6) for key in keys)
    place = Place(256 * len(records), target)
    pages = [[record[:10] + n.to_bytes(6, "big") for n in range(256)] for record in records]
    found, steps = None, 0
    while found is None:
        window = place.window()
        found = place.saw(window.start * 256, [one for page in window for one in pages[page]])
        steps += 1
    assert steps <= 12
    assert found == sum(one < target for page in pages for one in page)
