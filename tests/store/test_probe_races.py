"""Races for objects find a store that looks whether a condition holds and writes later, and no other store."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from itertools import product
from pathlib import Path
from threading import Lock

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, files
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_http import Answer, Request
from tests.support.object_server_rules import Fault, looking_first
from tests.support.object_server_stores import open_on
from tests.support.object_server_trouble import Unrest
from tests.support.reference import printed_random
from tests.support.sampling import quickly, soaking
from tests.support.store_threads import paths
from tiles.errors import AccessError, OutcomeUnknown, Refused
from tiles.store import Store, Version
from tiles.store import probe as module
from tiles.store.memory import MemoryStore
from tiles.store.probe import PROBES, RACERS, ROUNDS, probe
from tiles.write import prepare

ROOT = Path(__file__).resolve().parents[2]
DIALECTS = ["s3", "gcs", "azure"]
GAPS = [0.5, 2, 100]  # milliseconds between look and write
FOUND = rf" told \d+ of {RACERS} writers at once that they had {{}} the same object: it looks whether a condition holds"
REQUESTS = 400  # of one probe, about, as docs/storage.md says


def try_out(store: Store, sleep: Callable[[float], None] = lambda _seconds: None) -> None:
    """Try a store out, as the commands do, but without waiting."""
    probe(store, secrets.token_hex(16), sleep)


def found(server: ObjectServer, runs: int) -> int:
    """Return in how many runs the probe refuses the server; nothing is left of any."""
    refused = 0
    store = open_on(server)
    for _ in range(runs):
        try:
            try_out(store)
        except Refused:
            refused += 1
        assert paths(store) == []
    return refused


# ---- stores that look first


@pytest.mark.parametrize(
    ("dialect", "milliseconds"),
    quickly(product(DIALECTS, GAPS), list(zip(DIALECTS, GAPS, strict=True))),
)
def test_looks_first(dialect: str, milliseconds: float) -> None:
    """A store that writes some time after it has looked is refused, by what it told its writers."""
    with ObjectServer(dialect, gap=looking_first(milliseconds / 1000)) as server:
        store = open_on(server)
        with pytest.raises(Refused, match=FOUND.format("created")) as caught:
            try_out(store)
        assert caught.value.message.startswith(f"{store.url} ")
        assert caught.value.hint
        assert paths(store) == []


@pytest.mark.parametrize("header", ["if-match", "if-none-match"])
@pytest.mark.parametrize("milliseconds", [0.5, 2])
def test_looks_first_in_one_kind_of_write(header: str, milliseconds: float) -> None:
    """One that creates in one step and swaps in two is refused as well, and the other way round."""
    done = {"if-match": "replaced", "if-none-match": "created"}[header]
    with ObjectServer(gap=looking_first(milliseconds / 1000, header=header)) as server:
        store = open_on(server)
        with pytest.raises(Refused, match=FOUND.format(done)):
            try_out(store)
        assert paths(store) == []


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", GAPS)
@pytest.mark.parametrize("header", ["", "if-match", "if-none-match"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_99_of_100_runs(dialect: str, header: str, milliseconds: float) -> None:
    """However short the gap is, a run in a hundred may overlook it, and no more."""
    if dialect == "gcs" and header:
        pytest.skip("Google Cloud Storage has one header for both kinds of writes")
    # a gap as long as 100 ms is overlooked least of all, and takes longest
    runs = 100 if (dialect, header) == ("s3", "") and milliseconds < 100 else soaking(20, 100)
    with ObjectServer(dialect, gap=looking_first(milliseconds / 1000, header=header)) as server:
        refused = found(server, runs)
    print(f"tried: {milliseconds} ms between check and write: {refused} of {runs} runs found it")
    assert refused >= runs - runs // 100


class Deaf(MemoryStore):
    """A store that swaps a raced object for two writers, and has no answer for the second one.

    creating   whether it does so where nothing is there, or where something is
    """

    def __init__(self, *, creating: bool) -> None:
        super().__init__()
        self.creating = creating
        self.turn = Lock()
        self.first: set[str] = set()

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap."""
        raced = b" by " in data and (expected is None) == self.creating
        with self.turn:
            if raced and path in self.first and data.endswith((b"1", b"2")):
                super().swap(path, data, self.read(path).version)
                raise OutcomeUnknown(path)
            version = super().swap(path, data, expected)
            if raced:
                self.first.add(path)
            return version


@pytest.mark.parametrize(("creating", "said"), [(True, "overwrote an object"), (False, "that had changed since")])
def test_a_second_winner_that_was_not_told(creating: bool, said: str) -> None:
    """If two writes happened, and one of them has no answer, what is there gives it away."""
    store = Deaf(creating=creating)
    with pytest.raises(Refused, match=said):
        try_out(store)
    assert paths(store) == []


class Losing(MemoryStore):
    """A store that forgets what was raced for."""

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        """Swap, and lose it."""
        version = super().swap(path, data, expected)
        if b" by " in data:
            self.delete([path])
        return version


def test_a_write_that_is_not_there() -> None:
    """A store that says it has written, and does not show it, is refused."""
    store = Losing()
    with pytest.raises(Refused, match=r"same object|does not show an object that it says it wrote"):
        try_out(store)


# ---- stores that do not


def pacing(pace: float) -> Callable[[int, str, str], Fault | None]:
    """Return a hook: one write of an object in so many requests, any other is answered with 429."""
    last: dict[str, int] = {}

    def hook(number: int, kind: str, where: str) -> Fault | None:
        if kind != "PUT":
            return None
        if number - last.get(where, -1000) < pace:
            return Fault.CONFLICT
        last[where] = number
        return None

    return hook


@pytest.mark.parametrize("dialect", ["gcs", "azure"])
@pytest.mark.parametrize("pace", [3, 10, 50])
def test_one_write_of_an_object_at_a_time(dialect: str, pace: int) -> None:
    """429 makes its write a loser: a store that answers so to all but one writer is sound."""
    with ObjectServer(dialect, fault=pacing(pace)) as server:
        store = open_on(server)
        slept: list[float] = []
        if pace < 6:  # or obstore, which tries to create five times more, gives up
            try_out(store, slept.append)
            assert paths(store) == []
        module._race_all(store, dict.fromkeys(f"x/{n}" for n in range(3)), module.Clock(sleep=slept.append))
        assert len(paths(store)) == 3
        assert sum(slept) <= 10


def test_too_busy_for_races() -> None:
    """A store that lets nobody win says nothing about itself: there is an error, and a hint to try again."""
    with ObjectServer("gcs") as server:
        respond = server._http.respond

        def busy(request: Request) -> Answer | None:
            return server._dialect.error("conflict") if b" by " in request.body else respond(request)

        server._http.respond = busy
        store = open_on(server)
        slept: list[float] = []
        with pytest.raises(
            AccessError, match=f"did none of {RACERS} writes at once, in no round of {ROUNDS}"
        ) as caught:
            try_out(store, slept.append)
        assert "try again" in caught.value.hint
        assert slept == [1.0]
        assert paths(store) == []


def test_nothing_answers_any_more() -> None:
    """If the way breaks in a race, it is said after that race: further ones would wait in vain, minutes each."""
    with ObjectServer() as server:
        raced: list[str] = []

        def fault(_number: int, kind: str, where: str) -> Fault | None:
            if kind == "PUT" and len(server.requests) > 20:
                raced.append(where)
            return Fault.DROPPED if raced else None

        server.fault = fault
        with pytest.raises(AccessError, match="no connection"):
            try_out(open_on(server))
        assert len(set(raced)) == 2  # the one that went well so far, and the next


@pytest.mark.parametrize("times", [1, pytest.param(soaking(10, 40), marks=pytest.mark.slow)])
@pytest.mark.parametrize("dialect", quickly(DIALECTS, ["s3"]))
def test_whatever_goes_wrong_on_the_way(dialect: str, times: int) -> None:
    """Replies that are lost, come late or say nothing make no sound store look wrong."""
    rng = printed_random()
    passed = 0
    for probability in (0.0, *(rng.choice([0.02, 0.1, 0.3]) for _ in range(times))):
        with ObjectServer(dialect, lateness=rng.randint(1, 40)) as server:
            store = open_on(server)
            unrest = Unrest(random.Random(rng.random()), probability)
            server.fault = unrest
            try:
                try_out(store)
                passed += 1
            except AccessError:
                assert probability
            server.fault = None
            server.settle()
            assert all(path.startswith(PROBES) for path in paths(store)), unrest.happened
    assert passed


def test_nothing_is_allowed_to_be_deleted() -> None:
    """Then a sound store passes, and what docs/storage.md says stays; one that is not sound is still refused."""
    with ObjectServer(access={"tester": lambda request: request.kind != "DELETE"}) as server:
        store = open_on(server)
        try_out(store)
        left = server.objects["bucket"]
        assert 0 < len(left) <= ROUNDS + 3
        assert all(key.startswith(f"log/{PROBES}") and len(data) <= 16 for key, data in left.items())
        server.ignores = {"if-none-match"}
        with pytest.raises(Refused, match="overwrote"):
            try_out(store)


def test_requests() -> None:
    """A probe costs what docs/storage.md says, and names its objects anew each time."""
    with ObjectServer() as server:
        store = open_on(server)
        names: set[str] = set()
        for _ in range(2):
            before = len(server.requests)
            try_out(store)
            sent = server.requests[before:]
            assert abs(len(sent) - REQUESTS) < REQUESTS // 10
            fresh = {each.key for each in sent if each.kind == "PUT"}
            assert len(fresh) == ROUNDS + 3
            assert not fresh & names
            names |= fresh
    text = (ROOT / "docs/storage.md").read_text(encoding="utf-8")
    assert f"about {REQUESTS} requests" in text
    assert f"{RACERS} connections" in text
    assert f"{ROUNDS + 3} objects" in text


# ---- the command


@pytest.fixture
def racing(s3: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    """The server of the command, with as many races and racers as users have; other tests have fewer."""
    monkeypatch.setattr(module, "ROUNDS", ROUNDS)
    monkeypatch.setattr(module, "RACERS", RACERS)
    return s3


BUCKETS = ["public", "private", "anchors"]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_init(bucket: str, racing: ObjectServer, tiletree: Command) -> None:
    """Each place that a log is written to is tried, the anchor's too; which one it is, is said, and nothing is left."""
    racing.gap = looking_first(0.002, bucket=bucket)
    done = tiletree("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--anchor", "s3://anchors/log", "--key", "k")
    assert done.code == 4, done
    assert f"s3://{bucket}/log told" in done.err
    assert contents(racing) == {}
    assert not Path("k").exists()


WRITES = {"add": [LOG, "a"], "sequence": [LOG], "freeze": [LOG, "--yes"]}


@pytest.mark.parametrize(("bucket", "command"), quickly(product(BUCKETS, WRITES), [("anchors", "add")]))
def test_the_first_write_of_a_version(
    bucket: str, command: str, racing: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that an earlier version began on such a store is not written to any more."""
    begin(tiletree, LOG, PRIVATE, "--anchor", "s3://anchors/log")
    before = contents(racing)
    monkeypatch.setattr(prepare, "__version__", "99.0")
    racing.gap = looking_first(0.002, bucket=bucket)
    files("a")
    done = tiletree(command, *WRITES[command])
    assert done.code == 4, done
    assert f"s3://{bucket}/log told" in done.err
    assert contents(racing) == before
