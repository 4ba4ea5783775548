"""A mirror in a bucket: whatever fails or dies, no checkpoint is ahead of its tree, and the next run makes it whole."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.faults import Died, Faults
from tests.support.killed_mirrors import kill_mirrors
from tests.support.mirrors import contents, mirror, tree_of
from tests.support.object_server import ObjectServer
from tests.support.other_mirrors import KINDS, mirror_of
from tests.support.readers import POLICY, make_log
from tests.support.sampling import one_in
from tiles.errors import AccessError
from tiles.read.client import LogClient
from tiles.records.serving import BYTES, CERTIFICATE, FRESH, IMMUTABLE, TEXT
from tiles.store import Store, StoreFetcher
from tiles.tree.layout import CHECKPOINT
from tiles.upkeep.audit import audit
from tiles.user.places import public_store
from tiles.write.prepare import as_public

PLACE = "s3://public/mirror"
OLD, NEW = make_log(300), make_log(300, 600)
WHOLE = tree_of(OLD) | tree_of(NEW)


@pytest.fixture
def anew(s3: ObjectServer) -> Callable[..., Store]:
    """Return what empties the bucket, puts objects there, and opens the mirror as the command does."""

    def opened(objects: dict[str, bytes]) -> Store:
        for key in list(s3.objects.get("public", {})):
            s3.remove("public", key)
        store = as_public(public_store(PLACE))
        if objects:
            store.create(objects)
        return store

    return opened


def test_headers(s3: ObjectServer, anew: Callable[..., Store]) -> None:
    """Each object is stored as it is to be served, in every format."""
    mirror(make_log(600), store := anew({}))
    assert contents(store) == tree_of(make_log(600))
    for kind in KINDS.values():
        mirror_of(kind, kind.make(300), store := anew({}))
        assert contents(store) == kind.tree_of(300)
        for path in contents(store):
            headers = s3.headers("public", f"mirror/{path}")
            changes = path == kind.log_format.checkpoint
            type_ = TEXT if changes else CERTIFICATE if path.startswith("issuer/") else BYTES
            assert headers["content-type"] == type_
            assert headers["cache-control"] == (FRESH if changes else IMMUTABLE)


def test_faults(anew: Callable[..., Store]) -> None:
    """A run whose request fails, is lost or is its last one leaves a good mirror; the next one finishes it."""
    counting = Faults()
    mirror(NEW, counting.wrap(anew(tree_of(OLD)), "mirror"))
    cases = [(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]
    assert len(cases) > 20
    for at, fault in one_in(3, cases):
        store, faults = anew(tree_of(OLD)), Faults(at, fault)
        with suppress(Died, AccessError):
            mirror(NEW, faults.wrap(store, "mirror"))
        left = contents(store)
        assert left.items() <= WHOLE.items() | tree_of(OLD).items(), str(faults)
        assert left[CHECKPOINT] == OLD[CHECKPOINT] or left == WHOLE, str(faults)
        mirror(NEW, store)
        assert contents(store) == WHOLE, str(faults)


def test_killed(anew: Callable[..., Store], tmp_path: Path) -> None:
    """Processes that are killed before store operations chosen by chance; each goes on from what is in the bucket."""
    store = anew({})
    kill_mirrors(tmp_path, PLACE, 4, lambda: contents(store))


def test_several_at_once(anew: Callable[..., Store]) -> None:
    """Runs beside each other, each with a log of another size, end with the largest tree, whole."""
    logs = [make_log(300), make_log(300, 600), make_log(300, 600, 900)]
    anew({})
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda log: mirror(log, as_public(public_store(PLACE))), logs * 2))
    store = as_public(public_store(PLACE))
    assert max(each.tree.size for each in done) == 900
    assert store.read(CHECKPOINT).data == logs[-1][CHECKPOINT]
    client = LogClient(StoreFetcher(store), POLICY)
    client.visit()
    assert audit(StoreFetcher(store), client.tree).findings == ()
    assert contents(store).items() >= tree_of(make_log(900)).items()  # a run that came too late for its tree adds none
