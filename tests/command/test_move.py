"""`tiletree move` on the command line: places that are remembered, refusals, and what is said of what stays behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, owner_only
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer


@pytest.fixture
def begun(tiletree: Command) -> Command:
    """Return the command, with a log of one entry."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")
    Path("a").write_bytes(b"a")
    tiletree.ok("add", "log", "a", "--key", "k")
    return tiletree


def test_a_whole_log(begun: Command) -> None:
    """Both parts; places are remembered, so that the new place alone has to be named; a second call changes nothing."""
    Path("log.private/inbox/eve").mkdir(parents=True)
    Path("log.private/inbox/eve/no name").write_bytes(b"")
    done = begun.ok("move", "log", "there", "--to-private", "own", "--key", "k")
    assert (done["new"], done["size"], done["left"]) == (True, 1, ["inbox/eve/no name"])
    assert begun.ok("move", "log", "there", "--to-private", "own", "--key", "k")["new"] is False
    Path("b").write_bytes(b"b")
    assert begun.ok("add", "there", "b")["size"] == 2
    assert begun.ok("audit", "there")["findings"] == []
    moved = f"the log was moved to {Path('there').resolve()}, its private part to {Path('own').resolve()}"
    assert moved in begun("add", "log", "b", "--key", "k").err


@pytest.mark.slow
def test_the_private_part_alone(begun: Command) -> None:
    """The public one stays where it is, and readers notice nothing; writers with the old place are refused."""
    begun.ok("move", "log", "log", "--to-private", "own", "--key", "k")
    Path("b").write_bytes(b"b")
    assert begun.ok("add", "log", "b")["size"] == 2
    assert begun("add", "log", "b", "--key", "k", "--private", "log.private").code == 4


@pytest.mark.slow
def test_between_a_directory_and_buckets(begun: Command, s3: ObjectServer) -> None:
    """There and back: objects get the headers of their paths, and the private part is not for everyone."""
    refused = begun("move", "log", LOG, "--to-private", "s3://public/own", "--key", "k")
    assert refused.code == 2
    s3.access = {**(s3.access or {}), "": lambda request: request.kind in ("GET", "HEAD")}
    assert begun("move", "log", LOG, "--to-private", PRIVATE, "--key", "k").code == 4  # anyone could read it
    owner_only(s3, "public")
    done = begun.ok("move", "log", LOG, "--to-private", PRIVATE, "--gzip", "--key", "k")
    assert done["new"]
    assert "no-cache" in s3.headers("public", "log/checkpoint")["cache-control"]
    tile = s3.headers("public", "log/tile/0/000.p/1")
    assert ("immutable" in tile["cache-control"], tile["content-type"]) == (True, "application/octet-stream")
    Path("b").write_bytes(b"b")
    assert begun.ok("add", LOG, "b")["size"] == 2
    assert begun.ok("audit", LOG)["findings"] == []
    assert begun.ok("move", LOG, "there")["size"] == 2
    assert begun.ok("audit", "there")["findings"] == []
    assert begun("add", LOG, "b").code == 4


REFUSED = [
    (("log", "--to-private", "log.private"), 2),
    (("there", "--to-private", "there/private"), 2),
    (("there", "--private-in-bucket"), 2),
    (("there", "--gzip"), 2),
    (("there", "--lock-days", "3"), 2),
    (("there", "--to-private", "full"), 4),
    (("other", "--to-private", "own"), 4),
]


def test_refused(begun: Command) -> None:
    """Nothing has changed: the log goes on where it is."""
    begun.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    Path("full").mkdir(mode=0o700)
    Path("full/something").write_bytes(b"")
    for words, code in REFUSED:
        done = begun("move", "log", *words, "--key", "k")
        assert done.code == code, done
    Path("b").write_bytes(b"b")
    assert begun.ok("add", "log", "b", "--key", "k")["size"] == 2
