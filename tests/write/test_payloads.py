"""Files that are published with their entries: whatever goes wrong in a run, no entry is in the log before its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.faults import Died, Fault, Faults
from tests.support.object_server import ObjectServer
from tests.support.object_server_world import Base, Place
from tests.support.races import Action, race, shuffled
from tests.support.reference import flipped, printed_random
from tests.support.sampling import one_in
from tests.support.submissions import check_submitted, inbox, submit
from tests.support.world import World, explained, some_entries
from tiles.entries.file_digest import DigestEntry, digest_entry
from tiles.entries.payload import fetch_payload
from tiles.errors import AccessError, NotFound, Refused, Unfinished
from tiles.inbox.admission import OPEN, Admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.submission import format_submission
from tiles.records.paths import INBOX, PAYLOADS, payload_path
from tiles.store import StoreFetcher

FILES = b"", b"one", bytes(300)
PAYLOADS_ADMITTED = Admission(max_payload_bytes=300)


class Deciding(Action):
    """A writer that decides all that waits."""

    def __call__(self, sequencer):  # type: ignore[no-untyped-def]
        """Do it."""
        return sequencer.sequence()


def entry_of(file: bytes) -> bytes:
    """Return the digest entry of a file."""
    return digest_entry(sha256(file).hexdigest(), len(file))


def path_of(file: bytes) -> str:
    """Return where a file is published."""
    return payload_path(sha256(file).hexdigest())


def with_payload(file: bytes, *, once: bool = False, payload: bytes | None = None) -> bytes:
    """Return the submission of a file's digest with a payload: the file, or another one."""
    attached = {0: Attachments(payload=file if payload is None else payload)}
    return format_submission([entry_of(file)], once=once, attached=attached)


def begun(base: int, admission: Admission = PAYLOADS_ADMITTED, folder: Path | None = None) -> World:
    """Return a log of that size."""
    world = World(folder)
    world.sequencer(admission=admission).create()
    if base:
        world.append(some_entries("base", base))
    return world


def filled(base: int, folder: Path | None = None) -> tuple[World, dict[str, Sequence[bytes]]]:
    """Return a log with submissions, some of which are not admitted; and what should come of them."""
    world = begun(base, folder=folder)
    plain = some_entries("plain", 2)
    expected: dict[str, Sequence[bytes]] = {submit(world, "bob", 90, format_submission(plain)): plain}
    for number, file in enumerate(FILES):
        expected[submit(world, "ann", number, with_payload(file))] = [entry_of(file)]
    expected[submit(world, "eve", 91, with_payload(b"wrong", payload=b"other"))] = []
    expected[submit(world, "eve", 92, with_payload(bytes(301)))] = []
    return world, expected


def published(world: World) -> dict[str, bytes]:
    """Return what is published beside entries."""
    public = world.stores["public"]
    return {listed.path: public.read(listed.path).data for listed in public.list(PAYLOADS)}


def check(world: World, expected: dict[str, Sequence[bytes]], *, complete: bool) -> None:
    """Hold a log against what was submitted; each file is there before its entry is, and no other file ever."""
    check_submitted(world, expected, complete=complete)
    there, committed = published(world), world.committed() or ()
    for file in FILES:
        if entry_of(file) in committed:
            assert there[path_of(file)] == file, "a file is not there, and its entry is committed"
    assert there.items() <= {path_of(file): file for file in FILES}.items()


@pytest.mark.parametrize("place", ["memory", "directory"])
def test_files_are_there_with_their_entries(place: str, tmp_path: Path) -> None:
    """One run publishes them, and readers of an entry find its file; what is not admitted is refused, and not there."""
    world, expected = filled(3, None if place == "memory" else tmp_path)
    done = world.sequencer().sequence()
    check(world, expected, complete=True)
    assert (done.count, len(done.took), done.backlog.unpublished) == (5, 4, ())
    assert sorted(reason for _, reason in done.refused) == [
        "entry 0 has a payload of 301 bytes, 300 is the most",
        "entry 0 has a payload with another SHA-256 than it says",
    ]
    assert published(world) == {path_of(file): file for file in FILES}
    for file in FILES:
        assert fetch_payload(StoreFetcher(world.stores["public"]), entry_of(file)) == file


def test_the_order() -> None:
    """Files are created before anything of the batch is staged, and last then; without files nothing is waited for."""
    world, _ = filled(3)
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    done = [what for what, _ in counting.done]
    first, last = (done.index(f"public create {path_of(file)}") for file in (FILES[0], FILES[-1]))
    staged = next(at for at, what in enumerate(done) if what.startswith("private create staging/"))
    assert first < last < staged < done.index("private swap head")
    assert "public barrier" in done[last + 1 : staged]
    plain = begun(3)
    submit(plain, "bob", 1, format_submission([b"one"]))
    counting = Faults()
    plain.sequencer(counting.wrap).sequence()
    done = [what for what, _ in counting.done]
    inboxed = max(at for at, what in enumerate(done) if what.startswith("private read inbox/"))
    assert not {"public create", "public barrier"} & {
        " ".join(what.split()[:2]) for what in done[inboxed : done.index("private swap head")]
    }


@pytest.mark.parametrize("n", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["quick", "full"])
def test_survives_a_fault_at_every_operation(n: int) -> None:
    """Each operation of a run fails, dies or loses its answer: no entry without its file, and the next run finishes."""
    world, expected = filled(250)
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    schedules = [Faults(at, fault) for at, (_, kinds) in enumerate(counting.done) for fault in kinds]
    assert len(schedules) > 90
    for faults in one_in(n, schedules):
        here = world.copy()
        with explained(lambda faults=faults: str(faults)):
            with suppress(Died, AccessError, Unfinished):
                here.sequencer(faults.wrap).sequence()
            check(here, expected, complete=False)
            here.sequencer().sequence()
            check(here, expected, complete=True)
            assert published(here) == {path_of(file): file for file in FILES}


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    """An S3 server."""
    with ObjectServer("s3") as one:
        yield one


@pytest.mark.parametrize("n", [13, pytest.param(1, marks=pytest.mark.slow)], ids=["quick", "full"])
def test_survives_any_death_in_a_bucket(n: int, server: ObjectServer) -> None:
    """A run over an object store dies before any operation, and the next one finishes its work."""
    in_memory, expected = filled(3)
    world = Base(in_memory, Place(server))
    with race(world, Deciding("alone")) as alone:
        alone.finish(alone.writers[0])
        check(alone.world, expected, complete=True)
        steps = len(alone.schedule)
    assert steps > 30
    for at in one_in(n, list(range(1, steps))):
        with race(world, Deciding("dying")) as dying:
            dying.step(dying.writers[0], at)
            dying.writers[0].kill()
            check(dying.world, expected, complete=False)
            dying.world.sequencer().sequence()
            check(dying.world, expected, complete=True)


def test_two_runs_at_once() -> None:
    """Two runs, of which one may stop before any step for as long as the other takes: no entry without its file."""
    world, expected = filled(3)
    rng = printed_random()
    with race(world, Deciding("zombie")) as alone:
        alone.finish(alone.writers[0])
        steps = len(alone.schedule)
    for at in rng.sample(range(1, steps), 12):
        with race(world, Deciding("zombie")) as two:
            zombie = two.writers[0]
            two.step(zombie, at)
            two.world.pass_time(1000.0)
            two.world.sequencer().sequence()
            check(two.world, expected, complete=True)
            two.finish(zombie)
            check(two.world, expected, complete=True)
    for _ in range(5):
        rest = shuffled(world, rng, Deciding("first"), Deciding("second"), deaths=0.2)
        rest.sequencer().sequence()
        check(rest, expected, complete=True)


def test_one_file_of_two_submitters() -> None:
    """Both entries are logged, or with `once` one of them; the file is there once, whoever was first."""
    world = begun(3)
    named = DigestEntry(sha256(b"one").hexdigest(), 3, "a name").data
    submit(world, "ann", 1, with_payload(b"one", once=True))
    submit(world, "bob", 2, with_payload(b"one", once=True))
    submit(world, "eve", 3, format_submission([named], attached={0: Attachments(payload=b"one")}))
    done = world.sequencer().sequence()
    assert (done.count, done.already, len(done.took)) == (2, 1, 3)
    assert published(world) == {path_of(b"one"): b"one"}


def test_a_file_whose_entry_was_there() -> None:
    """Somebody logged its digest alone: it is published all the same, though nothing is added; by `finish`, nothing."""
    world = begun(3)
    world.append([entry_of(b"one")])
    submit(world, "ann", 1, with_payload(b"one", once=True))
    world.sequencer().finish()
    assert published(world) == {}
    done = world.sequencer().sequence()
    assert (done.count, done.already) == (0, 1)
    assert published(world) == {path_of(b"one"): b"one"}


def test_a_log_without_a_word_of_payloads() -> None:
    """The policy that a log has unless somebody said otherwise publishes nothing."""
    world = begun(3, OPEN)
    submit(world, "ann", 1, with_payload(b"one"))
    done = world.sequencer().sequence()
    assert [reason for _, reason in done.refused] == [
        "entry 0 has a payload, and the policy has no max-payload-bytes that admits one"
    ]
    assert published(world) == {}


def test_the_policy_changes_while_a_run_publishes() -> None:
    """A run that has published a file loses to one that admits none any more: the file is refused, and does no harm."""
    world = begun(3)
    submit(world, "ann", 1, with_payload(b"one"))
    with race(world, Deciding("first")) as racing:
        writer = racing.writers[0]
        while not writer.trace or writer.trace[-1] != "private swap head":
            racing.step(writer)
        racing.world.sequencer().admit(OPEN, PAYLOADS_ADMITTED.sha256)
        racing.finish(writer)
        assert entry_of(b"one") not in (racing.world.committed() or ())
        assert published(racing.world) == {path_of(b"one"): b"one"}
        racing.world.check(orphans=True)


@pytest.mark.parametrize("instead", [with_payload(b"two"), b"", None])
def test_a_submission_that_is_changed_once_it_was_read(instead: bytes | None) -> None:
    """What is published and logged is what was read and hashed, whatever its submitter puts there meanwhile."""
    world = begun(3)
    name = submit(world, "ann", 1, with_payload(b"one"))
    with race(world, Deciding("first")) as racing:
        writer = racing.writers[0]
        while not writer.trace or not writer.trace[-1].startswith("public create payload/"):
            racing.step(writer)
        racing.world.put("private", INBOX + name, instead)
        racing.finish(writer)
        racing.check()
        assert published(racing.world) == {path_of(b"one"): b"one"}
        assert (racing.world.committed() or ())[3:] == (entry_of(b"one"),)
        assert not inbox(racing.world)


def test_a_frozen_log_publishes_nothing() -> None:
    """What waits in its inbox goes on waiting, and no file of it is shown."""
    world, _ = filled(3)
    world.sequencer().freeze()
    with pytest.raises(Refused, match="frozen at size 3"):
        world.sequencer().sequence()
    assert published(world) == {}


def test_something_else_in_its_place_stops_nobody() -> None:
    """Its submission waits, and the run says where; the others are decided. Once it is gone, the next run goes on."""
    world, expected = filled(3)
    damaged = {path_of(file): flipped(file, 0) for file in FILES[1:]}
    world.stores["public"].create(damaged)
    waiting = {name for name, entries in expected.items() if {*entries} & {entry_of(file) for file in FILES[1:]}}
    done = world.sequencer().sequence()
    assert (set(done.backlog.unpublished), done.backlog.objects) == (set(damaged), 2)
    assert (inbox(world), done.count, len(done.refused)) == (waiting, 3, 2)
    assert published(world) == {path_of(FILES[0]): FILES[0], **damaged}
    again = world.sequencer().sequence()
    assert (again.took, again.refused, set(again.backlog.unpublished)) == ((), (), set(damaged))
    world.stores["public"].delete(damaged)
    for path in damaged:
        del world.history.contents[path]  # that something else was there, is no news
    assert world.sequencer().sequence().count == 2
    check(world, expected, complete=True)


def test_a_run_that_only_commits_takes_none() -> None:
    """Whoever publishes what it commits may be another copy of the log, without the file: what has one waits."""
    world, expected = filled(3)
    done = world.sequencer().sequence(publish=False)
    assert (done.count, len(done.refused), done.published) == (2, 2, False)
    assert (done.backlog.objects, set(done.backlog.unpublished)) == (3, set(map(path_of, FILES)))
    assert published(world) == {}
    assert world.sequencer().sequence().count == 3
    check(world, expected, complete=True)


def test_what_cannot_be_published_is_not_logged() -> None:
    """A store that takes no files fails the run: nothing is decided, and all goes on waiting."""
    world, expected = filled(3)
    counting = Faults()
    world.copy().sequencer(counting.wrap).sequence()
    for what in (f"public create {path_of(FILES[0])}", f"public create {path_of(FILES[-1])}"):
        at = [done for done, _ in counting.done].index(what)
        with pytest.raises(AccessError):
            world.sequencer(Faults(at, Fault.NOT_DONE).wrap).sequence()
        assert inbox(world) == set(expected)
        assert world.size() == 3
    with pytest.raises(NotFound):
        fetch_payload(StoreFetcher(world.stores["public"]), entry_of(FILES[-1]))
