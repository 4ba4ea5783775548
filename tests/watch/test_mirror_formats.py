"""Mirroring other people's logs: in the format that they have, exactly, and nothing that the signed tree has not."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.support.faults import Died, Faults
from tests.support.mirrors import contents, holding
from tests.support.other_mirrors import KINDS, Kind, encoded, mirror_of
from tests.support.readers import Objects
from tests.support.reference import flipped
from tests.support.signed_text import W1
from tiles.errors import AccessError, LogError, Refused, TileError, UsageError
from tiles.read.client import LogClient
from tiles.store import StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.watch.mirror import Mirror
from tiles.watch.mirror_signing import MirrorSigner

SIZES = (1, 255, 256, 300)


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return logs of each format but our own."""
    found: Kind = request.param
    return found


@pytest.mark.parametrize("size", SIZES)
def test_all_of_it(kind: Kind, size: int) -> None:
    """A mirror has the log's tiles, data tiles, checkpoint and issuers, byte for byte, where the log has them."""
    store = MemoryStore("mirror")
    done = mirror_of(kind, kind.make(size), store)
    assert (done.tree.size, done.published) == (size, True)
    assert contents(store) == kind.tree_of(size)
    again = mirror_of(kind, kind.make(size), store)
    assert (again.objects, again.issuers, again.published) == (0, 0, False)


def test_a_log_that_has_grown(kind: Kind) -> None:
    """The next run adds what the log has gained, and can be read as the log can; a mirror never gets smaller."""
    store = MemoryStore("mirror")
    for size in SIZES:
        mirror_of(kind, kind.make(size), store)
    assert contents(store).items() >= kind.tree_of(300).items()
    assert not mirror_of(kind, kind.make(255), store).published
    here, there = (
        LogClient(log, kind.policy, log_format=kind.log_format)
        for log in (StoreFetcher(store), Objects(kind.make(300)))
    )
    assert list(here.entries(0, 300)) == list(there.entries(0, 300))


def test_data_tiles_that_are_kept_encoded() -> None:
    """What a log keeps gzip-encoded is served decoded, so that is what a mirror has."""
    kind, store = KINDS["static-ct"], MemoryStore("mirror")
    mirror_of(kind, encoded(kind.make(300)), store)
    assert contents(store) == kind.tree_of(300)


def test_partial_tiles_that_are_gone(kind: Kind) -> None:
    """Where only the full tile of a larger tree is there, the partial one is cut from it."""
    store, log = MemoryStore("mirror"), kind.make(300)
    checkpoint = kind.log_format.checkpoint
    small = {path: data for path, data in log.items() if path not in kind.make(255) or ".p/" not in path}
    mirror_of(kind, {**small, checkpoint: kind.make(255)[checkpoint]}, store)
    assert contents(store) == kind.tree_of(255)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_log_that_is_damaged(kind: Kind, which: int) -> None:
    """Nothing that does not verify is written, and no checkpoint; the error has the path that the log has for it."""
    store, log, path = MemoryStore("mirror"), kind.make(300), kind.data[which]
    with pytest.raises((LogError, AccessError), match=path):
        mirror_of(kind, {**log, path: flipped(log[path], 77)}, store)
    assert contents(store).items() <= log.items()
    assert kind.log_format.checkpoint not in contents(store)
    mirror_of(kind, log, store)
    assert contents(store) == kind.tree_of(300)


def test_a_missing_data_tile(kind: Kind) -> None:
    """What is missing is told as missing: nobody withholds entries in these formats."""
    log = kind.make(300)
    with pytest.raises(AccessError, match=kind.data[0]):
        mirror_of(kind, {path: data for path, data in log.items() if path != kind.data[0]}, MemoryStore("mirror"))


def test_another_content_is_there(kind: Kind) -> None:
    """An object with another content is an error that names it, and is not overwritten."""
    there = holding({kind.data[1]: b"something else"})
    with pytest.raises(TileError, match=rf"memory://mirror/{kind.data[1]}.*another content"):
        mirror_of(kind, kind.make(300), there)
    assert contents(there)[kind.data[1]] == b"something else"


def test_what_a_dead_run_has_left(kind: Kind) -> None:
    """What is there already is verified, and not read from the log again."""
    reading = Objects(kind.make(300))
    there = holding({kind.data[0]: kind.make(300)[kind.data[0]]})
    mirror_of(kind, reading, there)
    assert contents(there) == kind.tree_of(300)
    assert kind.data[0] not in reading.asked
    assert kind.data[1] in reading.asked


def test_faults_at_every_operation(kind: Kind) -> None:
    """A run that fails or dies anywhere leaves a good mirror, or none; the next one finishes it."""
    old, log, whole = kind.tree_of(255), kind.make(300), kind.tree_of(255) | kind.tree_of(300)
    counting = Faults()
    mirror_of(kind, log, counting.wrap(holding(old), "mirror"))
    assert len(counting.done) > 8
    for at, (_, kinds) in enumerate(counting.done):
        for fault in kinds:
            store, faults = holding(old), Faults(at, fault)
            with suppress(Died, AccessError):
                mirror_of(kind, log, faults.wrap(store, "mirror"))
            left, checkpoint = contents(store), kind.log_format.checkpoint
            assert left.items() <= whole.items() | old.items(), str(faults)
            assert left[checkpoint] == old[checkpoint] or left == whole, str(faults)
            mirror_of(kind, log, store)
            assert contents(store) == whole, str(faults)


def test_it_cannot_be_cosigned(kind: Kind) -> None:
    """A mirror of tlog-mirror serves tlog-tiles, so it cannot cosign a log of another format."""
    client = LogClient(Objects(kind.make(7)), kind.policy, log_format=kind.log_format)
    client.visit()
    with pytest.raises(UsageError, match="mirrors that cosign serve tlog-tiles"):
        Mirror(client, MemoryStore("mirror"), signer=MirrorSigner(W1, lambda: 0.0), begin=True)


def test_another_log_is_there(kind: Kind) -> None:
    """A place of a log of another origin is refused."""
    other = next(each for each in KINDS.values() if each is not kind)
    foreign = other.make(7)[other.log_format.checkpoint]
    with pytest.raises(Refused, match="is of the log"):
        mirror_of(kind, kind.make(7), holding({kind.log_format.checkpoint: foreign}))
