"""Importing: the other log's entries, all of them, once, with its roots; or nothing, and why."""

from __future__ import annotations

import random

import pytest

import tiles.read.spread
import tiles.upkeep.import_log
from tests.support.command_line import Command
from tests.support.faults import Died, Fault, Faults
from tests.support.readers import POLICY, Objects, entry, make_log
from tests.support.signed_text import LOG
from tests.support.world import World
from tiles.errors import Refused, TileError, Unfinished, UsageError, VerificationError
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.runs import Hands
from tiles.records.paths import checkpoint_path
from tiles.store import StoreFetcher
from tiles.upkeep.import_log import Imported, import_log
from tiles.workers import threads
from tiles.write.ahead import MAX_BATCH
from tiles.write.sequencer import Sequencer

SIZE = 1300


def client(objects: Objects | None = None) -> LogClient:
    """Return a reader of the log that is imported."""
    return LogClient(objects or Objects(make_log(SIZE)), POLICY)


def entries(start: int, stop: int) -> list[bytes]:
    """Return the entries of the log that is imported."""
    return [entry(index) for index in range(start, stop)]


def holding(count: int) -> World:
    """Return a log of another key that has the first entries already."""
    world = World().grown()
    if count:
        world.append(entries(0, count))
    return world


def check_imported(world: World, size: int = SIZE) -> None:
    """Check the log, and that it has the other one's entries and root."""
    world.check()
    assert list(world.committed() or ()) == entries(0, size)
    published = parse_signed_checkpoint(world.stores["public"].read("checkpoint").data)
    assert published.tree == client().tree_at(size)


@pytest.mark.parametrize("first", [0, 1, 255, 256, 1000, SIZE])
def test_import(first: int) -> None:
    """What is missing is added, from wherever the log ends; what was there is not added again."""
    world = holding(first)
    done = import_log(client(), world.sequencer(), batch_size=512)
    assert (done.first_index, done.count) == (first, SIZE - first)
    assert done.checkpoint.tree == client().tree
    check_imported(world)
    assert import_log(client(), world.sequencer()) == Imported(SIZE, 0, done.checkpoint)


@pytest.mark.parametrize("first", [0, 256, 1000])
@pytest.mark.parametrize("bundles", [1, 3])
def test_read_by_others(first: int, bundles: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the other log, and in whatever pieces, the same entries are added in the same order."""
    monkeypatch.setattr(tiles.read.spread, "_BUNDLES", bundles)
    world = holding(first)
    with threads(3) as workers:
        done = import_log(client(), world.sequencer(), batch_size=512, hands=Hands(workers))
    assert (done.first_index, done.count) == (first, SIZE - first)
    check_imported(world)


def test_what_others_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers hand over is believed because they checked it; what they leave out, the client reads as ever."""
    monkeypatch.setattr(tiles.read.spread, "some_bundles", lambda _, run: [None] * (len(run.roots) // 32))
    world = holding(100)
    import_log(client(), world.sequencer(), batch_size=512)
    check_imported(world)


def test_batches_end_at_multiples() -> None:
    """A batch ends where the size is a multiple of the batch size, and at the end; progress tells what is there."""
    world = holding(100)
    told: list[int] = []
    import_log(client(), world.sequencer(), batch_size=512, progress=told.append)
    assert told == [100, 412, 512, SIZE - 1024]
    kept = [listed.path for listed in world.stores["public"].list("checkpoints/") if "days" not in listed.path]
    assert kept == [checkpoint_path(size) for size in (0, 100, 512, 1024, SIZE)]


@pytest.mark.parametrize(("most", "told"), [(1000, [0, *[256] * 5, 20]), (15_000, [0, 512, 512, 276])])
def test_batches_end_when_they_are_large(monkeypatch: pytest.MonkeyPatch, most: int, told: list[int]) -> None:
    """A batch of many bytes ends early, after a full bundle: memory follows the batch."""
    monkeypatch.setattr(tiles.upkeep.import_log, "MAX_BATCH_BYTES", most)
    world = holding(0)
    found: list[int] = []
    import_log(client(), world.sequencer(), progress=found.append)
    assert found == told
    check_imported(world)


def test_source_grows() -> None:
    """An import that is made again adds what has come since."""
    world = holding(0)
    import_log(client(Objects(make_log(300))), world.sequencer())
    done = import_log(client(Objects(make_log(300, SIZE))), world.sequencer())
    assert (done.first_index, done.count) == (300, SIZE - 300)
    check_imported(world)


def test_empty_source() -> None:
    """Of an empty log there is nothing to import."""
    world = holding(0)
    assert import_log(client(Objects(make_log(0))), world.sequencer()).count == 0


@pytest.mark.parametrize("size", [1, 300, SIZE])
def test_other_entries(size: int) -> None:
    """A log that is no prefix of the other is refused, with both roots, and stays as it is."""
    world = World().grown()
    world.append([*entries(0, size - 1), b"another"])
    before = world.contents()
    with pytest.raises(Refused, match=f"the log has other entries than .*: at size {size} its root is"):
        import_log(client(), world.sequencer())
    assert world.contents() == before


@pytest.mark.parametrize("equal", [True, False])
def test_longer(equal: bool) -> None:
    """A log that is longer than the other is refused, also if it begins with it."""
    world = holding(SIZE + 1)
    with pytest.raises(Refused, match=f"the log has {SIZE + 1} entries, more than the {SIZE} of"):
        import_log(client(Objects(make_log(SIZE, tag="entry" if equal else "same"))), world.sequencer())


@pytest.mark.parametrize("size", [0, MAX_BATCH + 1])
def test_batch_size(size: int) -> None:
    """A batch size out of range is a wrong call."""
    with pytest.raises(UsageError):
        import_log(client(), holding(0).sequencer(), batch_size=size)


def test_damaged_source() -> None:
    """What does not hash up to the other log's root is not added; what came before it is."""
    objects = Objects(make_log(SIZE))
    path = "tile/entries/003"
    objects.objects[path] = objects.objects[path].replace(b"entry 900", b"entry 901")
    world = holding(0)
    with pytest.raises(TileError) as caught:
        import_log(client(objects), world.sequencer(), batch_size=512)
    assert caught.value.path == path
    check_imported(world, 512)


class Interrupted(Sequencer):
    """A writer before whom another one adds something, once."""

    def __init__(self, inner: Sequencer, other: World, before: int, added: int) -> None:
        self.inner, self.other, self.before, self.added = inner, other, before, added
        self.batches = 0

    def finish(self):  # type: ignore[no-untyped-def]
        """Hand on."""
        return self.inner.finish()

    def append(self, batch):  # type: ignore[no-untyped-def]
        """Let the other one be first, or be right after."""
        if self.batches == self.before:
            self.other.append([b"other"] * self.added)
        self.batches += 1
        return self.inner.append(batch)


@pytest.mark.parametrize(("before", "at"), [(0, 0), (1, 512), (2, 1024)])
def test_another_writer(before: int, at: int) -> None:
    """Another writer's entries in between end the import, which says from where on the histories differ."""
    world = holding(0)
    with pytest.raises(Refused, match=f"from index {at} on the log has other entries.* are at {at + 3}$"):
        import_log(client(), Interrupted(world.sequencer(), world, before, 3), batch_size=512)
    with pytest.raises(Refused):
        import_log(client(), world.sequencer(), batch_size=512)
    assert list(world.committed() or ())[: at + 3] == [*entries(0, at), *[b"other"] * 3]


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/entries/003"])
def test_another_writer_while_the_source_is_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of another writer that are found in time end the import before anything is added in a wrong place."""
    monkeypatch.setattr("tiles.read.spread._BUNDLES", 2)  # read together: those of one batch
    world = holding(0)
    objects = Objects(make_log(SIZE))

    def other(asked: str) -> None:
        if asked == path:
            world.append([b"other"])

    objects.before = other
    at = 0 if path.endswith("0") else 512
    with pytest.raises(Refused, match=f"from index {at} on the log has other entries$"):
        import_log(client(objects), world.sequencer(), batch_size=512)
    assert list(world.committed() or ()) == [*entries(0, at), b"other"]


def test_another_writer_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of another writer after the last batch are not overlooked either."""
    world = holding(0)
    real = Sequencer.append

    def late(self: Sequencer, batch: list[bytes]) -> object:
        done = real(self, batch)
        if done.first_index + done.count < SIZE:
            return done
        monkeypatch.setattr(Sequencer, "append", real)
        world.append([b"other"])
        return type(done)(done.first_index, done.count, world.sequencer().finish())

    monkeypatch.setattr(Sequencer, "append", late)
    with pytest.raises(Refused, match=f"from index {SIZE} on"):
        import_log(client(), world.sequencer(), batch_size=512)


def test_roots_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log comes to another root than the source, that is an error, batch by batch."""
    world = holding(0)
    reader = client()
    wrong = client(Objects(make_log(SIZE, tag="same", same_up_to=700)))
    monkeypatch.setattr(reader, "tree_at", wrong.tree_at)
    with pytest.raises(VerificationError, match=r"root .* at size 1024"):
        import_log(reader, world.sequencer(), batch_size=512)


def operations() -> int:
    """Return how many operations an import has."""
    faults = Faults()
    import_log(client(), holding(100).sequencer(faults.wrap), batch_size=512)
    return len(faults.done)


@pytest.mark.parametrize("at", range(0, operations(), 5))
def test_an_import_that_dies(at: int) -> None:
    """An import that dies anywhere is finished by another one, every entry once."""
    world = holding(100)
    faults = Faults(at, Fault.DIES)
    with pytest.raises(Died):
        import_log(client(), world.sequencer(faults.wrap), batch_size=512)
    import_log(client(), world.sequencer(), batch_size=512)
    world.check(orphans=True)
    assert list(world.committed() or ()) == entries(0, SIZE)


def test_an_import_that_fails_after_a_commit() -> None:
    """A failure after a commit says what is committed; making the import again finishes it."""
    world = holding(0)
    counted = Faults()
    import_log(client(), holding(0).sequencer(counted.wrap), batch_size=512)
    at = next(i for i, (what, _) in enumerate(counted.done) if what == "public create tile/0/002")
    with pytest.raises(Unfinished) as caught:
        import_log(client(), world.sequencer(Faults(at, Fault.NOT_DONE).wrap), batch_size=512)
    assert (caught.value.first_index, caught.value.count) == (512, 512)
    import_log(client(), world.sequencer(), batch_size=512)
    check_imported(world)


def test_tree_at() -> None:
    """The tree that a log had at each earlier size is the one it published then."""
    sizes = [1, 5, 256, 300, 512, 1299]
    reader = client(Objects(make_log(*sizes, SIZE)))
    for size in (0, *sizes, SIZE):
        assert reader.tree_at(size) == LogClient(Objects(make_log(size)), POLICY).tree
    for size in (-1, SIZE + 1):
        with pytest.raises(UsageError):
            reader.tree_at(size)


def test_random_histories() -> None:
    """In whatever steps source and import go, the copy is the source."""
    rng = random.Random(3)
    for _ in range(5):
        sizes = sorted(rng.sample(range(1, SIZE), 4))
        world = holding(0)
        for upto in range(1, 5):
            source = client(Objects(make_log(*sizes[:upto])))
            import_log(source, world.sequencer(), batch_size=rng.choice([7, 256, 300, 65_536]))
        check_imported(world, sizes[-1])
        reader = LogClient(StoreFetcher(world.stores["public"]), policy_for(world.verifier))
        assert [data for _, data in reader.entries(0, sizes[-1])] == entries(0, sizes[-1])


# ---- the command


def test_command(tiletree: Command, log: str) -> None:
    """`import` copies a log, says what it added, and adds nothing the second time; --vkey is the source's."""
    tiletree.ok("init", "copy", "--origin", "log.example.com/copy", "--key", "k2")
    done = tiletree.ok("import", "log", "copy", "--vkey", log, "--key", "k2")
    root = tiletree.ok("info", "log", "--vkey", log)["root"]
    source = {"origin": "log.example.com", "size": 2, "trust": "pinned"}
    added = {"first_index": 0, "count": 2, "origin": "log.example.com/copy", "size": 2, "root": root}
    assert done == {"source": source, **added, "published": True}
    assert tiletree.ok("import", "log", "copy", "--vkey", log, "--key", "k2")["count"] == 0
    text = tiletree("import", "log", "copy", "--vkey", log, "--key", "k2")
    assert "imported 0 entries of log.example.com into log.example.com/copy, from index 2" in text.out
    tiletree.ok("add", "copy", "--again", "a", "--key", "k2")
    refused = tiletree("import", "log", "copy", "--vkey", log, "--key", "k2", "--json")
    assert (refused.code, refused.json["error"]["kind"]) == (4, "Refused")
    other = tiletree("import", "log", "copy", "--vkey", LOG.verifier.vkey, "--key", "k2")
    assert other.code == 1
