"""`repair --head` for logs in buckets: what it makes again, from what, and how objects are stored afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, files, owner_only
from tests.support.command_line import Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault, possible
from tests.support.sampling import quickly
from tiles.errors import LOST
from tiles.records.settings import parse_settings
from tiles.tree.layout import CHECKPOINT

ADD = ("add", LOG, "c")
Bucket = dict[str, bytes]


@pytest.fixture
def older(tiletree: Command, s3: ObjectServer) -> Iterator[Bucket]:
    """Return the private bucket after the first of the two batches of a log."""
    begin(tiletree, LOG, PRIVATE, "--gzip", "--anchor", "s3://anchors/log")
    files("a", "b", "c")
    tiletree.ok("add", LOG, "a")
    kept = dict(s3.objects["private"])
    tiletree.ok("add", LOG, "b")
    yield kept
    assert tiletree.ok("audit", LOG)["findings"] == []


def lose(*keys: str) -> Callable[[ObjectServer, Bucket], None]:
    """Return what removes objects of the private bucket; all of them if none is named."""

    def remove(s3: ObjectServer, _older: Bucket) -> None:
        for key in keys or list(s3.objects["private"]):
            s3.remove("private", key)

    return remove


def put_back(s3: ObjectServer, older: Bucket) -> None:
    """The private bucket is put back to an older copy."""
    lose()(s3, older)
    for key, data in older.items():
        s3.put("private", key, data)


def unfinished(s3: ObjectServer, older: Bucket) -> None:
    """The checkpoint of the second batch did not get out, and then the head was lost."""
    del older
    s3.put("public", f"log/{CHECKPOINT}", s3.objects["public"]["log/checkpoints/001"])
    s3.remove("private", "log/head")


HARMS: dict[str, tuple[Callable[[ObjectServer, Bucket], None], int, tuple[str, ...]]] = {
    "the head": (lose("log/head"), 3, ()),
    "the private bucket": (lose(), 3, ("--gzip",)),
    "put back": (put_back, 4, ()),
    "unfinished": (unfinished, 3, ()),
}


@pytest.mark.parametrize("harm", quickly(HARMS, ["the private bucket"]))
def test_a_lost_head(tiletree: Command, s3: ObjectServer, older: Bucket, harm: str) -> None:
    """Whoever meets it is led to the page; the head is made again once, and the log goes on, stored as it was."""
    do_harm, code, options = HARMS[harm]
    do_harm(s3, older)
    met = tiletree(*ADD)
    assert (met.code, LOST in met.err) == (code, True), met
    done = tiletree.ok("repair", LOG, "--head", *options)
    assert (done["head"]["size"], done["head"]["rebuilt"], done["findings"]) == (2, True, [])
    assert parse_settings(s3.objects["private"]["log/settings"]).gzip
    before = contents(s3)
    assert tiletree.ok("repair", LOG, "--head")["head"] == {"size": 2, "rebuilt": False}
    assert contents(s3) == before
    assert tiletree.ok(*ADD)["size"] == 3
    assert s3.headers("public", "log/tile/entries/000.p/3")["content-encoding"] == "gzip"


SWAPS = [(key, fault) for key in ("anchors/log/anchor", "private/log/head") for fault in possible("PUT")]


@pytest.mark.parametrize(
    ("key", "fault"), quickly(SWAPS, [(SWAPS[0][0], Fault.DROPPED), (SWAPS[-1][0], Fault.DONE_DROPPED)])
)
def test_a_reply_is_lost(tiletree: Command, s3: ObjectServer, older: Bucket, key: str, fault: Fault) -> None:
    """The swap of anchor or head has no answer, or collides: it is looked at again, and the head is made once."""
    lose("log/head")(s3, older)
    faults = [fault]
    s3.fault = lambda _number, kind, where: faults.pop() if faults and kind == "PUT" and key in where else None
    done = tiletree.ok("repair", LOG, "--head")
    s3.fault = None
    assert not faults
    assert done["head"]["size"] == 2
    assert tiletree.ok(*ADD)["size"] == 3


def test_a_private_bucket_that_anyone_can_read(tiletree: Command, s3: ObjectServer, older: Bucket) -> None:
    """A private part that is begun anew is tried out as at `init`: one that anyone can read is refused."""
    lose()(s3, older)
    owner_only(s3, "public", "private")
    before = contents(s3)
    done = tiletree("repair", LOG, "--head")
    assert done.code == 4, done
    assert contents(s3) == before
    owner_only(s3, "public")
    tiletree.ok("repair", LOG, "--head", "--gzip")
