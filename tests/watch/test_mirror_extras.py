"""What a mirror copies beside the tree: each verified as far as it can be, and what is not right is left, and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import pytest

from tests.support.mirrors import contents, holding, withholding
from tests.support.readers import POLICY, Objects, make_log
from tests.support.reference import flipped
from tests.support.signed_text import LOG
from tests.support.world import ORIGIN, World, some_entries
from tiles.index.build import IndexBuilder
from tiles.notes.checkpoint import parse_signed_checkpoint, sign_checkpoint
from tiles.notes.index_head import sign_index_head
from tiles.notes.key_change import ADD, RETIRE
from tiles.notes.keys import signing_key
from tiles.notes.policy import policy_for
from tiles.notes.withheld import MAX_WITHHELD_SIZE
from tiles.read.client import LogClient
from tiles.records.paths import INDEX, KEYS, checkpoint_path, payload_path, withheld_path
from tiles.signing.log_keys import LogKeys
from tiles.store import Store, StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.tree.layout import TILES
from tiles.watch.mirror import Mirror
from tiles.watch.mirror_extras import Extras, copy_extras

PAYLOAD = payload_path(sha256(b"content").hexdigest())
SIZES = (300, 5000)
NEW = signing_key(ORIGIN, b"\x02" * 32)


def indexed(log: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a log with an index of its leaf hashes."""
    store = holding(log)
    client = LogClient(StoreFetcher(store), POLICY)
    client.visit()
    IndexBuilder(store, client, lambda head: sign_index_head(head, LOG).data, LOG.verifier).build(
        LOG.verifier.name, "leaf/1"
    )
    return contents(store)


@pytest.fixture(scope="module")
def log() -> dict[str, bytes]:
    """Return a log with all that can be beside a tree."""
    return {**indexed(withholding(make_log(*SIZES), 1) | make_log(*SIZES)), PAYLOAD: b"content", "index.html": b"page"}


def copied(log: Mapping[str, bytes], target: Store) -> Extras:
    """Mirror all of a log."""
    listing = holding(log)
    client = LogClient(Objects(log), POLICY)
    client.visit()
    Mirror(client, target).run()
    return copy_extras(client, listing, target)


def beside(objects: Mapping[str, bytes], *without: str) -> dict[str, bytes]:
    """Return what a log has beside its tiles, and the page."""
    without = (*without, "index.html")
    return {path: data for path, data in objects.items() if not path.startswith(TILES) and path not in without}


def test_all(log: dict[str, bytes]) -> None:
    """Everything but the page is there, byte for byte, and nothing is copied twice."""
    store = MemoryStore()
    done = copied(log, store)
    assert beside(contents(store)) == beside(log)
    assert done.left == []
    runs = [path for path in log if path.startswith(INDEX) and not path.endswith("/head")]
    assert done.unverified == len(runs) > 0
    again = copied(log, store)
    assert again.copied == 2  # what may change: a record, and an index head
    assert beside(contents(store)) == beside(log)


WRONG: dict[str, tuple[str, Callable[[dict[str, bytes]], bytes]]] = {
    "a payload": (PAYLOAD, lambda _log: b"other"),
    "a checkpoint's signature": (checkpoint_path(300), lambda log: flipped(log[checkpoint_path(300)], 900)),
    "a checkpoint of another size": (checkpoint_path(300), lambda log: log[checkpoint_path(5000)]),
    "a checkpoint of another history": (
        checkpoint_path(300),
        lambda _log: make_log(300, tag="other", same_up_to=9)[checkpoint_path(300)],
    ),
    "a checkpoint of the future": (checkpoint_path(6000), lambda _log: make_log(6000)[checkpoint_path(6000)]),
    "no checkpoint's name": ("checkpoints/hello", lambda log: log[checkpoint_path(300)]),
    "a record": (withheld_path(1), lambda log: flipped(log[withheld_path(1)], 90)),
    "a long record": (withheld_path(1), lambda _log: bytes(MAX_WITHHELD_SIZE + 1)),
    "a record's place": (withheld_path(2), lambda log: log[withheld_path(1)]),
    "an index head": ("index/leaf/1/head", lambda log: flipped(log["index/leaf/1/head"], 90)),
    "an index head of another kind": ("index/sha256/1/head", lambda log: log["index/leaf/1/head"]),
    "no object of an index": ("index/hello", lambda _log: b"hello"),
}


@pytest.mark.parametrize(("path", "change"), WRONG.values(), ids=WRONG.keys())
def test_what_is_not_right(log: dict[str, bytes], path: str, change: Callable[[dict[str, bytes]], bytes]) -> None:
    """It is not copied, and named; the others are copied."""
    store = MemoryStore()
    done = copied({**log, path: change(log)}, store)
    assert [left for left, _ in done.left] == [path]
    assert beside(contents(store)) == beside(log, path)


def test_another_content_is_there(log: dict[str, bytes]) -> None:
    """What never changes is not compared once it is there; what the mirror was given by others stays."""
    store = holding({PAYLOAD: b"other"})
    assert copied(log, store).left == []
    assert contents(store)[PAYLOAD] == b"other"


def test_of_a_log_that_has_changed_its_key() -> None:
    """Its statements are copied, and what was kept under the old key; not what the old key has signed since."""
    world = World(others=(NEW.verifier,)).grown(3)
    both = LogKeys([world.key, NEW])
    for action, key in ((ADD, NEW.verifier), (RETIRE, world.verifier)):
        world.sequencer(key=both).rekeying.change(action, key)
    world.sequencer(key=both).append(some_entries("after", 2))
    public = world.stores["public"]
    late = sign_checkpoint(parse_signed_checkpoint(public.read("checkpoint").data).checkpoint, world.key)
    public.delete([checkpoint_path(5)])
    public.create({checkpoint_path(5): late.data, "keys/2": b"junk"})
    client = LogClient(StoreFetcher(public), policy_for(NEW.verifier))
    client.visit()
    store = MemoryStore()
    Mirror(client, store).run()
    left = [path for path, _ in copy_extras(client, public, store).left]
    assert left[0] == KEYS  # what is no statement hides which keys there were
    assert checkpoint_path(3) in left
    public.delete(["keys/2"])
    done = copy_extras(client, public, store)
    assert [path for path, _ in done.left] == [checkpoint_path(5)]
    there = contents(store)
    assert {path: there[path] for path in ("keys/0", "keys/1", checkpoint_path(3))} == {
        path: public.read(path).data for path in ("keys/0", "keys/1", checkpoint_path(3))
    }
