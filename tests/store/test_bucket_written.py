"""What a batch writes: what the layout cannot do without, three objects more, and one a day; and what gc leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.support.object_server import ObjectServer
from tests.support.sampling import quickly
from tiles.notes.keys import signing_key
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.tree.layout import ENTRIES, TILE_WIDTH, level_size, levels
from tiles.upkeep.gc import gc
from tiles.write.sequencer import Sequencer

DAY = 86_400.0
NOW = 2_000_000_000.0  # of a server: before it is 0, nothing was ever written
KEY = signing_key("log.example.com", bytes(32))
SIZES = [1, 10, 100, 256, 1000, 4096, 65_536]


class Counting(MemoryStore):
    """Counts what is written."""

    writes = 0

    def create(self, objects):  # type: ignore[no-untyped-def]
        """Count each object."""
        self.writes += len(objects)
        super().create(objects)

    def swap(self, path, data, expected):  # type: ignore[no-untyped-def]
        """Count one object."""
        self.writes += 1
        return super().swap(path, data, expected)


def floor(old: int, new: int) -> int:
    """Return how many tiles and bundles change as a tree grows, and the checkpoint: no layout can write less."""
    changed = 0
    for level in (ENTRIES, *levels(new)):
        first, end = level_size(old, level), level_size(new, level)
        if end > first:
            changed += -(-end // TILE_WIDTH) - first // TILE_WIDTH
    return changed + 1


@pytest.mark.parametrize("size", SIZES)
def test_objects_per_batch(size: int) -> None:
    """The floor, and: staged batch, head, kept checkpoint; the first of a day once more."""
    public, private = Counting(), Counting()
    day = [0.0]
    sequencer = Sequencer(public, private, Signer(KEY, MemoryStore()), now=lambda: day[0])
    sequencer.create()
    sequencer.append([b"first"])
    at = 1
    for batch in range(6):
        before = public.writes + private.writes
        day[0] += DAY * (batch % 2)
        sequencer.append([b"x"] * size)
        assert public.writes + private.writes - before == floor(at, at + size) + 3 + batch % 2
        at += size


class Bucketed:
    """A log on an S3 server, of which it is known what was written, at a time that is set."""

    def __init__(self, server: ObjectServer) -> None:
        from tests.support.object_server_stores import open_on

        self.server = server
        self.now = NOW
        server.clock = lambda: self.now
        self.public = open_on(server, "public/log")
        self.private = open_on(server, "private/log", public=False)
        signer = Signer(KEY, open_on(server, "anchor/log", public=False))
        self.sequencer = Sequencer(self.public, self.private, signer, now=lambda: self.now)
        self.sequencer.create()
        self.entries: list[bytes] = []

    def append(self, count: int) -> int:
        """Append so many entries, and return how many objects that wrote, as the server counts."""
        new = [b"%d" % number for number in range(len(self.entries), len(self.entries) + count)]
        before = len(self.server.requests)
        self.sequencer.append(new)
        self.entries += new
        asked = [each for each in self.server.requests[before:] if each.kind in ("PUT", "POST") and each.key]
        assert {each.status for each in asked} == {200} or len(self.entries) == count  # the first run looks twice
        return sum(each.bucket != "anchor" for each in asked)

    def stored(self) -> dict[str, bytes]:
        """Return the objects of the public part."""
        return {key.removeprefix("log/"): data for key, data in self.server.objects["public"].items()}


@pytest.fixture
def bucketed() -> Iterator[Bucketed]:
    """An empty log."""
    pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")
    with ObjectServer("s3") as server:
        yield Bucketed(server)


def tiles_alone(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Return the tiles and bundles that a tree needs: what is written if it is all one batch."""
    public = MemoryStore()
    sequencer = Sequencer(public, MemoryStore(), Signer(KEY, MemoryStore()))
    sequencer.create()
    sequencer.append(entries)
    return of_tiles({listed.path: public.read(listed.path).data for listed in public.list("")})


def of_tiles(stored: dict[str, bytes]) -> dict[str, bytes]:
    """Return those below tile/."""
    return {path: data for path, data in stored.items() if path.startswith("tile/")}


@pytest.mark.parametrize("size", SIZES)
def test_objects_per_batch_in_a_bucket(size: int, bucketed: Bucketed) -> None:
    """The same numbers, as a server counts requests that write; no write is asked for twice."""
    bucketed.append(1)
    at = 1
    for batch in range(4 if size < 65_536 else 2):
        bucketed.now += DAY * (batch % 2)
        assert bucketed.append(size) == floor(at, at + size) + 3 + batch % 2
        at += size
    private = {key for key in bucketed.server.objects["private"] if "/staging/" in key}
    assert private == set()


@pytest.mark.parametrize("size", quickly([size for size in SIZES if size < 65_536], [1, 1000]))
def test_gc_leaves_the_floor(size: int, bucketed: Bucketed) -> None:
    """Of a tree whose tiles are full nothing stays but they, the checkpoints and policy.txt: no object, no byte more.

    A partial tile stays as long as there is no full one in its place: those who read an older checkpoint need it.
    """
    for _ in range(5):
        bucketed.append(size)
    collect(bucketed)
    needed = tiles_alone(bucketed.entries)
    left = of_tiles(bucketed.stored())
    assert needed.items() <= left.items()
    for path in left.keys() - needed.keys():
        assert ".p/" in path
        assert path.partition(".p/")[0] not in left, f"{path} is of no use"
    bucketed.append(TILE_WIDTH**2 - len(bucketed.entries))
    collect(bucketed)
    assert of_tiles(bucketed.stored()) == tiles_alone(bucketed.entries)
    more = {path for path in bucketed.stored() if not path.startswith(("tile/", "checkpoints/"))}
    assert more == {"checkpoint", "policy.txt"}
    kept = {path for path in bucketed.stored() if path.startswith("checkpoints/")}
    assert len(kept) == 8  # one for each size from 0 on, one for the day
    assert {key.split("/")[1] for key in bucketed.server.objects["private"]} == {"head", "policies"}


def collect(bucketed: Bucketed) -> None:
    """Run gc when more than the grace period is over; before, it takes nothing."""
    before = bucketed.stored()
    gc(bucketed.public, bucketed.private, now=bucketed.now + 10, grace=DAY)
    assert of_tiles(bucketed.stored()) == of_tiles(before)
    dry = gc(bucketed.public, bucketed.private, now=bucketed.now + 2 * DAY, grace=DAY, dry_run=True)
    done = gc(bucketed.public, bucketed.private, now=bucketed.now + 2 * DAY, grace=DAY)
    assert dry == done
    gone = before.keys() - bucketed.stored().keys()
    assert (done.tiles + done.bundles, done.bytes) == (len(gone), sum(len(before[path]) for path in gone))
