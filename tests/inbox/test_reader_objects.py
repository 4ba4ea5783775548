"""An inbox in a bucket, where a key can be anything: no name that somebody chooses stops the log."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.support.bucket_logs import LOG as BUCKET
from tests.support.bucket_logs import begin
from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault
from tests.support.object_server_world import LOG, ObjectWorld, Place
from tests.support.sampling import quickly
from tests.support.submissions import submit
from tests.support.world import World, some_entries
from tiles.errors import AccessError
from tiles.inbox.admission import Admission
from tiles.inbox.submission import Name, format_submission
from tiles.store import Unlistable
from tiles.store.bounded_gzip import Gunzip, encode

OWN = ("eve//x", "eve/./x", "eve/../x", "eve/\x01", "eve/", "eve/a/", "eve/%2F", "eve/a b", "eve/é")
ELSEWHERE = ("/", "//", "\x7f/x")  # than below a folder of one's own


@pytest.fixture(params=["s3", "gcs", "azure"])
def world(request: pytest.FixtureRequest) -> Iterator[ObjectWorld]:
    """A log of three entries in buckets whose lists have small pages."""
    with ObjectServer(request.param, page=3) as server:
        yield Place(server).world(World().grown(3))


def decided(world: ObjectWorld, name: str) -> list[str]:
    """Put junk under a name into the inbox, and two submissions; return whose were taken, after what else must work."""
    world.server.put("private", f"{LOG}/inbox/{name}", b"junk")
    for number, submitter in enumerate(("ann", "fay")):  # before and after it in a list
        submit(world, submitter, number, format_submission(some_entries(submitter, 2)))
    try:
        done = world.sequencer().sequence()
    finally:
        world.append(some_entries("after", 2))
        world.check(orphans=True)
    assert world.sequencer().sequence().took == ()
    return sorted(each.partition("/")[0] for each in done.took)


@pytest.mark.parametrize("name", OWN)
def test_no_name_stops_others(world: ObjectWorld, name: str) -> None:
    """Whatever a submitter calls an object, others are served, and the log goes on."""
    assert decided(world, name) == ["ann", "fay"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_names_of_whoever_is_not_kept_to_a_folder(world: ObjectWorld, name: str) -> None:
    """The inbox cannot be listed then; entries are added all the same, and the error says what to do."""
    with pytest.raises(Unlistable) as caught:
        decided(world, name)
    assert "delete it" in caught.value.hint


@pytest.mark.parametrize("name", ELSEWHERE)
def test_submitters_that_are_known_are_served_all_the_same(name: str) -> None:
    """With submitters named in the admission policy, no name anywhere in the inbox stops them."""
    base = World()
    base.sequencer(admission=Admission(submitters=("ann", "fay"))).create()
    with ObjectServer("s3", page=3) as server:
        assert decided(Place(server).world(base), name) == ["ann", "fay"]


def test_what_cannot_be_listed_is_said(world: ObjectWorld) -> None:
    """The submitter is named whose objects cannot be listed; a listing of them raises Unlistable."""
    world.server.put("private", f"{LOG}/inbox/eve//x", b"junk")
    data = format_submission([b"of ann"])
    submit(world, "ann", 1, data)
    done = world.sequencer().sequence()
    assert len(done.took) == 1
    assert done.backlog.unlistable == ("eve",)
    with pytest.raises(Unlistable):
        list(Place(world.server).clients["private"].list("inbox/"))
    assert issubclass(Unlistable, AccessError)


NAMELESS = [("eve/\x01", True), ("eve/a\x7fb", True), ("eve/\x1f/x", True)]
NAMELESS += [("\x01", False), ("e\x7fe/x", False), ("/", False)]


@pytest.mark.parametrize(("name", "others"), quickly(NAMELESS, [NAMELESS[0], NAMELESS[4]]))
def test_no_command_is_stopped(s3: ObjectServer, tiletree: Command, name: str, others: bool) -> None:
    """Beside a name that nothing can list: what is committed is published, all else works, and it is said."""
    begin(tiletree)
    path = Name("ann", "0" * 32, sha256(GOOD).hexdigest()).path
    s3.put("private", f"log/{path}", GOOD)
    s3.put("private", f"log/inbox/{name}", b"junk")
    s3.fault = lambda _number, kind, where: Fault.BUSY if kind == "PUT" and "public/log/tile" in where else None
    assert tiletree("add", BUCKET, "--stdin-lines", stdin=b"one").code == 5
    s3.fault = None
    said = tiletree("status", BUCKET, "--json")
    assert said.code == (0 if others else 9), said
    found = said.json
    assert (found["backlog"]["unlistable"], found["backlog"]["objects"]) == ((["eve"], 1) if others else ([], 0))
    assert (found["backlog"]["problem"] is None) == others
    assert others or "delete it with the store's own tools" in found["hint"]
    done = tiletree("sequence", BUCKET, "--json")
    assert done.code == (0 if others else 3), done
    assert others or done.json["error"]["kind"] == "Unlistable"
    size = 2 if others else 1
    assert tiletree.ok("info", BUCKET)["size"] == size
    for call in (("gc",), ("repair",), ("repair", "--head"), ("audit",)):
        tiletree.ok(call[0], BUCKET, *call[1:])
    assert tiletree.ok("add", BUCKET, "--stdin-lines", stdin=b"two")["size"] == size + 1
    assert tiletree.ok("freeze", BUCKET, "--yes")["frozen"]


GOOD = format_submission([b"entry"])


@pytest.mark.parametrize(
    ("stored", "logged"),
    [
        (encode(b"") * 1000 + encode(GOOD), 0),
        (encode(GOOD), 0),
        (encode(bytes(10**6)), 0),
        (GOOD, 1),
    ],
    ids=["many members", "encoded", "a bomb", "not encoded"],
)
def test_nothing_is_decoded(
    stored: bytes,
    logged: int,
    s3: ObjectServer,
    tiletree: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No submission is stored encoded: one that says it is is taken as it is stored, and nothing is spent on it."""
    begin(tiletree)
    decode = Gunzip.decode
    decoded: list[int] = []
    monkeypatch.setattr(Gunzip, "decode", lambda *given: decoded.append(len(given[1])) or decode(*given))
    path = Name("eve", "0" * 32, sha256(GOOD).hexdigest()).path
    s3.put("private", f"log/{path}", stored, content_encoding="gzip")
    done = tiletree.ok("sequence", BUCKET)
    assert (done["size"], done["refused"]) == (logged, {} if logged else {"eve": 1})
    assert decoded == []
