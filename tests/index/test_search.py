"""Searching: as a dictionary has it, or it is said that it may be otherwise; nothing that is damaged misleads."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import pytest

from tests.support.indexed import KINDS, POLICY, changed, client_of, entry_of, named, numbers, with_index, without
from tests.support.ranges import Counting
from tests.support.reference import flipped, printed_random
from tests.support.sampling import quickly, soaking
from tests.support.signed_text import LOG, MLDSA44, key, policy, signed
from tests.support.web_logs import log_of
from tiles.entries.kind import LEAF, NAME, SHA256, Key
from tiles.entries.kinds import keys_of
from tiles.errors import AccessError, LogError, NotFound, NotLogged, TileError, UsageError, VerificationError
from tiles.index.record import record, records_of
from tiles.index.run import build_run, records_in
from tiles.index.search import Found, Query, first_hits, search
from tiles.notes.checkpoint import Checkpoint
from tiles.read.client import LogClient
from tiles.tree.merkle import leaf_hash

SIZE, COVERED = 20_700, 20_480  # a run of 16,384 entries, and one of 4096
OTHER = key("somebody.example.com", 7)


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an index be used by logs that are large enough to be indexed."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)


@cache
def model() -> dict[Key, set[int]]:
    """Return which entries of `numbers` have a key."""
    found: dict[Key, set[int]] = {}
    for index in range(SIZE):
        for one in keys_of(entry_of(index)):
            found.setdefault(one, set()).add(index)
    return found


def truth(wanted: list[list[Key]]) -> list[int]:
    """Return the hits, newest first."""
    every = (set[int]().union(*(model().get(one, set()) for one in keys)) for keys in wanted)
    return sorted(set.intersection(*every), reverse=True)


def searched(objects: Mapping[str, bytes], wanted: list[list[Key]], parallel: int = 1) -> Found:
    """Return what is found."""
    return search(LogClient(Counting(objects, parallel=parallel), POLICY), Query(wanted))


def by(index: int, kind: str) -> Key:
    """Return a key of an entry."""
    return next(one for one in keys_of(entry_of(index)) if one.kind == kind)


QUERIES = [
    [[by(5, LEAF)]],
    [[by(COVERED + 3, LEAF)]],
    [[Key(LEAF, bytes(32))]],
    [[by(800, SHA256)]],
    [[by(801, SHA256)]],
    [[by(COVERED, SHA256)]],
    [[Key(SHA256, bytes(32))]],
    [[by(800, NAME)]],
    [[by(800, NAME), by(1600, NAME), by(COVERED + 8, NAME)]],
    [[Key(NAME, b"nobody")]],
    [[by(800, NAME)], [by(800, SHA256)]],
    [[by(800, NAME)], [by(808, SHA256)]],
    [[by(800, NAME)], [Key("sha512/1", bytes(64))]],
]


@pytest.mark.parametrize("parallel", quickly([1, 8], [8]))
def test_as_a_list(parallel: int) -> None:
    """All hits, newest first, and that these are all."""
    for wanted in QUERIES:
        found = searched(numbers(SIZE, COVERED), wanted, parallel)
        assert list(found.hits) == [(index, entry_of(index)) for index in truth(wanted)]
        assert (found.covered, found.unproven, found.more) == (SIZE, "", 0)
        if parallel == 1 or wanted in QUERIES[::3]:
            first = list(first_hits(client_of(numbers(SIZE, COVERED)), wanted))
            assert sorted(first) == sorted(found.hits)


def test_pages_of_results() -> None:
    """Of a name that many have, as many at a time as are asked for; the rest is not read."""
    entries = [named(index, "many") if index % 2 else b"%d" % index for index in range(4500)]
    objects = with_index(log_of(entries), NAME)
    expected = [index for index in range(4499, -1, -1) if index % 2]
    before, found = 5000, list[int]()
    while True:
        client = client_of(objects)
        page = search(client, Query([[Key(NAME, b"many")]], before, 1000))
        found += [index for index, _ in page.hits]
        assert not page.unproven
        if not page.more:
            break
        before = found[-1]
    assert found == expected


def test_requests() -> None:
    """No tile of level 0 is read where bundles are; a hit is there before anything is proven."""
    client = client_of(numbers(SIZE, COVERED))
    fetcher = client.fetcher
    assert isinstance(fetcher, Counting)
    next(first_hits(client, [[by(801, SHA256)]]))
    assert not any("/tile/" in path or path.startswith("tile/0/00") for path in fetcher.asked if "index/" in path)
    assert [path for path in fetcher.asked if path.startswith("tile/0/") and ".p/" not in path] == []
    assert len(fetcher.asked) <= 8
    fetcher.asked.clear()
    assert search(client, Query([[Key(LEAF, bytes(32))]])).hits == ()
    assert not any(path.startswith("tile/entries/") for path in fetcher.asked)
    assert len(fetcher.asked) == len(set(fetcher.asked))


def no_index(objects: dict[str, bytes]) -> dict[str, bytes]:
    """Return the log without any."""
    return without(objects, [path for path in objects if path.startswith("index/")])


def test_what_is_not_proven() -> None:
    """Hits are right; what is absent is not claimed, and why is said."""
    objects = numbers(SIZE, COVERED)
    lagging = {**objects, **{path: data for path, data in numbers(SIZE, 16_384).items() if path.endswith("/head")}}
    gone = without(objects, [path for path in objects if path.startswith("index/leaf/1/0/004/")])
    damaged = {**objects, "index/leaf/1/0/004/000": bytes(65_536)}
    for what, changes, word, covered, error in (
        ("another key", changed(objects, LEAF, by=(OTHER,)), "no signature by", SIZE, AccessError),
        ("a run that is gone", gone, "cannot be used", SIZE, AccessError),
        ("a run that is damaged", damaged, "cannot be used", SIZE, TileError),
        ("an index that lags", lagging, "", 16_384, AccessError),
        ("all is well", objects, "", SIZE, NotLogged),
    ):
        absent = searched(changes, [[Key(LEAF, bytes(32))]])
        assert (absent.hits, absent.covered, word in absent.unproven, bool(absent.unproven)) == (
            (), covered, True, bool(word),
        ), what  # fmt: skip
        assert isinstance(absent.absent("it", "the log", SIZE), error), what
        found = searched(changes, [[by(5, LEAF)]])
        assert found.hits == ((5, entry_of(5)),), what
    with pytest.raises(UsageError, match="no index of leaf/1") as refused:
        searched(no_index(objects), [[by(5, LEAF)]])
    assert "--scan" in refused.value.hint
    query = Query([[by(5, LEAF)]], any_size=True)
    assert search(client_of(no_index(objects)), query).hits == ((5, entry_of(5)),)
    with pytest.raises(UsageError, match="nothing is looked for"):
        searched(objects, [])


def test_only_an_ml_dsa_key() -> None:
    """Hits, and absence unproven."""

    objects, ml_dsa = numbers(SIZE, COVERED), key(LOG.name, 9, MLDSA44)
    objects["checkpoint"] = signed(Checkpoint(LOG.name, client_of(objects).tree), ml_dsa).data
    client = client_of(objects, policy(f"log {ml_dsa.verifier.vkey}\nquorum none\n"))
    found = search(client, Query([[by(5, LEAF)]]))
    assert (found.hits, "but checkpoints" in found.unproven) == (((5, entry_of(5)),), True)


def test_a_head_that_is_wrong() -> None:
    """A record of a key that the entry does not have, vouched for by the log: evidence; by others: no hit."""
    objects = numbers(5000, 4096)
    lie = record(Key(NAME, b"nobody"), 99)
    run, files = build_run(NAME, 0, 0, sorted([*records_in(records_of(NAME, map(entry_of, range(4096)), 0)), lie]))
    for by_key, proves in ((LOG, True), (OTHER, False)):
        lying = {**changed(objects, NAME, lambda head: replace(head, runs=(run,)), by=(by_key,)), **files}
        if proves:
            with pytest.raises(VerificationError, match="entry 99 has a key") as caught:
                searched(lying, [[Key(NAME, b"nobody")]])
            assert set(caught.value.evidence) == {"index head", "checkpoint"}
        else:
            assert searched(lying, [[Key(NAME, b"nobody")]]).hits == ()


def damages(objects: dict[str, bytes], rng: random.Random) -> Iterator[dict[str, bytes]]:
    """Yield the log with one to three things done to objects of its index, none of which the log's key has signed."""
    paths = sorted(path for path in objects if path.startswith("index/"))
    while True:
        result = dict(objects)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            path = rng.choice(paths)
            data = result.get(path, b"")
            what = rng.randrange(7)
            if what == 0:
                result.pop(path, None)
            elif what == 1 and data:
                result[path] = flipped(data, rng.randrange(8 * len(data)))
            elif what == 2:
                result[path] = data[: rng.randrange(len(data) + 1)]
            elif what == 3:
                result[path] = objects[rng.choice(paths)]
            elif what == 4 and len(data) >= 64:
                at = rng.randrange(len(data) // 32) * 16
                result[path] = data[:at] + data[at + 16 :] + data[at : at + 16]
            elif what == 5:
                result[path] = bytes(len(data))
            else:
                kind = rng.choice(KINDS)
                result = changed({**result, **_heads(objects)}, kind, by=(rng.choice((LOG, OTHER)),))
        yield result


def _heads(objects: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in objects.items() if path.endswith("/head")}


def hold(objects: dict[str, bytes], wanted: list[list[Key]], expected: list[int], parallel: int) -> bool:
    """Hold that hits are right, and that they are all if that is said; return whether it is said."""
    try:
        found = searched(objects, wanted, parallel)
    except (LogError, NotFound, UsageError):
        return False
    indexes = [index for index, _ in found.hits]
    assert set(indexes) <= set(expected)
    assert all(entry == entry_of(index) for index, entry in found.hits)
    if not found.unproven:
        assert indexes == [index for index in expected if index < found.covered]
    if not found.hits and isinstance(found.absent("it", "the log", SIZE), NotLogged):
        assert expected == []
    return not found.unproven


def test_whatever_is_damaged() -> None:
    """A hit is never wrong, and a proven absence is never wrong."""
    _damage(0.25)


@pytest.mark.slow
def test_whatever_is_damaged_for_longer() -> None:
    """The same for longer, and of logs of other sizes."""
    _damage(soaking(15, 600))


def _damage(seconds: float) -> None:
    rng = printed_random()
    objects = numbers(SIZE, COVERED)
    expected = [truth(wanted) for wanted in QUERIES]
    proven, total, begun = 0, 0, time.monotonic()
    for damaged in damages(objects, rng):
        number = rng.randrange(len(QUERIES))
        proven += hold(damaged, QUERIES[number], expected[number], rng.choice((1, 1, 1, 4)))
        total += 1
        if time.monotonic() - begun > seconds and 0 < proven < total:  # on a slow machine few come in the time
            break
    assert 0 < proven < total


@pytest.mark.slow
def test_random_logs() -> None:
    """A plain dictionary is the model: entries, names, sizes and what is covered are random."""
    rng, begun = printed_random(), time.monotonic()
    while time.monotonic() - begun < soaking(15, 600):
        size = rng.choice((4096, 4097, 5000, 8191, 8192, 8300, 12_400))
        names = [f"n{number}" for number in range(rng.choice((1, 5, 500)))]
        share = rng.choice((0.0, 0.01, 0.5, 1.0))
        entries = [named(index, rng.choice(names)) if rng.random() < share else b"%d" % rng.randrange(size)
                   for index in range(size)]  # fmt: skip
        model: dict[Key, list[int]] = {}
        for index, entry in enumerate(entries):
            for one in keys_of(entry):
                model.setdefault(one, []).append(index)
        objects = with_index(log_of(entries), *KINDS)
        for _ in range(20):
            wanted = rng.choice([*rng.sample(sorted(model, key=lambda key: key.value), 3), Key(NAME, b"n1"),
                                 Key(LEAF, rng.randbytes(32)), Key(SHA256, rng.randbytes(32))])  # fmt: skip
            if wanted.kind not in KINDS:
                continue
            before = rng.choice((1 << 48, size // 2))
            found = search(client_of(objects), Query([[wanted]], before, 10**6))
            end = min(before, found.covered)  # a tail of more than the limit is not looked through
            assert [index for index, _ in found.hits] == [i for i in model.get(wanted, [])[::-1] if i < end]
            assert not found.unproven
            assert all(leaf_hash(entry) == leaf_hash(entries[index]) for index, entry in found.hits)
