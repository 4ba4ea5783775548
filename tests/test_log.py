"""A log opened by its URL: written to, several in one bucket, with entries gzip-encoded or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, owner_only
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault
from tests.support.sampling import quickly
from tests.support.world import some_entries
from tiles import __version__
from tiles.errors import AccessError, NotFound, Refused, TilesError, Unfinished, UsageError
from tiles.inbox.admission import Admission
from tiles.inbox.submission import NONCE_SIZE
from tiles.inbox.submit import submit
from tiles.log import Log
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.records.settings import Settings, parse_settings
from tiles.signing.key_file import read_key
from tiles.store import bucket as objects
from tiles.store.bounded_gzip import MAGIC, decode
from tiles.store.open_bucket import open_object_store
from tiles.upkeep.audit import audit
from tiles.write import prepare
from tiles.write.prepare import as_public

BESIDE = ("log2", "lo", "log.private2", "log.p")
TILES = "public/log/tile/"


@pytest.fixture(autouse=True)
def _needs(s3: ObjectServer, tiletree: Command) -> None:
    """Every test here has a server and a user of its own."""


def assert_is(url: str, expected: list[bytes], key: str = "k") -> None:
    """Audit a log, and compare its entries."""
    policy = policy_for(read_key(Path(key)).verifier)
    fetcher = open_log(url)
    client = LogClient(fetcher, policy)
    report = audit(fetcher, client.tree, policy=policy)
    assert not report.findings, report.findings
    assert [entry for _, entry in client.entries(0, client.tree.size)] == expected


# ---- the library


def test_open_and_write(s3: ObjectServer, tiletree: Command) -> None:
    """By its URL alone, from what `init` remembered: append, sequence, finish, freeze."""
    begin(tiletree, LOG, PRIVATE, "--key", "k", "--anchor", "s3://anchors/a")
    log = Log.open(LOG)
    first = log.append([b"one", b"two"])
    assert (first.first_index, first.count, first.checkpoint.tree.size) == (0, 2, 2)
    submit(log.private, "ann", [b"three"], bytes(NONCE_SIZE), log=LOG)
    assert (Log.open(LOG).sequence().count, log.finish().tree.size) == (1, 3)
    assert "a/anchor" in s3.objects["anchors"]
    assert log.freeze().tree.size == 3
    with pytest.raises(Refused, match="frozen"):
        Log.open(LOG).append([b"four"])
    assert_is(LOG, [b"one", b"two", b"three"])


def test_open_what_is_not_there(s3: ObjectServer, tiletree: Command) -> None:
    """No log, no key, or a private part that is not known: each is said, and nothing is written."""
    with pytest.raises(UsageError, match="private part of s3://public/log is not known"):
        Log.open(LOG)
    with pytest.raises(NotFound):
        Log.open(LOG, private=PRIVATE)
    begin(tiletree, LOG, PRIVATE, "--key", "k")
    before = contents(s3)
    with pytest.raises(NotFound, match="there is no key"):
        Log.open(LOG, key=Path("other"))
    with pytest.raises(NotFound):
        Log.open(LOG, private="s3://private/other", key=Path("k")).append([b"x"])
    assert contents(s3) == before


def test_open_overrides(s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments come before what is remembered, and are enough without it; another policy than the log's is refused."""
    begin(tiletree, LOG, PRIVATE, "--key", "k", "--anchor", "elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")
    with pytest.raises(Refused, match=r"there is no anchor at k\.anchor"):
        Log.open(LOG, private=PRIVATE, key=Path("k")).append([b"nothing"])
    log = partial(Log.open, LOG, private=PRIVATE, key=Path("k"), anchor="elsewhere")
    log().append([b"one"])
    with pytest.raises(Refused, match="admission policy"):
        log(admission=Admission(max_entries=3)).append([b"two"])
    log(admission=Admission()).append([b"two"])


def test_create_is_finished_by_the_next(s3: ObjectServer, tiletree: Command) -> None:
    """`init` that fails at any of its writes is finished by the same call; what was asked for holds."""
    for nth in range(0, 40, 9):
        name, key = f"s3://public/{nth}", f"k{nth}"
        arguments = ["init", name, "--private", f"s3://private/{nth}", "--origin", ORIGIN, "--key", key, "--gzip"]
        s3.fault = failing("PUT", "/", nth)
        done = tiletree(*arguments)
        s3.fault = None
        s3.settle()
        assert done.code in (0, 3, 5), done
        tiletree.ok(*arguments)
        settings = parse_settings(s3.get("private", f"{nth}/settings"))
        assert settings == Settings(__version__, gzip=True, anchor=settings.anchor)
        Log.open(name).append([b"one"])
        assert_is(name, [b"one"], key)
        if done.code == 0:
            break
    assert 10 < nth < 39  # it came to its end, and not at once


def failing(kind: str, where: str, after: int, fault: Fault = Fault.BUSY):  # type: ignore[no-untyped-def]
    """Return a hook: after so many requests of that kind there, everything fails."""
    count = [0]

    def hook(_number: int, what: str, at: str) -> Fault | None:
        count[0] += what == kind and where in at
        return fault if count[0] > after else None

    return hook


# ---- several in one bucket


@pytest.fixture(params=quickly(["two buckets", "one bucket"], ["one bucket"]))
def neighbours(request: pytest.FixtureRequest, s3: ObjectServer, tiletree: Command) -> Iterator[tuple[str, ...]]:
    """Logs whose names begin alike, the first of them `log`."""
    names = ("log", *BESIDE)
    for name in names:
        if request.param == "one bucket":
            owner_only(s3)
            place = ["--private-in-bucket"]
        else:
            place = ["--private", f"s3://private/{name}"]
        origin = f"{name}.example.com"
        tiletree.ok("init", f"s3://public/{name}", *place, "--origin", origin, "--key", f"{name}.key")
        Log.open(f"s3://public/{name}").append(some_entries(name, 3))
    yield names
    for name in names[1:]:
        assert_is(f"s3://public/{name}", some_entries(name, 3), f"{name}.key")


def of_others(server: ObjectServer) -> dict[str, dict[str, bytes]]:
    """Return all objects but those of the log `log`."""
    own = ("log/", "log.private/")
    return {b: {k: d for k, d in each.items() if not k.startswith(own)} for b, each in contents(server).items()}


def test_neighbours(neighbours: tuple[str, ...], s3: ObjectServer, tiletree: Command) -> None:
    """A run that fails at any request, retried, and all upkeep of one log: no object of another one changes."""
    before = of_others(s3)
    log = Log.open("s3://public/log")
    entries = some_entries("log", 3)
    for nth in range(1, 30, 2):
        new = some_entries(f"new {nth}", 130)
        s3.fault = failing("PUT", "/", nth // 2, Fault.DONE_BROKEN if nth % 4 == 1 else Fault.BUSY)
        try:
            log.append(new)
            is_over = True
        except (AccessError, Unfinished):
            is_over = False
        s3.fault = None
        s3.settle()
        log = Log.open("s3://public/log")
        if not is_over:
            log.append(new)  # if it was committed, and is not published, it is not added twice
        entries += new
        assert of_others(s3) == before
        if is_over:
            break
    submit(log.private, "ann", [b"submitted"], bytes(NONCE_SIZE), log=LOG)
    assert log.sequence().count == 1
    s3.put("public", "log/tile/0/999", b"foreign")
    vkey = read_key(Path("log.key")).verifier.vkey
    for command in (["repair", LOG, "--head", "--vkey", vkey], ["gc", LOG, "--grace", "0"], ["freeze", LOG, "--yes"]):
        tiletree.ok(*command)
        assert of_others(s3) == before
    found = [entry for _, entry in LogClient(open_log(LOG), policy_for(read_key(Path("log.key")).verifier)).entries(
        0, log.finish().tree.size
    )]  # fmt: skip
    for entry in {*entries, b"submitted"}:
        assert 1 <= found.count(entry) <= 2  # a run that failed after it was published may be taken for a failed one


def test_a_place_that_is_taken(s3: ObjectServer, tiletree: Command) -> None:
    """A log does not begin in the private part of another one, nor has it the public part of one for its own."""
    owner_only(s3)
    tiletree.ok("init", LOG, "--private-in-bucket", "--origin", ORIGIN, "--key", "k")
    before = contents(s3)
    options = ["--origin", "other.example.com", "--key", "other"]
    other = "s3://public/x"
    for log, private in ((f"{LOG}.private", "s3://private/x"), (other, LOG), (other, f"{LOG}.private")):
        refused = tiletree("init", log, "--private", private, *options, "--readable-private")
        assert refused.code in (2, 4), refused
        assert contents(s3) == before
        assert not Path("other").exists()


# ---- gzip


def stored(server: ObjectServer) -> dict[str, tuple[bool, bytes]]:
    """Return each entry bundle: whether it is encoded, and what it decodes to."""
    found = {}
    for key, data in server.objects["public"].items():
        if key.startswith("log/tile/entries/"):
            is_encoded = server.headers("public", key).get("content-encoding") == "gzip"
            assert is_encoded == data.startswith(MAGIC), key
            found[key] = (is_encoded, decode(data, 1 << 24) if is_encoded else data)
    return found


def test_gzip(s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles are stored encoded, and read over HTTP and from the store; by every later run, of any version, too."""
    begin(tiletree, LOG, PRIVATE, "--key", "k", "--gzip")
    entries = some_entries("entry", 600)
    Log.open(LOG).append(entries[:300])
    tiletree.ok("add", LOG, "--stdin-lines", stdin=b"".join(entry + b"\n" for entry in entries[300:]))
    assert all(is_encoded for is_encoded, _ in stored(s3).values())
    assert_is(LOG, entries)
    assert_is(f"{s3.url}/public/log", entries)
    begin(tiletree, LOG, PRIVATE, "--key", "k")  # a log that has begun keeps what it has
    monkeypatch.setattr(prepare, "__version__", "99.0")
    Log.open(LOG).append([b"last"])
    settings = parse_settings(s3.get("private", "log/settings"))
    assert settings == Settings("99.0", gzip=True, anchor=settings.anchor)
    assert all(is_encoded for is_encoded, _ in stored(s3).values())


def test_gzip_is_for_buckets(tiletree: Command) -> None:
    """For a directory it is a wrong call, and nothing is left: no key either."""
    assert tiletree("init", "dir", "--gzip", "--origin", ORIGIN, "--key", "k").code == 2
    assert not Path("k").exists()
    assert not Path("dir").exists()


THEN, DONE = ["another level", "not encoded", "encoded"], [0, 1, 5]


@pytest.mark.parametrize(("then", "done"), quickly(product(THEN, DONE), list(zip(THEN, DONE, strict=True))))
def test_finished_by_another(
    then: str, done: int, s3: ObjectServer, tiletree: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ended among its tiles is finished by one that encodes differently: the same content is no fork."""
    begin(tiletree, LOG, PRIVATE, "--key", "k", *(["--gzip"] if then != "encoded" else []))
    entries = some_entries("entry", 520)
    s3.fault = failing("PUT", TILES, done)
    with pytest.raises(TilesError) as caught:
        Log.open(LOG).append(entries)
    assert isinstance(caught.value, Unfinished)
    s3.fault = None
    half = len([key for key in s3.objects["public"] if "/tile/" in key])
    assert half == done
    if then == "another level":
        monkeypatch.setattr(objects, "GZIP_LEVEL", 1)
    else:
        is_gzip = then == "encoded"
        s3.put("private", "log/settings", Settings(__version__, gzip=is_gzip).data)
    assert Log.open(LOG).finish().tree.size == len(entries)
    assert_is(LOG, entries)
    assert_is(f"{s3.url}/public/log", entries)


def test_bytes_of_another_zlib(s3: ObjectServer) -> None:
    """An object that is there with the same content in other gzip bytes, or none, is the same object."""
    with pytest.MonkeyPatch.context() as patch:
        made = {}
        for level, gzip in ((1, True), (9, True), (0, False)):
            patch.setattr(objects, "GZIP_LEVEL", level)
            store = as_public(open_object_store("s3://public/log"), Settings("0", gzip=gzip))
            store.create({"tile/entries/000": b"the same " * 1000})
            made[level] = s3.get("public", "log/tile/entries/000")
    assert len(set(made.values())) == 1
