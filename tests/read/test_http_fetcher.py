"""Objects over HTTP: what a server may do, and what is made of it."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator

import pytest

import tiles
from tests.support import fault_server as answers
from tests.support.encodings import READ, REFUSED, encoded
from tests.support.fault_server import Server, gzip, serving
from tests.support.http_fetching import DATA, LIMIT, TILE, Sleeper, fetcher
from tiles.errors import AccessError, NotFound
from tiles.read.http_fetcher import PAUSES
from tiles.tree.layout import CHECKPOINT


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one tile and something in place of a checkpoint."""
    with serving({TILE: DATA, CHECKPOINT: DATA}) as server:
        yield server


# ---- one object over HTTP


def test_fetch(server: Server) -> None:
    """An object comes as it is; the request says who asks and which encodings will do."""
    assert fetcher(server.url + "/").fetch(TILE, LIMIT) == DATA
    ((path, headers),) = server.requests
    assert path == f"/{TILE}"
    assert headers["User-Agent"] == f"tiletree/{tiles.__version__}"
    assert headers["Accept-Encoding"] == "gzip, identity"


def test_one_connection(server: Server) -> None:
    """Connections are used again, also after an object that is not there."""
    connections = []
    server.finish_request = lambda request, address: (  # type: ignore[method-assign]
        connections.append(address),
        Server.finish_request(server, request, address),
    )
    reader = fetcher(server.url)
    for _ in range(3):
        reader.fetch(TILE, LIMIT)
        with pytest.raises(NotFound):
            reader.fetch("tile/0/001", LIMIT)
    assert len(connections) == 1


GOOD = {
    "chunked": answers.chunked(DATA[:5], DATA[5:]),
    "gzip": answers.body(gzip(DATA), Content_Encoding="gzip"),
    "x-gzip": answers.body(gzip(DATA), Content_Encoding="X-GZIP"),
    "gzip of random bytes": answers.body(gzip(random.Random(1).randbytes(LIMIT)), Content_Encoding="gzip"),
    "two gzip members": answers.body(gzip(DATA[:99]) + gzip(DATA[99:]), Content_Encoding="gzip"),
    "without a length": lambda handler: handler.send(200, DATA, Content_Length="", Connection="close"),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD.keys())
def test_ways_to_send_an_object(server: Server, answer: answers.Answer) -> None:
    """However an object is sent, it is decoded; up to exactly the limit."""
    server.script[f"/{TILE}"] = [answer]
    assert len(fetcher(server.url).fetch(TILE, LIMIT)) == LIMIT
    assert len(server.requests) == 1


PASSING = {
    "500": answers.status(500),
    "502": answers.status(502),
    "503": answers.status(503),
    "408": answers.status(408),
    "429": answers.status(429),
    "connection closed": answers.hang_up,
    "a byte missing": answers.cut(DATA, 1),
    "all bytes missing": answers.cut(DATA, LIMIT),
    "chunk missing": answers.chunked(DATA, finished=False),
    "gzip cut short": answers.body(gzip(DATA)[:-1], Content_Encoding="gzip"),
    "gzip of nothing": answers.body(b"", Content_Encoding="gzip"),
    "gzip that is none": answers.body(DATA, Content_Encoding="gzip"),
    "gzip with something after it": answers.body(gzip(DATA) + b"after", Content_Encoding="gzip"),
    "gzip with a wrong sum": answers.body(gzip(DATA)[:-8] + bytes(8), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_tries_again(server: Server, answer: answers.Answer) -> None:
    """What may pass is tried again, with pauses that double and vary, and then given up as a broken way."""
    server.script[f"/{TILE}"] = [answer, answer, answers.body(DATA)]
    sleeper = Sleeper()
    assert fetcher(server.url, sleeper).fetch(TILE, LIMIT) == DATA
    chance = random.Random(1)  # as the fetcher's
    assert sleeper.slept == [PAUSES.first * chance.uniform(0.5, 1.5), 2 * PAUSES.first * chance.uniform(0.5, 1.5)]

    server.script[f"/{TILE}"] = [answer]
    server.requests.clear()
    with pytest.raises(AccessError, match=r"4 attempts$") as caught:
        fetcher(server.url).fetch(TILE, LIMIT)
    assert not isinstance(caught.value, NotFound)
    assert len(server.requests) == 4


FINAL = {
    "400": answers.status(400),
    "401": answers.status(401),
    "206": answers.status(206),
    "304": answers.status(304),
    "too long": answers.body(DATA + b"x"),
    "too long without a length": lambda handler: handler.send(200, DATA + b"x", Content_Length="", Connection="close"),
    "too long chunked": answers.chunked(DATA, DATA),
    "gzip bomb": answers.body(gzip(bytes(20_000_000)), Content_Encoding="gzip"),
    "short gzip bomb": answers.body(gzip(bytes(4_000_000)), Content_Encoding="gzip"),
    "gzip of a little too much": answers.body(gzip(DATA + b"x"), Content_Encoding="gzip"),
    "gzip of nothing, often": answers.body(gzip(b"") * 1000, Content_Encoding="gzip"),
    "an encoding not asked for": answers.body(DATA, Content_Encoding="br"),
}


@pytest.mark.parametrize("answer", FINAL.values(), ids=FINAL.keys())
def test_gives_up_at_once(server: Server, answer: answers.Answer) -> None:
    """What will not change is not tried again: a broken way, with the URL in the message."""
    server.script[f"/{TILE}"] = [answer]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match=f"^{server.url}/{TILE}: ") as caught:
        fetcher(server.url, sleeper).fetch(TILE, LIMIT)
    assert not isinstance(caught.value, NotFound)
    assert (len(server.requests), sleeper.slept) == (1, [])


@pytest.mark.parametrize("status", [404, 410, 403])
@pytest.mark.parametrize("path", [TILE, "tile/entries/000", "policy.txt"])
def test_not_found(server: Server, path: str, status: int) -> None:
    """403 is 404: storage that may not be listed answers so for what is not there."""
    server.script[f"/{path}"] = [answers.status(status)]
    with pytest.raises(NotFound):
        fetcher(server.url).fetch(path, LIMIT)
    assert len(server.requests) == 1


def test_checkpoint_not_found(server: Server) -> None:
    """For the checkpoint, 404 says that there is none, and 403 that it may not be read."""
    server.script["/checkpoint"] = [answers.status(404), answers.status(403)]
    with pytest.raises(NotFound):
        fetcher(server.url).fetch(CHECKPOINT, LIMIT)
    with pytest.raises(AccessError, match="denied") as caught:
        fetcher(server.url).fetch(CHECKPOINT, LIMIT)
    assert not isinstance(caught.value, NotFound)


# ---- Content-Encoding


@pytest.mark.parametrize(("header", "times"), READ.items())
def test_encodings(server: Server, header: str, times: int) -> None:
    """Encodings that mean nothing are passed over, gzip is undone as often as it is named; the limit holds for both."""
    server.script[f"/{TILE}"] = [answers.body(encoded(DATA, times), Content_Encoding=header)]
    assert fetcher(server.url).fetch(TILE, LIMIT) == DATA
    with pytest.raises(AccessError, match=f"longer than {LIMIT - 1} bytes"):
        fetcher(server.url).fetch(TILE, LIMIT - 1)


def test_encodings_in_two_headers(server: Server) -> None:
    """Two headers are one list."""

    def answer(handler: answers.Handler) -> None:
        handler.send_response_only(200)
        for name, value in (("Encoding", "gzip"), ("Encoding", "aws-chunked"), ("Length", str(len(gzip(DATA))))):
            handler.send_header(f"Content-{name}", value)
        handler.end_headers()
        handler.wfile.write(gzip(DATA))

    server.script[f"/{TILE}"] = [answer]
    assert fetcher(server.url).fetch(TILE, LIMIT) == DATA


@pytest.mark.parametrize(("header", "name"), REFUSED.items())
def test_encodings_that_are_refused(server: Server, header: str, name: str) -> None:
    """Any other encoding is named, at once."""
    server.script[f"/{TILE}"] = [answers.body(DATA, Content_Encoding=header)]
    with pytest.raises(AccessError, match=f"^{server.url}/{TILE}: sent in the encoding '{name}'"):
        fetcher(server.url).fetch(TILE, LIMIT)
    assert len(server.requests) == 1


# ---- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(server: Server, status: int) -> None:
    """A redirect is followed, relative or not, up to three of them for one object."""
    server.script[f"/{TILE}"] = [answers.status(status, Location="a")]
    server.script["/tile/0/a"] = [answers.status(status, Location="/b?c=d")]
    server.script["/b"] = [answers.status(status, Location=f"{server.url}/end#part")]
    server.objects["end"] = DATA
    assert fetcher(server.url).fetch(TILE, LIMIT) == DATA
    assert [path for path, _ in server.requests] == [f"/{TILE}", "/tile/0/a", "/b?c=d", "/end"]


def test_redirect_loop(server: Server) -> None:
    """Four redirects for one object are too many."""
    server.script[f"/{TILE}"] = [answers.status(302, Location=f"/{TILE}")]
    with pytest.raises(AccessError, match="redirected more than 3 times"):
        fetcher(server.url).fetch(TILE, LIMIT)
    assert len(server.requests) == 4


@pytest.mark.parametrize("location", ["", "ftp://a/b", "file:///etc/passwd", "http://[", "http://a:b/", "gopher:x"])
def test_redirect_to_what_is_no_log(server: Server, location: str) -> None:
    """A redirect leads to http(s) or nowhere."""
    server.script[f"/{TILE}"] = [answers.status(302, Location=location)]
    with pytest.raises(AccessError, match="redirected to what is not"):
        fetcher(server.url).fetch(TILE, LIMIT)
    assert len(server.requests) == 1


# ---- what a URL may hold


def test_credentials_and_query_go_to_the_log_only(server: Server) -> None:
    """User, password and query are sent with every request, the user also where this server redirects to itself."""
    url = server.url.replace("://", "://me:s%C3%A9cret%40@") + "/some%20log/?token=t0ken"
    reader = fetcher(url)
    server.script["/some%20log/checkpoint"] = [answers.status(302, Location="/b")]
    server.objects["b"] = DATA
    assert reader.fetch(CHECKPOINT, LIMIT) == DATA
    assert [path for path, _ in server.requests] == ["/some%20log/checkpoint?token=t0ken", "/b"]
    for _, headers in server.requests:
        assert headers["Authorization"] == "Basic " + b64encode("me:sécret@".encode()).decode()


@pytest.mark.parametrize(
    ("base", "location", "there"),
    [
        ("http://me:pw@a.org", "http://a.org:80/b", "http://a.org:80/b"),
        ("http://me:pw@a.org:80", "http://a.org/b", "http://a.org/b"),
        ("http://me:pw@a.org:80", "//A.org/b", "http://a.org/b"),
        ("http://me:pw@a.org:80", "/b", "http://a.org:80/b"),
    ],
)
def test_the_same_server_by_another_spelling(
    server: Server, monkeypatch: pytest.MonkeyPatch, base: str, location: str, there: str
) -> None:
    """The user is sent to the log's own server, whether its usual port is written or not."""
    monkeypatch.setenv("http_proxy", server.url)  # which answers for a.org
    server.script[base.replace("me:pw@", "") + f"/{CHECKPOINT}"] = [answers.status(302, Location=location)]
    server.script[there] = [answers.body(DATA)]
    assert fetcher(base).fetch(CHECKPOINT, LIMIT) == DATA
    assert [headers["Authorization"] for _, headers in server.requests] == [f"Basic {b64encode(b'me:pw').decode()}"] * 2


@pytest.mark.parametrize("answer", [*PASSING.values(), *FINAL.values(), answers.status(403), answers.status(404)])
def test_errors_show_no_credentials(server: Server, answer: answers.Answer) -> None:
    """No error, nor anything it was raised from, says what is secret in the URL."""
    reader = fetcher(server.url.replace("://", "://me:s3cret@") + "/?token=s3cret")
    server.script["/checkpoint"] = [answer]
    with pytest.raises(AccessError) as caught:
        reader.fetch(CHECKPOINT, LIMIT)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in f"{error} {error!r} {getattr(error, 'hint', '')}"
        error = error.__cause__ or error.__context__
    assert "s3cret" not in reader.url
