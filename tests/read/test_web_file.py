"""One file at a URL: read as a stream, whatever a server does, and shown without credentials."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import fault_server as answers
from tests.support.fault_server import Server, serving
from tests.support.http_fetching import Sleeper, fetcher
from tiles.errors import AccessError, NotFound, TooLong, UsageError
from tiles.read import web_file
from tiles.read.web_file import WebFile

DATA = bytes(range(256)) * 1024
PATH = "/files/app%201.whl"


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server of one file, and what stands beside it."""
    with serving({"files/app%201.whl": DATA, "files/app%201.whl.tlog-proof": b"a proof"}) as server:
        yield server


def read(file: WebFile) -> bytes:
    """Return all of it."""
    with file.open() as stream:
        return stream.read()


def test_a_file_and_what_stands_beside_it(server: Server) -> None:
    """Its bytes, its name, and a file of a longer name; the query goes along, and nothing of it is shown."""
    file = WebFile(f"{server.url.replace('//', '//me:word@')}{PATH}?token=word")
    assert (file.name, file.shown) == ("app 1.whl", f"{server.url}{PATH}")
    assert read(file) == DATA
    beside = file.beside(".tlog-proof")
    assert (beside.read(100), beside.shown) == (b"a proof", f"{server.url}{PATH}.tlog-proof")
    assert [path for path, _ in server.requests] == [f"{PATH}?token=word", f"{PATH}.tlog-proof?token=word"]
    assert {headers["Authorization"] for _, headers in server.requests} == {"Basic bWU6d29yZA=="}
    with pytest.raises(NotFound) as caught:
        file.beside(".sigstore.json").read(100)
    assert "word" not in str(caught.value)


def test_a_stream_has_an_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than anybody should have to read, or takes too long, is given up, with what to do."""
    monkeypatch.setattr(web_file, "MAX_FILE_SIZE", len(DATA))
    assert read(WebFile(f"{server.url}{PATH}")) == DATA
    monkeypatch.setattr(web_file, "MAX_FILE_SIZE", len(DATA) - 1)
    with pytest.raises(TooLong, match=f"more than {len(DATA) - 1} bytes") as caught:
        read(WebFile(f"{server.url}{PATH}"))
    assert "download it" in caught.value.hint
    sleeper = Sleeper()
    with fetcher(server.url, sleeper).opened(PATH[1:], len(DATA), 60.0) as stream:
        sleeper.now += 61
        with pytest.raises(AccessError, match="takes too long"):
            stream.read()


def test_an_answer_that_breaks_off(server: Server) -> None:
    """What is there of it is not the file; a server that answers at the second attempt is believed."""
    server.script[PATH] = [answers.cut(DATA, 1)]
    with pytest.raises(AccessError, match="broke off"):
        read(WebFile(f"{server.url}{PATH}"))
    server.script[PATH] = [answers.status(503), answers.hang_up, answers.body(DATA)]
    with fetcher(server.url).opened(PATH[1:], len(DATA), 60.0) as stream:
        assert stream.read() == DATA


def test_what_is_encoded_is_no_file(server: Server) -> None:
    """It is asked for as it is; a server that encodes it all the same leaves open what the file is."""
    server.script[PATH] = [answers.body(answers.gzip(DATA), Content_Encoding="gzip")]
    with pytest.raises(AccessError, match="sends it encoded"):
        read(WebFile(f"{server.url}{PATH}"))
    assert server.requests[-1][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (403, NotFound), (401, AccessError), (204, AccessError)])
def test_what_is_not_there(server: Server, status: int, kind: type[AccessError]) -> None:
    """An answer without the file is none, whatever comes with it."""
    server.script[PATH] = [answers.status(status)]
    with pytest.raises(kind):
        read(WebFile(f"{server.url}{PATH}"))


def test_redirects(server: Server) -> None:
    """A redirect is followed on the same server, and not in a circle, nor to another one without TLS."""
    server.script["/old"] = [answers.status(302, Location=PATH)]
    assert read(WebFile(f"{server.url}/old")) == DATA
    server.script["/round"] = [answers.status(302, Location="/round")]
    with pytest.raises(AccessError, match="redirected more than 3 times"):
        read(WebFile(f"{server.url}/round"))
    server.script["/away"] = [answers.status(302, Location="http://other.example.com/app.whl")]
    with pytest.raises(AccessError, match="to another server, and not by https"):
        read(WebFile(f"{server.url}/away"))


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com/", "https://me:word@h/a/", "https://h/a#b"]
)
def test_what_names_no_file(url: str) -> None:
    """A host, a folder, and a part of a page."""
    with pytest.raises(UsageError, match="not the URL of a file") as caught:
        WebFile(url)
    assert "word" not in str(caught.value)
