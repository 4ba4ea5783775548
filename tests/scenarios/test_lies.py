"""A log that lies, behind each way of reading: every lie is named, nothing is believed, and nothing is unbounded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.lying import (
    LIES,
    PIECE,
    SAME_SIZE_FORK,
    SEEN,
    SIZE,
    SMALLER_FORK,
    VIEWS,
    Liar,
    LyingFetcher,
    Views,
    lying_server,
)
from tests.support.readers import POLICY, Objects, entry, make_log
from tests.support.signed_text import LOG
from tiles.entries.kind import SHA256, Key
from tiles.errors import AccessError, ForkError, HistoryUnknown, LogError, NotFound, TileError, TooLong
from tiles.index.search import Query, search
from tiles.notes.fork_evidence import NEWER, OLDER, check_fork
from tiles.notes.tlog_proof import verify_tlog_proof
from tiles.read.client import LogClient
from tiles.read.http_answers import CHUNK
from tiles.read.http_fetcher import HttpFetcher, Patience
from tiles.read.log_formats import TLOG_TILES
from tiles.store import Fetcher
from tiles.tree.layout import BUNDLES, CHECKPOINT, TILES, parse_tile_path
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.upkeep.audit import audit
from tiles.user.seen_checkpoints import Visits

CHOSEN = 290  # an entry that all histories have, older copies as well
RANGE = (250, 299)


def true_tree(size: int) -> TreeHead:
    """Return the tree that the true log had at a size."""
    return LogClient(Objects(VIEWS.true), POLICY).tree_at(size)


TRUE_TREES = {size: true_tree(size) for size in (300, SEEN, SIZE)}


def proven(client: LogClient) -> Any:
    """Return an entry's leaf, as a proof shows it to somebody else."""
    proof = client.prove(CHOSEN)
    verify_tlog_proof(proof, leaf_hash(entry(CHOSEN)), POLICY)
    return proof.index


def audited(client: LogClient) -> Any:
    """Return the tree, recomputed; raise LogError for findings."""
    report = audit(client.fetcher, client.tree, policy=POLICY)
    if report.findings:
        raise LogError("; ".join(f"{finding.path}: {finding.problem}" for finding in report.findings))
    return report.tree


def searched(client: LogClient) -> Any:
    """Return where the bytes of an entry are, and nowhere else."""
    found = search(client, Query(((Key(SHA256, sha256(entry(CHOSEN)).digest()),),)))
    return found.hits, found.unproven


# each way of reading: what it does, what is true, and which objects it cannot do without
WAYS: dict[str, tuple[Callable[[LogClient], Any], Callable[[TreeHead], Any], tuple[str, ...]]] = {
    "visit": (lambda client: client.visit().signed.tree, lambda tree: tree, (CHECKPOINT,)),
    "prove": (proven, lambda _tree: CHOSEN, (CHECKPOINT, TILES)),
    "entry": (lambda client: client.entry(CHOSEN), lambda _tree: entry(CHOSEN), (CHECKPOINT, TILES, BUNDLES)),
    "entries": (
        lambda client: list(client.entries(*RANGE)),
        lambda _tree: [(index, entry(index)) for index in range(*RANGE)],
        (CHECKPOINT, TILES, BUNDLES),
    ),
    "find": (lambda client: client.find(leaf_hash(entry(CHOSEN))), lambda _tree: [CHOSEN], (CHECKPOINT, TILES)),
    "audit": (audited, lambda tree: tree, (CHECKPOINT, TILES, BUNDLES)),
    "search": (
        searched,
        lambda _tree: (((CHOSEN, entry(CHOSEN)),), ""),
        (CHECKPOINT, BUNDLES),
    ),
}


def visits_of(directory: Path, size: int = SEEN) -> Visits:
    """Return the memory of a reader who has seen the true log at a size."""
    visits = Visits(directory)
    LogClient(Objects(make_log(300, size)), POLICY, visits=visits).visit()
    return visits


def client_of(fetcher: Fetcher, directory: Path) -> LogClient:
    """Return a reader who has seen the true log."""
    return LogClient(fetcher, POLICY, visits=visits_of(directory))


def check(client: LogClient, way: str, lies: set[str]) -> str:
    """Read in one way from a log that lies; return what came of it: the class of the error, or what was true."""
    read, truth, _ = WAYS[way]
    try:
        value = read(client)
    except ForkError as error:
        assert "fork" in lies
        older, newer = check_fork(error.evidence, POLICY)
        assert {older.tree, newer.tree} & set(TRUE_TREES.values())
        return "ForkError"
    except HistoryUnknown as error:
        assert lies & {"fork", "rewind", "stale"}
        return type(error).__name__ if {OLDER, NEWER} <= error.evidence.keys() else "without evidence"
    except (LogError, AccessError) as error:
        return type(error).__name__ if error.message else "without a word"
    tree = client.tree
    assert tree == TRUE_TREES[tree.size], (way, lies)
    assert value == truth(tree), (way, lies)
    return "an old copy" if client.newer is not None else "true"


# ---- one lie, of one kind of object, each time it is asked for

ANY_WRONG = {"truncate", "swap", "flip", "garbage"}


def expected(lie: str, about: str, way: str) -> set[str]:
    """Return what a lie is to be called that is told of one kind of object, whenever that is asked for."""
    if lie == "stale":
        return {"an old copy"} if about == CHECKPOINT else {"true"}
    named = {"missing": {"NotFound"}, "endless": {"TooLong"}}.get(lie, {"AccessError"})
    if lie in ANY_WRONG:
        named = {"Malformed", "SignatureError"} if about == CHECKPOINT else {"TileError"}
    # audit reports each object that will not do; the tiles by which a visit is compared come before it
    of_audit = way == "audit" and about != CHECKPOINT
    return {"LogError", *(named if about == TILES or lie in ("hang", "endless") else ())} if of_audit else named


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lie", sorted(LIES.keys() - {"fork", "rewind"}))
def test_every_lie_is_named(lie: str, way: str, tmp_path: Path) -> None:
    """Each lie, of each kind of object that a way of reading needs."""
    for number, about in enumerate(WAYS[way][2]):
        # of tiles without bundles: their paths are longer
        paths = ("tile/0/", "tile/1/") if about == TILES else (about,)
        liar = Liar([lie], paths, seed=number)
        client = client_of(LyingFetcher(liar), tmp_path / str(number))
        assert check(client, way, {lie}) in expected(lie, about, way), (about, liar.told)
        assert liar.told[lie] > 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("views", "named"),
    [(VIEWS, "ForkError"), (SAME_SIZE_FORK, "ForkError"), (SMALLER_FORK, "HistoryUnknown")],
    ids=["larger", "same size", "smaller"],
)
def test_another_history(way: str, views: Views, named: str, tmp_path: Path) -> None:
    """It is whole, and signed by the log's key: who has seen the true one has evidence, or both checkpoints.

    A smaller one without the tiles of what was seen may be an old copy, as far as anyone can tell.
    """
    client = client_of(LyingFetcher(Liar(["fork"], views=views)), tmp_path)
    assert check(client, way, {"fork"}) == named
    assert list((tmp_path / "forks").iterdir()) != []
    last = Visits(tmp_path).last(LOG.verifier)
    assert last is not None
    assert last.tree == TRUE_TREES[SEEN]


@pytest.mark.parametrize("way", WAYS)
def test_a_log_that_was_put_back(way: str, tmp_path: Path) -> None:
    """Without what came later, it cannot show that it is of the same history; nothing is read from it."""
    client = client_of(LyingFetcher(Liar(["rewind"])), tmp_path)
    assert check(client, way, {"rewind"}) == "HistoryUnknown"


# ---- all combinations, by seed


def trial(seed: int, directory: Path, fetch: Callable[[Liar], Fetcher] = LyingFetcher) -> list[str]:
    """Read in all ways from a log that tells some lies, of some objects, some of the time."""
    rng = random.Random(seed)
    lies = rng.sample(sorted(LIES), rng.randint(1, 4))
    about = rng.choice([("",), (CHECKPOINT,), (TILES,), (BUNDLES,), ("tile/0/",), (CHECKPOINT, BUNDLES)])
    views = rng.choice([VIEWS, VIEWS, SMALLER_FORK, SAME_SIZE_FORK])
    liar = Liar(lies, about, rng.choice([0.1, 0.3, 0.7, 1.0]), seed, views)
    fetcher = fetch(liar)
    client = client_of(fetcher, directory)
    came = []
    for way in rng.sample(sorted(WAYS), len(WAYS)):
        came.append(check(client, way, set(lies)))
        if rng.random() < 0.3:
            client = LogClient(fetcher, POLICY, visits=Visits(directory))
    last = Visits(directory).last(LOG.verifier)
    assert last is not None
    assert last.tree in TRUE_TREES.values(), seed
    assert last.tree.size >= SEEN, seed
    return came


def test_lies_in_all_combinations(tmp_path: Path) -> None:
    """Whatever is told: an error says so, or what is returned is true, and what is remembered is true."""
    first = random.SystemRandom().randrange(1 << 30)
    came = [what for seed in range(first, first + 40) for what in trial(seed, tmp_path / str(seed))]
    assert {"true", "TileError"} <= set(came), (first, set(came))
    assert not {"without evidence", "without a word"} & set(came), first


@pytest.mark.slow
def test_many_lies_in_all_combinations(tmp_path: Path) -> None:
    """The same, for longer."""
    for seed in range(5000):
        trial(seed, tmp_path / str(seed))


def test_requests_are_bounded(tmp_path: Path) -> None:
    """However often another thing is told, a way of reading ends after a few requests for each object."""
    for way in WAYS:
        fetcher = LyingFetcher(Liar(["garbage", "swap", "flip", "truncate", "missing"], ("tile/",), seed=7))
        client = client_of(fetcher, tmp_path / way)
        check(client, way, set())
        assert fetcher.asked <= 8 * len(VIEWS.true), way


# ---- over HTTP: silence, and more than anyone can read

QUICK = Patience(connect=2.0, read=0.15, whole=0.4)
HEADERS = 8192  # bytes that http.client reads ahead


def between() -> int:
    """Return how many bytes can lie between the two ends, sent and not read: what the kernel lets a connection have.

    A reader cannot help it: the kernel of the one takes them until its buffer is full, and then that of the other.
    """
    limits = [Path(f"/proc/sys/net/ipv4/tcp_{end}mem") for end in ("r", "w")]
    if not all(path.exists() for path in limits):
        return 64 << 20
    return sum(int(path.read_text().split()[2]) for path in limits)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lie", ["hang", "endless"])
def test_silence_and_10_gigabytes(way: str, lie: str, tmp_path: Path) -> None:
    """Each object is waited for as long as was said, and read up to its limit."""
    for about in (CHECKPOINT, WAYS[way][2][-1]):
        liar = Liar([lie], (about,))
        with lying_server(liar) as (server, endless):
            began = time.monotonic()
            client = client_of(HttpFetcher(server.url, patience=QUICK), tmp_path / about.replace("/", "-"))
            named = check(client, way, {lie})
            lasted = time.monotonic() - began
        assert named in {"AccessError", "TooLong", "LogError"}, named
        assert lasted < 20, (lie, about)
        assert bool(endless.read) == (lie == "endless")
        for path, count in endless.read.items():
            assert count <= limit_of(path) + CHUNK + HEADERS, path
        for path, count in endless.sent.items():
            assert count <= limit_of(path) + CHUNK + HEADERS + between() + PIECE, path


def limit_of(path: str) -> int:
    """Return how many bytes of an object a reader takes."""
    if path == CHECKPOINT:
        return 1 << 20
    return TLOG_TILES.limit(parse_tile_path(path))


@pytest.mark.parametrize("seed", range(3))
def test_lies_over_http(seed: int, tmp_path: Path) -> None:
    """What a fetcher in this process is told, a server tells as well, with the same verdicts."""
    rng = random.Random(seed)
    lies = rng.sample(sorted(LIES.keys() - {"hang", "endless"}), 3)
    with lying_server(Liar(lies, ("",), 0.4, seed)) as (server, _):
        client = client_of(HttpFetcher(server.url, patience=QUICK), tmp_path)
        for way in WAYS:
            check(client, way, set(lies))


def test_the_simulator_can_tell() -> None:
    """A reader without a memory believes the other history: what is checked above would notice."""
    client = LogClient(LyingFetcher(Liar(["fork"])), POLICY)
    assert client.visit().signed.tree not in TRUE_TREES.values()
    with pytest.raises(KeyError):
        check(client, "visit", {"fork"})
    for error in (TileError, NotFound, TooLong):
        assert issubclass(error, (LogError, AccessError))
