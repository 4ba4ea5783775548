"""Finding the entry of a file, whatever it is called now, in small logs and large, or the proof that there is none."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from hashlib import sha256
from io import BytesIO

import pytest

from tests.support.indexed import POLICY, client_of, numbers, with_index, without
from tests.support.web_logs import log_of
from tiles.entries.content import Content, read_content
from tiles.entries.file_digest import DigestEntry, digest_entry
from tiles.errors import AccessError, NotLogged, UsageError
from tiles.index.find_file import find_digest, find_file
from tiles.read.client import LogClient

LAST = b"logged at last"
ENTRIES = [
    digest_entry(sha256(b"plain").hexdigest(), 5),
    DigestEntry(sha256(b"named").hexdigest(), 5, "a").data,
    b"raw",
    *(b"%d" % index for index in range(4500)),
    LAST,
]


def content(data: bytes, name: str = "whatever") -> Content:
    """Return a file."""
    return read_content(BytesIO(data), name)


@pytest.fixture(params=[100_000, 1000])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LogClient:
    """Return what reads a log, which is looked through, or has an index of digests, which is used."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", request.param)
    return client_of(indexed("sha256/1"), POLICY)


@cache
def indexed(kind: str) -> dict[str, bytes]:
    """Return the log with an index."""
    return with_index(log_of(ENTRIES), kind)


@pytest.mark.parametrize(("data", "index"), [(b"plain", 0), (b"named", 1), (b"4000", 4003), (LAST, len(ENTRIES) - 1)])
def test_found(client: LogClient, data: bytes, index: int) -> None:
    """In each form in which a file is logged, under whatever name; and by its digest."""
    assert find_file(client, content(data), "it") == (index, ENTRIES[index])
    if data != b"plain":
        assert find_digest(client, sha256(data).digest()) == (index, ENTRIES[index])


def test_not_found(client: LogClient) -> None:
    """It says what was not found, and among how many entries."""
    with pytest.raises(NotLogged, match=f"it is not among the {len(ENTRIES)} entries of log.example.com") as missed:
        find_file(client, content(b"other"), "it")
    assert missed.value.hint == ""
    with pytest.raises(NotLogged, match=f"sha256:{'00' * 32} is not among"):
        find_digest(client, bytes(32))


def test_the_head_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choosing an index, asking it and concluding that it has no entry take one request for its head."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    for data in (b"plain", b"4000", b"never logged"):
        client = client_of(indexed("sha256/1"))
        with suppress(NotLogged):
            find_file(client, content(data), "it")
        assert client.fetcher.asked.count("index/sha256/1/head") == 1  # type: ignore[attr-defined]


def test_by_the_index_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index of digests one of leaf hashes leads to a file; without both, and where one lags, it is said."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    leaves = client_of(indexed("leaf/1"))
    assert find_file(leaves, content(b"named", "a"), "it")[0] == 1
    with pytest.raises(NotLogged) as missed:
        find_file(leaves, content(b"named", "another name"), "it")
    assert "under another name only an index of sha256/1 would find" in missed.value.hint
    with pytest.raises(UsageError, match=r"no index of sha256/1"):
        find_digest(leaves, bytes(32))
    assert find_digest(leaves, sha256(b"raw").digest(), any_size=True)[0] == 2
    objects = numbers(9000, 4096)
    lagging = client_of(without(objects, ["index/leaf/1/head"]))
    with pytest.raises(AccessError, match="the index covers 4096 of the 9000 entries") as caught:
        find_file(lagging, content(b"8500"), "it")
    assert "--scan" in caught.value.hint
    assert find_file(lagging, content(b"801"), "it")[0] == 801
