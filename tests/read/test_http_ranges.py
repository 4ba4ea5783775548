"""Parts of objects over HTTP: what a server may answer to who asks for one, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import fault_server as answers
from tests.support.fault_server import Server, gzip, serving
from tests.support.http_fetching import Sleeper, fetcher
from tiles.errors import AccessError, Malformed, NotFound, TooLong
from tiles.read.http_ranges import length_of
from tiles.store.past_caches import fetch_for
from tiles.store.ranges import Part, fetch_range

RUN = "index/leaf/1/0/000/000"
DATA = bytes(range(256)) * 384
SIZE = len(DATA)
START, STOP = 4096, 8192
HTML = b"<!doctype html><title>Log in</title>"


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one file of an index, and no parts of it."""
    with serving({RUN: DATA}) as server:
        yield server


def part(
    body: bytes = DATA[START:STOP], said: str = f"bytes {START}-{STOP - 1}/{SIZE}", **headers: str
) -> answers.Answer:
    """Answer with 206."""
    return lambda handler: handler.send(206, body, Content_Range=said, **headers)


def ask(server: Server, sleeper: Sleeper | None = None) -> Part:
    """Ask for the part."""
    return fetcher(server.url, sleeper).fetch_range(RUN, START, STOP, SIZE)


def asked(server: Server) -> list[tuple[str | None, str | None]]:
    """Return of each request which part, and which encodings, it asked for."""
    return [(headers["Range"], headers["Accept-Encoding"]) for _, headers in server.requests]


FOR_THE_PART = (f"bytes={START}-{STOP - 1}", "identity")
FOR_THE_WHOLE = (None, "gzip, identity")

TAKEN = {
    "as asked for": part(),
    "of an object whose length is not known": part(said=f"bytes {START}-{STOP - 1}/*"),
    "of a shorter object that has it": part(said=f"bytes {START}-{STOP - 1}/{STOP}"),
    "in words of another case": part(said=f"Bytes {START}-{STOP - 1}/{SIZE}"),
    "with encodings that mean nothing": part(Content_Encoding="identity, aws-chunked"),
    "without a length": lambda handler: handler.send(
        206, DATA[START:STOP], Content_Length="", Connection="close", Content_Range=f"bytes {START}-{STOP - 1}/{SIZE}"
    ),
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN.keys())
def test_a_part(server: Server, answer: answers.Answer) -> None:
    """What is exactly the part is taken; the request asks for it as it is stored."""
    server.script[f"/{RUN}"] = [answer]
    assert ask(server) == Part(START, DATA[START:STOP])
    assert asked(server) == [FOR_THE_PART]


def test_the_end_of_a_shorter_object(server: Server) -> None:
    """What there is of the part comes; whether it will do is up to who asked."""
    server.script[f"/{RUN}"] = [part(DATA[START:5000], f"bytes {START}-4999/5000")]
    assert ask(server) == Part(START, DATA[START:5000])


WHOLE = {
    "a server that knows no parts": answers.body(DATA),
    "one that encodes all the same": answers.body(gzip(DATA), Content_Encoding="gzip"),
    "a web page": answers.body(HTML),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole(server: Server, name: str) -> None:
    """200 is the whole object, whatever it is; it is not asked for twice."""
    server.script[f"/{RUN}"] = [WHOLE[name]]
    assert ask(server) == Part(0, HTML if name == "a web page" else DATA)
    assert asked(server) == [FOR_THE_PART]


USELESS = {
    "no Content-Range": part(said=""),
    "another unit": part(said=f"lines {START}-{STOP - 1}/{SIZE}"),
    "no Content-Range that can be read": part(said=f"bytes {START}-{STOP - 1}"),
    "two of them": part(said=f"bytes {START}-{STOP - 1}/{SIZE}, bytes 0-1/{SIZE}"),
    "other bytes": part(said=f"bytes 0-{STOP - START - 1}/{SIZE}"),
    "fewer bytes": part(DATA[START:5000], f"bytes {START}-4999/{SIZE}"),
    "fewer bytes of who knows how many": part(DATA[START:5000], f"bytes {START}-4999/*"),
    "more bytes": part(DATA[START : STOP + 1], f"bytes {START}-{STOP}/{SIZE}"),
    "bytes backwards": part(b"", f"bytes {START}-{START - 1}/{SIZE}"),
    "bytes beyond the end": part(said=f"bytes {START}-{STOP - 1}/{START}"),
    "another length than it says": part(DATA),
    "endless bytes": answers.drip(
        f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {START}-{STOP - 1}/{SIZE}\r\n\r\n".encode(), bytes(5000)
    ),
    "several parts": part(b"--x\r\n", "", Content_Type="multipart/byteranges; boundary=x"),
    "part of what is gzip-encoded": part(Content_Encoding="gzip"),
    "part of what is encoded otherwise": part(Content_Encoding="br"),
    "416": answers.status(416),
    "416 with a length": answers.status(416, Content_Range="bytes */99"),
}


@pytest.mark.parametrize("answer", USELESS.values(), ids=USELESS.keys())
def test_what_is_of_no_use(server: Server, answer: answers.Answer) -> None:
    """The whole object is asked for instead, as it usually is, at once."""
    server.script[f"/{RUN}"] = [answer, answers.body(gzip(DATA), Content_Encoding="gzip")]
    sleeper = Sleeper()
    assert ask(server, sleeper) == Part(0, DATA)
    assert asked(server) == [FOR_THE_PART, FOR_THE_WHOLE]
    assert sleeper.slept == []


PASSING = {
    "503": answers.status(503),
    "429": answers.status(429),
    "connection closed": answers.hang_up,
    "a short body": part(DATA[START : STOP - 1], Content_Length=str(STOP - START), Connection="close"),
    "a short body without a length": part(DATA[START : STOP - 1], Content_Length="", Connection="close"),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_tries_again(server: Server, answer: answers.Answer) -> None:
    """What may pass is tried again, for the part, and then given up as for whole objects."""
    server.script[f"/{RUN}"] = [answer, answer, part()]
    assert ask(server) == Part(START, DATA[START:STOP])
    assert asked(server) == [FOR_THE_PART] * 3
    server.script[f"/{RUN}"] = [answer]
    with pytest.raises(AccessError, match=r"4 attempts$"):
        ask(server)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (answers.status(404), NotFound, "not found"),
        (answers.status(403), NotFound, "403"),
        (answers.status(400), AccessError, "answers 400"),
        (part(said=f"bytes {START}-{STOP - 1}/{SIZE + 1}"), TooLong, f"longer than {SIZE} bytes"),
        (answers.body(DATA + b"x"), TooLong, f"longer than {SIZE} bytes"),
        (answers.body(gzip(DATA + b"x"), Content_Encoding="gzip"), TooLong, f"longer than {SIZE} bytes"),
        (answers.body(HTML * 9999), TooLong, "is a web page"),
        (answers.body(DATA, Content_Encoding="br"), AccessError, "encoding 'br'"),
        (answers.status(302, Location="http://other.example/"), AccessError, "not by https"),
    ],
)
def test_gives_up_at_once(server: Server, answer: answers.Answer, error: type[Exception], words: str) -> None:
    """What a whole object is not taken for, a part is not; an object that is longer than it may be is another one."""
    server.script[f"/{RUN}"] = [answer]
    with pytest.raises(error, match=words):
        ask(server)
    assert len(server.requests) == 1


def test_redirects_and_credentials(server: Server) -> None:
    """A part is asked for at every address that a redirect leads to, with the user at the log's own server."""
    server.script[f"/{RUN}"] = [answers.status(302, Location="/there")]
    server.script["/there"] = [part()]
    found = fetcher(server.url.replace("://", "://me:pw@")).fetch_range(RUN, START, STOP, SIZE)
    assert found == Part(START, DATA[START:STOP])
    assert asked(server) == [FOR_THE_PART] * 2
    assert {headers["Authorization"] for _, headers in server.requests} == {"Basic bWU6cHc="}


def test_one_deadline(server: Server) -> None:
    """The part and the whole in its place have the time of one object."""
    server.script[f"/{RUN}"] = [
        answers.status(503, Retry_After="30"),
        part(said=""),
        answers.status(503, Retry_After="30"),
    ]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match=r"answers 503$"):
        fetcher(server.url, sleeper, whole=50.0).fetch_range(RUN, START, STOP, SIZE)
    assert sleeper.slept == [30.0]


def test_a_part_that_will_not_do(server: Server) -> None:
    """Who finds that a part is wrong gets the whole file, which is asked for past the cache that has it wrong, too."""
    wrong = bytes(SIZE)
    server.script[f"/{RUN}"] = [part(wrong[START:STOP]), answers.body(wrong), answers.body(DATA)]

    def right(data: bytes) -> bytes:
        if data != DATA:
            raise Malformed("run", "another one")
        return data

    reader = fetcher(server.url)
    assert fetch_range(reader, RUN, START, STOP, SIZE) == Part(START, wrong[START:STOP])
    assert fetch_for(reader, RUN, SIZE, right) == DATA
    assert [headers["Cache-Control"] for _, headers in server.requests] == [None, None, "no-cache"]


def test_length_of() -> None:
    """Every Content-Range of few digits: taken are those of exactly the part, or of what there is of it."""
    taken = {
        (first, last, total)
        for first in range(6)
        for last in range(7)
        for total in (*range(7), "*")
        if length_of({"Content-Range": f"bytes {first}-{last}/{total}"}, (2, 5), 6, "x") is not None
    }
    assert taken == {(2, 4, 5), (2, 4, 6), (2, 4, "*"), (2, 3, 4), (2, 2, 3)}


ODD = [
    "bytes 2-4/5\n",
    " bytes 2-4/5",
    "bytes  2-4/5",
    "bytes 2-4/5,",
    "bytes=2-4/5",
    "bytes 2-4",
    "bytes */5",
    "byte\u017f 2-4/5",
]
ODD += [
    "bytes 02-4/5",
    "bytes +2-4/5",
    "bytes 2-4/5.0",
    "bytes \u0662-4/5",
    f"bytes 2-4/{10**19}",
    "bytes 2-4/**",
    "2-4/5",
    "\0",
]


@pytest.mark.parametrize("said", ODD, ids=ascii)
def test_what_is_no_content_range(said: str) -> None:
    """One way to write it is understood, and no other is guessed at."""
    assert length_of({"Content-Range": said}, (2, 5), 6, "x") is None
