"""Several writers on one log in an object store: by schedules of store operations and of requests, and in threads.

The schedules are those of the tests of two writers, over HTTP. Besides, a single request may be on its way for longer
than another writer's whole run. On failure the schedule is in the error's note, the seed is printed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Lock

import pytest

from tests.support.object_server import ObjectServer
from tests.support.object_server_trouble import PATIENCE, Held
from tests.support.object_server_world import Base, ObjectWorld, Place
from tests.support.races import (
    BASES,
    CREATE,
    FINISH,
    ONE,
    SEVEN,
    TEN,
    Action,
    deaths,
    grown,
    interrupted,
    meet,
    shuffled,
    steps_alone,
    zombies,
)
from tests.support.reference import printed_random
from tests.support.sampling import one_in, quickly, soaking
from tests.support.submissions import Sequencing, finish_all, submitted, with_inbox
from tests.support.world import World, explained, some_entries
from tiles.inbox.submission import Name, format_submission
from tiles.signing.signer import Signer
from tiles.store.bucket import ObjectStore
from tiles.write.results import Appended
from tiles.write.sequencer import Sequencer

WRITERS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    """An S3 server whose lists have small pages."""
    with ObjectServer("s3", page=3) as one:
        yield one


@pytest.fixture(scope="module")
def opened(server: ObjectServer) -> Place:
    """A place on the server."""
    return Place(server)


@pytest.fixture
def place(opened: Place) -> Iterator[Place]:
    """The same, with nothing that a test left behind."""
    opened.world(World())
    yield opened
    opened.world(World())
    opened.server.held = None
    opened.server.check()


# ---- store operations


@pytest.mark.parametrize("base", [3, 250])
def test_a_zombie(base: int, place: Place) -> None:
    """A writer that stops before any operation, for as long as another's whole run, goes on and does no harm."""
    zombies(Base(grown(base), place), (TEN, SEVEN))


@pytest.mark.parametrize("base", [250])
def test_a_writer_that_never_wakes_up(base: int, place: Place) -> None:
    """A writer that dies before any operation leaves the other one to finish its work; its entries are there once."""
    deaths(Base(grown(base), place), (TEN, SEVEN))


@pytest.mark.parametrize("actions", [(CREATE, CREATE), (FINISH, SEVEN)])
def test_a_zombie_that_creates_or_finishes(actions: tuple[Action, Action], place: Place) -> None:
    """Creating and finishing, too, may be paused before any operation while another writer does all its work."""
    world = Base(World() if actions == (CREATE, CREATE) else interrupted("public create tile"), place)
    zombies(world, actions)


def meetings(world: World, actions: Sequence[Action], rng: random.Random, part: float) -> None:
    """Stop two writers at this part of all pairs of operations."""
    first, second = (steps_alone(world, action) for action in actions)
    for i in range(1, first + 1):
        for j in range(1, second + 1):
            if rng.random() < part:
                meet(world, actions, i, j)


def test_two_appends_meet(place: Place) -> None:
    """Whichever two operations two appends are stopped at, both end well: two batches, one log (sampled)."""
    meetings(Base(grown(3), place), [TEN, SEVEN], printed_random(), 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
def test_two_writers_meet_everywhere(base: int, place: Place) -> None:
    """The same at many pairs of operations, and for other kinds of runs."""
    for actions in ([TEN, SEVEN], [TEN, FINISH], [CREATE, SEVEN]):
        meetings(Base(grown(base), place), actions, printed_random(), soaking(0.15, 1.0))


@pytest.mark.parametrize("base", [0, 250])
def test_two_appends_interleaved_at_random(base: int, place: Place) -> None:
    """Two appends in small turns, in random order."""
    rng = printed_random()
    world = Base(grown(base), place)
    for _ in range(8):
        shuffled(world, rng, TEN, SEVEN)


def test_three_writers_some_of_which_die(place: Place) -> None:
    """Three appends in random turns, each of which may die on the way: the others do not mind."""
    rng = printed_random()
    for base in [grown(250), interrupted("public create tile"), interrupted("private delete")]:
        world = Base(base, place)
        for _ in range(4):
            shuffled(world, rng, SEVEN, ONE, FINISH, deaths=0.02)


@pytest.mark.parametrize("deaths", [0.0, 0.3])
def test_some_sequence_and_one_appends_at_random(deaths: float, place: Place) -> None:
    """Two that decide what was submitted and one that appends, in random turns: everything is decided once."""
    rng = printed_random()
    for _ in range(6):
        world = with_inbox(rng.choice([0, 3, 250]))
        rest = shuffled(Base(world, place), rng, Sequencing("first"), ONE, Sequencing("second"), deaths=deaths)
        finish_all(rest, submitted(world))


@pytest.mark.slow
def test_many_schedules(place: Place) -> None:
    """The random ones, for minutes."""
    rng = printed_random()
    bases = [*map(grown, BASES), interrupted("public create tile"), interrupted("public swap checkpoint")]
    for _ in range(soaking(250, 1500)):
        shuffled(Base(rng.choice(bases), place), rng, SEVEN, ONE, deaths=rng.choice([0, 0.02]))


# ---- requests


def run(action: Action, by: Sequencer) -> Appended | None:
    """Take one run."""
    done = action(by)
    return done if isinstance(done, Appended) else None


def hold_each_request(base: World, place: Place, action: Action, moment: str, n: int = 1) -> int:
    """Hold back each request of a run (one in n) until another writer has done all its work."""
    clients = {who: place.open(who) for who in "AB"}
    server = place.server
    before = server.count
    run(action, place.world(base).sequencer())
    requests = server.count - before
    for at in one_in(n, range(requests)):
        world = place.world(base)
        held = Held("A", at, moment)
        with explained(lambda: f"{action.name}: {held.what}"), ThreadPoolExecutor(1) as thread:  # noqa: B023
            slow, fast = (world.sequencer(lambda _, role, who=who: clients[who][role]) for who in "AB")  # type: ignore[misc]
            server.held = held
            try:
                first = thread.submit(run, action, slow)
                assert held.reached.wait(PATIENCE)
                second = run(SEVEN, fast)
            finally:
                held.go.set()
            for done, entries in ((first.result(PATIENCE), action.entries), (second, SEVEN.entries)):
                if done is not None:
                    world.acknowledged.append((done.first_index, entries))
            world.check(orphans=True)
            server.held = None
            finish_all(world, submitted(base))
    return requests


@pytest.mark.parametrize("moment", quickly(["before", "after"], ["after"]))
def test_a_request_on_its_way_for_longer_than_a_run(moment: str, place: Place) -> None:
    """A request, or its answer, may be on its way for as long as another's whole run takes: nothing lost, or twice."""
    assert hold_each_request(grown(250), place, TEN, moment, 3) > 15
    assert hold_each_request(with_inbox(3), place, Sequencing("sequence"), moment, 3) > 15


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("base", BASES)
def test_any_request_on_its_way_for_longer_than_a_run(base: int, moment: str, place: Place) -> None:
    """The same for other logs, and where the log is only finished."""
    for action in (TEN, FINISH, CREATE):
        assert hold_each_request(grown(base), place, action, moment) > 3
    assert hold_each_request(with_inbox(base), place, Sequencing("sequence"), moment) > 15


# ---- threads

Clients = dict[str, ObjectStore]
Job = Callable[[Clients, Sequencer, int], None]


class Crowd:
    """Writers that do what they can until the time is over, each with clients of its own; times are real."""

    def __init__(self, place: Place, seconds: float) -> None:
        self.world: ObjectWorld = place.world(grown(0))
        self._place = place
        self._until = time.monotonic() + seconds
        self._lock = Lock()
        self.acknowledged: list[tuple[int, list[bytes]]] = []
        self.submitted: list[bytes] = []
        self.retries = 0

    def open(self, number: int) -> tuple[Clients, Sequencer]:
        """Return the stores of a writer, and the writer."""
        clients = self._place.open(f"writer-{number}")
        signer = Signer(self.world.key, clients["anchor"])
        rng = random.Random(f"nonces of {number}")  # which no two writers may share
        return clients, Sequencer(clients["public"], clients["private"], signer, rng=rng)

    def append(self, _clients: Clients, sequencer: Sequencer, number: int) -> None:
        """Append one batch after the other."""
        rng = random.Random(number)
        for batch in self._turns():
            entries = some_entries(f"writer {number} batch {batch}", rng.choice([1, 3, 30, 100]))
            done = sequencer.append(entries)
            with self._lock:
                self.acknowledged.append((done.first_index, entries))
                self.retries += done.retries

    def submit_and_sequence(self, clients: Clients, sequencer: Sequencer, number: int) -> None:
        """Submit, and sequence what waits, by turns."""
        rng = random.Random(number)
        for batch in self._turns():
            entries = some_entries(f"submitter {number} batch {batch}", rng.choice([1, 3, 30]))
            data = format_submission(entries)
            name = Name(f"submitter-{number}", f"{rng.getrandbits(128):032x}", sha256(data).hexdigest())
            clients["private"].create({name.path: data})
            with self._lock:
                self.submitted += entries
            done = sequencer.sequence()
            with self._lock:
                self.retries += done.retries

    def _turns(self) -> Iterator[int]:
        batch = 0
        while time.monotonic() < self._until:
            yield batch
            batch += 1

    def run(self, *jobs: Job) -> None:
        """Run a writer for each job, and hold the log against what they were told: every entry once."""
        with ThreadPoolExecutor(len(jobs)) as pool:
            for future in [pool.submit(job, *self.open(number), number) for number, job in enumerate(jobs)]:
                future.result()
        world = self.world
        _, last = self.open(len(jobs))
        while self.submitted and last.sequence().count:
            pass
        last.finish()
        world.acknowledged += self.acknowledged
        world.check(orphans=True)
        appended = [entry for _, entries in self.acknowledged for entry in entries]
        assert sorted(world.committed() or ()) == sorted(appended + self.submitted)
        print(f"{len(self.acknowledged)} batches, {world.size()} entries, {self.retries} retries")


@pytest.mark.slow
def test_eight_writers_at_once(place: Place) -> None:
    """Eight that append for some seconds: every entry is there once, where its writer was told."""
    crowd = Crowd(place, 1.5)
    crowd.run(*[crowd.append] * WRITERS)
    assert len(crowd.acknowledged) >= WRITERS


@pytest.mark.slow
def test_some_append_and_some_sequence(place: Place) -> None:
    """Four that append and four that submit and sequence: every entry is there once."""
    crowd = Crowd(place, 1)
    crowd.run(*[crowd.append] * 4, *[crowd.submit_and_sequence] * 4)
    assert crowd.acknowledged
    assert crowd.submitted


@pytest.mark.slow
def test_eight_append_and_eight_sequence_for_long(place: Place) -> None:
    """Eight that append and eight that submit and sequence, for long: every entry is there once."""
    crowd = Crowd(place, soaking(12, 120))
    crowd.run(*[crowd.append] * WRITERS, *[crowd.submit_and_sequence] * WRITERS)
    assert len(crowd.acknowledged) >= WRITERS
