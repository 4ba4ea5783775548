"""A witness whose state is in a bucket: each request that goes wrong, is late or is held; what is gone; what is old.

What it has cosigned is one row, whatever happens on the way, and is read from the bucket each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from tests.support.faults import Passing
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault, possible
from tests.support.object_server_stores import moto_environment, open_on
from tests.support.object_server_trouble import PATIENCE, Held, Target, Trouble
from tests.support.sampling import quickly
from tests.support.signed_text import ORIGIN
from tests.support.witnessing import NOW, OURS, OtherSize, Time, ask, at, begun, check_row, witness
from tiles.errors import AccessError, Denied, Refused
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.witness_messages import seen_path
from tiles.store import Object, Store
from tiles.store.open_bucket import open_object_store
from tiles.watch.witness import Cosigned
from tiles.write.prepare import as_public

BEGIN = -1  # in the place of a size
CALLS = [(0, BEGIN), (0, 5), (5, 200), (5, 5)]  # old and new size
KEY = f"w/{seen_path(ORIGIN)}"


class Bucket:
    """A bucket on a server, and each content that the witness's object in it ever had.

    dialect   of the server
    """

    def __init__(self, dialect: str) -> None:
        self.server = ObjectServer(dialect, wrote=self._wrote)
        self.contents: list[bytes] = []

    def _wrote(self, bucket: str, key: str) -> None:
        data = self.server.get(bucket, key)
        if key == KEY and data is not None:
            self.contents.append(data)

    def open(self, who: str = "tester") -> Store:
        """Open the place of the witness as another process does."""
        return open_on(self.server, "bucket/w", who=who)

    def reset(self, store: Store, old: int, new: int) -> None:
        """Let the object be as it is before a call."""
        self.server.fault = None
        self.server.settle()
        if KEY in self.server.objects.get("bucket", {}):
            self.server.remove("bucket", KEY)
        self.contents.clear()
        if new != BEGIN:
            witness(store).begin(OURS)
            if old:
                ask(witness(store), 0, old)


@pytest.fixture(scope="module", params=quickly(["s3", "gcs", "azure"], ["s3"]))
def dialect(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    """A bucket of each dialect."""
    bucket = Bucket(request.param)
    with bucket.server:
        yield bucket


def call(store: Store, old: int, new: int) -> object:
    """Do it, a second later."""
    by = witness(store, Time(NOW + 1))
    return by.begin(OURS) if new == BEGIN else ask(by, old, new)


@pytest.mark.parametrize(("old", "new"), CALLS)
def test_every_fault_of_every_request(dialect: Bucket, old: int, new: int) -> None:
    """What was said is stored; what was done and whose answer was lost is found to be done; the next call goes on."""
    store = dialect.open()
    dialect.reset(store, old, new)
    first = len(dialect.server.requests)
    call(store, old, new)
    asked = [each for each in dialect.server.requests[first:] if each.bucket]
    assert {each.key for each in asked} == {KEY}
    assert [each.kind for each in asked if each.kind == "PUT"] == ["PUT"]
    assert new == BEGIN or asked[0].kind == "GET"  # what was cosigned last is read from the bucket, each time
    for number, one in enumerate(asked):
        for fault in possible(one.kind):
            dialect.reset(store, old, new)
            occurrence = sum(each.kind == one.kind for each in asked[:number])
            trouble = Trouble(Target(one.kind, f"bucket/{KEY}", occurrence), fault)
            dialect.server.fault = trouble
            try:
                said = call(store, old, new)
            except AccessError:
                said = None
            assert trouble.hit, trouble
            dialect.server.fault = None
            if isinstance(said, Cosigned):  # "The witness MUST persist the new checkpoint before responding"
                assert parse_signed_checkpoint(dialect.contents[-1]) == said.signed, trouble
            assert said is not None or fault is not Fault.DONE_DROPPED, trouble
            dialect.server.settle()  # what is late happens now
            go_on(dialect, old, new)


def go_on(bucket: Bucket, old: int, new: int) -> None:
    """Let another process go on from what is there, whichever of both it is."""
    own = bucket.open()
    by = witness(own, Time(NOW + 2))
    if new == BEGIN:
        by.begin(OURS)
    now = by.last(OURS).tree.size
    assert now in (old, max(new, 0))
    ask(by, now, 210)
    assert check_row(bucket.contents)[-1] == at(210).tree


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("old", "new"), [(5, 200), (5, 5)])
def test_a_request_on_its_way_for_longer_than_another_run(moment: str, old: int, new: int) -> None:
    """Whichever request of a run is held meanwhile, the run that comes late rolls nothing back, and says so."""
    bucket = Bucket("s3")
    with bucket.server as server:
        store = bucket.open()
        for held_at in range(3):
            bucket.reset(store, old, new)
            slow, fast = bucket.open("A"), bucket.open("B")
            held = Held("A", held_at, moment)
            server.held = held
            with ThreadPoolExecutor(1) as thread:
                try:
                    first = thread.submit(call, slow, old, new)
                    if not held.reached.wait(0.5):
                        break  # it does not ask so often
                    ask(witness(fast, Time(NOW + 9)), witness(fast).last(OURS).tree.size, 210)
                finally:
                    held.go.set()
                    server.held = None
                error = first.exception(PATIENCE)
            assert isinstance(error, OtherSize | type(None)), held.what
            assert check_row(bucket.contents)[-1] == at(210).tree, held.what
        assert held_at > 0


def test_what_another_run_has_cosigned_is_seen_at_once() -> None:
    """Nothing of it is remembered between two calls: what counts is what the bucket has now."""
    bucket = Bucket("s3")
    with bucket.server:
        one, other = bucket.open(), bucket.open()
        first, second = witness(one), witness(other)
        first.begin(OURS)
        for old, new, by in [(0, 5, first), (5, 150, second), (150, 200, first), (200, 210, second)]:
            with pytest.raises(OtherSize):
                ask(by, old + 1, new)
            ask(by, old, new)
        check_row(bucket.contents)


def test_an_old_copy_from_a_cache_cosigns_nothing() -> None:
    """Something on the way gives an old object again and again: the swap does not compare with it, nothing is said."""
    kept = begun()
    ask(witness(kept), 0, 50)

    class Cached(Passing):
        old: Object | None = None

        def read(self, path: str, limit: int | None = None) -> Object:
            self.old = self.old or super().read(path, limit)
            return self.old

    cached = Cached(kept, "state")
    cached.read(seen_path(ORIGIN))
    ask(witness(kept), 50, 200, "other")
    before = list(kept.contents)
    with pytest.raises(AccessError, match="others keep writing"):
        ask(witness(cached), 50, 200)
    assert kept.contents == before


def test_an_object_that_is_gone_is_refused() -> None:
    """An empty bucket, or one that this object was deleted from, is no reason to begin anew."""
    bucket = Bucket("s3")
    with bucket.server as server:
        with pytest.raises(Refused, match="is gone: it says what was cosigned last"):
            ask(witness(bucket.open()), 0, 5)
        bucket.reset(bucket.open(), 5, 200)
        server.remove("bucket", KEY)
        bucket.contents.clear()
        for tag in ("entry", "other"):
            with pytest.raises(Refused, match="is gone: it says what was cosigned last"):
                ask(witness(bucket.open()), 5, 200, tag)
        assert bucket.contents == []


def test_credentials_that_may_not_read() -> None:
    """Nobody knows what was cosigned: that is no reason either, and is another error than that it is gone."""
    bucket = Bucket("s3")
    with bucket.server as server:
        bucket.reset(bucket.open(), 5, 200)
        before = list(bucket.contents)
        server.access = {"tester": lambda request: request.kind == "PUT"}
        with pytest.raises(Denied):
            ask(witness(bucket.open()), 5, 200)
        assert bucket.contents == before


def test_on_moto() -> None:
    """Another S3 server: begun once, cosigned, refreshed; what is there is compared, and what is gone is refused."""
    with moto_environment() as environment, patch.dict(os.environ, environment):
        import boto3

        boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"]).create_bucket(Bucket="bucket")
        opened = [as_public(open_object_store("s3://bucket/w")) for _ in range(2)]
        one, other = (witness(store, Time(NOW + number)) for number, store in enumerate(opened))
        assert (one.begin(OURS), other.begin(OURS)) == (True, False)
        contents = []
        for old, new, by in [(0, 5, one), (5, 5, other), (5, 200, other)]:
            contents.append(ask(by, old, new).signed.data)
            assert opened[0].read(seen_path(ORIGIN)).data == contents[-1]
        check_row(contents)
        with pytest.raises(OtherSize):
            ask(one, 5, 210)
        opened[0].delete([seen_path(ORIGIN)])
        with pytest.raises(Refused, match="is gone"):
            ask(other, 200, 210)
