"""Checking an index: whatever its signer states wrongly is a lie that is shown, whatever is damaged can be put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache

import pytest

import tiles.index.spread
from tests.support.reference import flipped
from tests.support.sampling import one_in
from tests.support.world import ORIGIN, World, recording_key, some_entries
from tiles.errors import AccessError, SignatureError, VerificationError
from tiles.index.check import Checked, check_index, contradictions, head_keys, open_head
from tiles.index.own_index import OwnIndex
from tiles.index.spread import SpreadLog
from tiles.notes.index_head import IndexHead, Run, open_index_head, sign_index_head
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.runs import Hands
from tiles.retry import Clock
from tiles.signing.signer import Signer
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_ROOT, Hash, TreeHead
from tiles.workers import threads

KIND = "leaf/1"
HEAD = f"index/{KIND}/head"
OTHER = Hash(b"\x07" * 32)


def own(world: World) -> OwnIndex:
    """Return the index of a log, as its writer has it."""
    signer = Signer(world.key, world.stores["anchor"])
    return OwnIndex(world.stores["public"], signer, lambda: None, Clock(sleep=lambda _: None))


@cache
def grown() -> World:
    """Return a log with an index of two live runs."""
    world = World().grown(20_481)
    own(world).build(KIND)
    return world


def head() -> IndexHead:
    """Return its head."""
    return open_index_head(grown().stores["public"].read(HEAD).data, [grown().verifier])


@cache
def scratch() -> MemoryStore:
    """Return the place where the index was computed again, once."""
    store = MemoryStore("scratch")
    assert check(grown(), head(), store) == Checked()
    return store


def client(world: World) -> LogClient:
    """Return what reads a log."""
    return LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))


def check(world: World, found: IndexHead, store: MemoryStore | None = None) -> Checked:
    """Check a head, and what the log has of its objects."""
    fetcher = StoreFetcher(world.stores["public"])
    return check_index(fetcher, client(world), ORIGIN, KIND, found, store or scratch())


def with_run(number: int, **changes: object) -> IndexHead:
    """Return the head with one run changed."""
    runs = list(head().runs)
    runs[number] = replace(runs[number], **changes)  # type: ignore[arg-type]
    return replace(head(), runs=tuple(runs))


def lies() -> Iterator[IndexHead]:
    """Yield heads with one field wrong, of each field that a head can have wrong."""
    yield replace(head(), tree=TreeHead(20_480, OTHER))
    yield IndexHead(ORIGIN, KIND, TreeHead(16_384, head().tree.root), head().runs[:1])
    for number in (0, 1):
        records = head().runs[number].records
        yield with_run(number, root=OTHER)
        yield with_run(number, root=EMPTY_ROOT, records=0)
        yield with_run(number, records=records - 1)
        yield with_run(number, records=records + 1)
    one, other = head().runs
    yield replace(head(), runs=(replace(one, root=other.root), replace(other, root=one.root)))


@pytest.mark.parametrize("number", range(11))
def test_lies(number: int) -> None:
    """Each is said, with what it should be, whatever the objects are; nothing else is blamed."""
    wrong = list(lies())[number]
    signed = open_head(sign_index_head(wrong, grown().key).data, head_keys(policy_for(grown().verifier), ORIGIN))
    assert signed.head == wrong
    found = check(grown(), wrong, MemoryStore() if wrong.tree.size < 20_480 else None)
    assert found.damaged == ()
    said = (wrong.tree, *wrong.runs)
    right = (client(grown()).tree_at(wrong.tree.size), *head().runs)
    assert len(found.lies) == (
        1 if said[0] != right[0] else sum(one != other for one, other in zip(said, right, strict=True))
    )
    for lie in found.lies:
        shown = [repr(part.line) if isinstance(part, Run) else str(part) for part in right]
        assert any(one in lie for one in shown)


def test_every_field_is_lied_about() -> None:
    """The table above is all of them."""
    assert len(list(lies())) == 11


def test_what_is_no_lie() -> None:
    """A head of another log or kind was put there by somebody, one that covers more than there is belongs to more."""
    for wrong in (replace(head(), origin="other.example.com"), replace(head(), kind="name/1")):
        assert check(grown(), wrong).lies == ()
        assert check(grown(), wrong).damaged == ((HEAD, f"is that of {wrong.kind} of {wrong.origin}"),)
    with pytest.raises(AccessError, match="it is an old copy"):
        check(
            grown(),
            replace(head(), tree=TreeHead(24_576, OTHER), runs=(head().runs[0], replace(head().runs[1], number=5))),
        )
    with pytest.raises(AccessError, match="name an empty place"):
        check(grown(), IndexHead(ORIGIN, KIND, client(grown()).tree_at(16_384), head().runs[:1]))
    with pytest.raises(SignatureError):
        open_head(sign_index_head(head(), recording_key(seed=b"\x05" * 32)).data, [grown().verifier])
    other = signing_key(ORIGIN, bytes(32), SignatureType.MLDSA44).verifier
    with pytest.raises(VerificationError, match="signs anything but checkpoints"):
        head_keys(policy_for(other), ORIGIN)


def damages(data: bytes) -> Iterator[bytes | None]:
    """Yield what may be instead of an object; None: nothing."""
    yield None
    yield from (data[:-1], data + b"\0", b"", flipped(data, 8 * len(data) - 1), flipped(data, 0))


def test_damage_is_put_back() -> None:
    """Every object, whatever is in its place: it is found, said, and put back as it was; nothing was a lie."""
    paths = [listed.path for listed in grown().stores["public"].list("index/") if listed.path != HEAD]
    live = [path for path in paths if "/0/004/" in path or "/1/000/" in path]
    assert len(live) == 4
    for path in live:
        data = grown().stores["public"].read(path).data
        for damage in one_in(6, damages(data)):
            world = grown().copy()
            world.put("public", path, damage)
            found = check(world, head())
            assert ([where for where, _ in found.damaged], found.lies) == ([path], ())
            place = MemoryStore()
            place.create({each.path: scratch().read(each.path).data for each in scratch().list("")})
            assert own(world).repair(KIND, place) == found.damaged
            assert world.stores["public"].read(path).data == data
            assert check(world, head()) == Checked()


def test_a_lie_is_not_repaired() -> None:
    """It stays what it is: the text is the evidence."""
    world = grown().copy()
    data = sign_index_head(with_run(1, root=OTHER), world.key).data
    world.put("public", HEAD, data)
    before = world.contents()
    with pytest.raises(VerificationError, match="does not follow from the entries") as caught:
        own(world).repair(KIND, scratch())
    assert caught.value.evidence == {"index head": data}
    assert world.contents() == before


def test_heads_that_contradict_each_other() -> None:
    """Of one size, or with a run in common: nobody has to read the log to see it."""
    earlier = IndexHead(ORIGIN, KIND, client(grown()).tree_at(16_384), head().runs[:1])
    assert list(contradictions(head(), head())) == []
    assert list(contradictions(head(), earlier)) == []
    for wrong in lies():
        if wrong.tree.size == head().tree.size:
            assert list(contradictions(wrong, head()))
            assert bool(list(contradictions(earlier, wrong))) == (wrong.runs[0] != head().runs[0])


def test_what_was_checked_is_not_computed_again() -> None:
    """In a place that is kept, a later check reads only what is new."""
    world, store = World().grown(8192), MemoryStore("scratch")
    own(world).build(KIND)
    assert check(world, own(world).build(KIND), store) == Checked()
    world.append(some_entries("more", 4096))

    class Once(LogClient):
        def leaves(self, start: int, stop: int) -> Iterator[list[Hash]]:  # type: ignore[override]
            assert start >= 8192
            return super().leaves(start, stop)  # type: ignore[return-value]

    fetcher = StoreFetcher(world.stores["public"])
    reading = Once(fetcher, policy_for(world.verifier))
    assert check_index(fetcher, reading, ORIGIN, KIND, own(world).build(KIND), store) == Checked()


def test_records_that_others_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index is checked with the records that workers have computed; what they say is compared as ever."""
    monkeypatch.setattr("tiles.index.build.STEP", 4096)
    monkeypatch.setattr(tiles.index.spread, "SPAN", 4096)
    fetcher = StoreFetcher(grown().stores["public"], 2)
    reading = LogClient(fetcher, policy_for(grown().verifier))
    asked: list[tuple[int, int, bool]] = []
    records = SpreadLog.records

    def counted(log: SpreadLog, kind: str, start: int, stop: int) -> bytes | None:
        found = records(log, kind, start, stop)
        asked.append((start, stop, found is not None))
        return found

    monkeypatch.setattr(SpreadLog, "records", counted)
    with threads(2) as workers, closing(SpreadLog(reading, Hands(workers))) as log:
        assert check_index(fetcher, log, ORIGIN, KIND, head(), MemoryStore("scratch")) == Checked()
        lie = with_run(0, root=OTHER)
        assert check_index(fetcher, log, ORIGIN, KIND, lie, MemoryStore("scratch")).lies
    assert asked[:5] == [(start, start + 4096, True) for start in range(0, 20_480, 4096)]
