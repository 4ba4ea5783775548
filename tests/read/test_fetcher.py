from __future__ import annotations

import random
import socket
import ssl
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event, active_count, current_thread

import pytest

import tiles
from tests.support import fault_server as answers
from tests.support.fault_server import Server, gzip, serving
from tests.support.readers import POLICY, Objects, entry, make_log
from tiles.errors import AccessError, NotFound, TileError, UsageError
from tiles.read import http_fetcher as http
from tiles.read.client import LogClient
from tiles.read.fetcher import Fetcher, StoreFetcher, fetch_tile, fetch_tiles, is_local, normal_url, open_log
from tiles.read.http_fetcher import PAUSES, HttpFetcher, Patience
from tiles.retry import Clock
from tiles.store.bounded_gzip import Gunzip
from tiles.store.memory import MemoryStore
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT, Tile
from tiles.tree.merkle import leaf_hash

DATA = bytes(range(256)) * 32
LIMIT = len(DATA)
TILE = "tile/0/000"


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one tile and something in place of a checkpoint."""
    with serving({TILE: DATA, CHECKPOINT: DATA}) as server:
        yield server


class Sleeper:
    """Time that only sleeping moves; takes down how long was slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        """A clock that tells this time; its chance is the same each time."""
        return Clock(lambda: self.now, self.sleep, random.Random(1))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def fetcher(url: str, sleeper: Sleeper | None = None, **patience: float) -> HttpFetcher:
    """Return a fetcher that sleeps only as far as the test's own time goes."""
    return HttpFetcher(url, patience=Patience(**patience), clock=(sleeper or Sleeper()).clock)


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
    "two encodings": answers.body(gzip(gzip(DATA)), Content_Encoding="gzip, gzip"),
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


def test_gzip_never_decodes_much_too_much() -> None:
    """A gzip bomb is stopped one byte beyond the limit, not when it has gone off."""
    bomb = gzip(bytes(20_000_000))
    assert len(Gunzip().decode(bomb, 1000)) == 1001
    many = Gunzip()
    assert len(many.decode(gzip(bytes(600)) * 50, 1000)) == 1001


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


NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


def http_date(seconds: float) -> str:
    """Return so many seconds after noon as HTTP writes it."""
    return (NOON + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (http_date(9), 9.0),
        (http_date(-9), 0.0),
        ("99999", PAUSES.longest),
        ("9" * 400, PAUSES.longest),
        (http_date(1e9), PAUSES.longest),
        ("soon", None),
        ("-1", None),
        ("\xb2", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(server: Server, status: int, value: str, pause: float | None) -> None:
    """Retry-After is honoured, as seconds and as a date by the server's own clock, up to half a minute."""
    headers = {"Retry_After": value, "Date": http_date(0)}
    server.script[f"/{TILE}"] = [answers.status(status, **headers), answers.body(DATA)]
    sleeper = Sleeper()
    assert fetcher(server.url, sleeper).fetch(TILE, LIMIT) == DATA
    if pause is None:
        assert 0.5 * PAUSES.first <= sleeper.slept[0] <= 1.5 * PAUSES.first
    else:
        assert sleeper.slept == [pause]


def test_deadline_ends_the_attempts(server: Server) -> None:
    """No pause goes beyond the deadline: it is given up before."""
    server.script[f"/{TILE}"] = [answers.status(503, Retry_After="20")]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="answers 503, 3 attempts"):
        fetcher(server.url, sleeper, whole=50.0).fetch(TILE, LIMIT)
    assert sleeper.slept == [20.0, 20.0]


def test_no_answer(server: Server) -> None:
    """A server that says nothing is given up after the read timeout."""
    server.script[f"/{TILE}"] = [answers.silence]
    with pytest.raises(AccessError, match="no answer in time"):
        fetcher(server.url, read=0.05).fetch(TILE, LIMIT)


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
)
def test_slow_answer(server: Server, start: bytes, endless: bytes) -> None:
    """A server that sends a byte now and then holds nobody beyond the deadline, in status, headers or body."""
    server.script[f"/{TILE}"] = [answers.drip(start, endless)]
    with pytest.raises(AccessError, match=r"no whole answer within 0.3 seconds"):
        HttpFetcher(server.url, patience=Patience(whole=0.3)).fetch(TILE, LIMIT)


def test_body_that_comes_too_late(server: Server) -> None:
    """Reading a body ends at the deadline too, so that what nobody waits for any more does not go on."""
    caller = current_thread()
    late_for_the_reader = Clock(now=lambda: 0.0 if current_thread() is caller else 20.0)
    with pytest.raises(AccessError, match="no whole answer within 15 seconds"):
        HttpFetcher(server.url, patience=Patience(whole=15), clock=late_for_the_reader).fetch(TILE, LIMIT)


def test_endless_error(server: Server) -> None:
    """What comes along with a 404 does not keep anybody from knowing that it is one."""
    server.script[f"/{TILE}"] = [answers.drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 8192\r\n\r\n", b".")]
    with pytest.raises(NotFound):
        fetcher(server.url).fetch(TILE, LIMIT)


def test_no_server() -> None:
    """A port where nobody listens is tried again, and is a broken way."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="no connection, 4 attempts"):
        fetcher(f"http://127.0.0.1:{port}/log", sleeper).fetch(CHECKPOINT, LIMIT)
    assert len(sleeper.slept) == 3


def test_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is a broken way, and the message says that it is the name."""

    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AccessError, match="host name cannot be resolved"):
        fetcher("http://log.example.com").fetch(CHECKPOINT, LIMIT)


def test_what_is_no_host() -> None:
    """A host that no name server could know is not tried again."""
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="the host name is not one"):
        fetcher("http://a..example", sleeper).fetch(CHECKPOINT, LIMIT)
    assert sleeper.slept == []


def test_unknown_certificate(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is a broken way, and is not tried again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    sleeper = Sleeper()
    with serving({CHECKPOINT: DATA}, context) as server, pytest.raises(AccessError, match="no secure connection"):
        fetcher(server.url.replace("http:", "https:"), sleeper).fetch(CHECKPOINT, LIMIT)
    assert sleeper.slept == []


def _certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    now = datetime.now(UTC)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    path = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return path


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


@pytest.mark.parametrize(
    ("at", "location", "allowed"),
    [
        ("http://a/", "https://b/", True),
        ("http://a/", "http://b/", True),
        ("https://a/", "https://b/", True),
        ("https://a/", "//b/", True),
        ("https://a/", "http://a/", False),
    ],
)
def test_redirect_never_leaves_https(at: str, location: str, allowed: bool) -> None:
    """Who came by https is not sent on without it."""
    if allowed:
        assert http._redirected(http.parse_http_url(at), location, "x").host in ("a", "b")
        return
    with pytest.raises(AccessError):
        http._redirected(http.parse_http_url(at), location, "x")


# ---- what a URL may hold


def test_credentials_and_query_go_to_the_log_only(server: Server) -> None:
    """User, password and query are sent with every request, to this server, and to none that it redirects to."""
    url = server.url.replace("://", "://me:s%C3%A9cret%40@") + "/some%20log/?token=t0ken"
    reader = fetcher(url)
    with serving({"b": DATA}) as other:
        server.script["/some%20log/checkpoint"] = [answers.status(302, Location=f"{other.url}/b")]
        assert reader.fetch(CHECKPOINT, LIMIT) == DATA
        ((path, headers),) = other.requests
        assert "Authorization" not in headers
        assert "t0ken" not in path
    ((path, headers),) = server.requests
    assert path == "/some%20log/checkpoint?token=t0ken"
    assert headers["Authorization"] == "Basic " + b64encode("me:sécret@".encode()).decode()


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


NO_URL = ["http://", "http:///x", "https://a b/", "http://a:99999/", "http://[::1/", "http://a/\n", "http://a/#b"]


@pytest.mark.parametrize("url", NO_URL)
def test_what_is_no_url(url: str) -> None:
    """What is no URL of a log is a wrong call."""
    with pytest.raises(UsageError):
        open_log(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Log.Example.com:443/a/", "https://log.example.com/a"),
        ("HTTPS://log.example.com", "https://log.example.com"),
        ("http://me:secret@log.example.com:80/a//?token=x", "http://log.example.com/a"),
        ("http://log.example.com:8080/", "http://log.example.com:8080"),
        ("http://log.example.com:443/", "http://log.example.com:443"),
        ("https://log.example.com/a/../b/./c/", "https://log.example.com/b/c"),
        ("http://[::1]:80/", "http://[::1]"),
        ("/some/log/", "/some/log"),
        ("/some/../log", "/log"),
        ("file:///some/log/", "/some/log"),
        ("s3://bucket/log/", "s3://bucket/log"),
        ("S3://key:secret@bucket/log?endpoint=https://x", "s3://bucket/log"),
        ("fsspec+s3://bucket/log/", "fsspec+s3://bucket/log"),
        ("s3://key:sec/ret@bucket/log", "s3://bucket/log"),
        ("sftp://me:secret@host:22/log#x", "sftp://host:22/log"),
        ("github://org:repo@main/log/", "github://org:repo@main/log"),
        ("zip://log::https://me:secret@host/a.zip?token=x", "zip://log::https://host/a.zip"),
        ("memory://a:b/c", "memory://a:b/c"),
    ],
)
def test_normal_url(url: str, normal: str) -> None:
    """A log has one name, however its URL is written, and no secret in it."""
    assert normal_url(url) == normal
    assert normal_url(normal) == normal


def test_normal_url_of_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is remembered as what it is now."""
    monkeypatch.chdir(tmp_path)
    assert normal_url("log/") == normal_url("./log") == str(tmp_path / "log")


# ---- directories


def write_log(folder: Path, objects: dict[str, bytes]) -> None:
    """Write objects into files."""
    for path, data in objects.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
def test_open_directory(tmp_path: Path, form: str) -> None:
    """A directory is opened by its path or its file:// URL."""
    write_log(tmp_path, {CHECKPOINT: DATA})
    reader = open_log(form.format(tmp_path))
    assert reader.fetch(CHECKPOINT, LIMIT) == DATA
    with pytest.raises(NotFound):
        reader.fetch(TILE, LIMIT)
    with pytest.raises(AccessError, match="longer than"):
        reader.fetch(CHECKPOINT, LIMIT - 1)


def test_open_what_is_no_log(tmp_path: Path) -> None:
    """A path that is no directory, or holds no checkpoint, says so; nothing is made there."""
    with pytest.raises(NotFound, match="no such directory"):
        open_log(str(tmp_path / "absent"))
    with pytest.raises(NotFound, match="there is no log here"):
        open_log(str(tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotFound, match="no such directory"):
        open_log(str(tmp_path / "file"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("url", ["nosuch://bucket/log", "simplecache::memory://log", "://x", "", "a\0b"])
def test_open_what_cannot_be_read(url: str) -> None:
    """A URL of another kind is a wrong call; the message says which can be read."""
    with pytest.raises(UsageError):
        open_log(url)


def test_what_is_local(tmp_path: Path, server: Server) -> None:
    """Only a directory is: a bucket and a server are read several objects at a time, and their tiles kept here."""
    write_log(tmp_path, {CHECKPOINT: DATA})
    assert is_local(open_log(str(tmp_path)))
    assert not is_local(open_log(server.url))
    assert not is_local(StoreFetcher(MemoryStore(), 32))


def test_object_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3://, gs:// and az:// are read as object stores, many objects at a time, however the scheme is written."""
    opened = []
    monkeypatch.setattr("tiles.read.fetcher.public_store", lambda url: opened.append(url) or MemoryStore())
    for url in ("s3://bucket/log", "gs://bucket/log", "az://container", "S3://bucket?region=x"):
        reader = open_log(url)
        assert isinstance(reader, StoreFetcher)
        assert reader.parallel == 32
        assert opened.pop() == url


def test_store_fetcher() -> None:
    """Any store is read by its own URL."""
    store = MemoryStore("a-log")
    store.create({TILE: DATA})
    reader: Fetcher = StoreFetcher(store)
    assert reader.url == "memory://a-log"
    assert reader.fetch(TILE, LIMIT) == DATA


# ---- partial and full, one and many


def test_partial_falls_back_to_full() -> None:
    """A partial tile or bundle that is gone is cut from the full one; a full one that is gone is not there."""
    full = {"tile/entries/000": encode_entries([entry(i) for i in range(256)]), TILE: DATA}
    assert fetch_tile(Objects(full), Tile(0, 0, 3)) == DATA[:96]
    assert fetch_tile(Objects(full), Tile(-1, 0, 5)) == encode_entries([entry(i) for i in range(5)])
    for tile in (Tile(0, 1, 3), Tile(-1, 1, 3), Tile(0, 1), Tile(-1, 1)):
        objects = Objects(full)
        with pytest.raises(NotFound):
            fetch_tile(objects, tile)
        assert objects.asked == list(dict.fromkeys([tile.path, tile.full.path]))


@pytest.mark.parametrize(("tile", "longest"), [(Tile(0, 0), 2 * 8192), (Tile(-1, 0), 256 * 65_537 + 1)])
def test_limits(tile: Tile, longest: int) -> None:
    """The longest bundle can be read, and a little more of both kinds, so that it is found to be wrong; no more."""
    assert len(fetch_tile(Objects({tile.path: bytes(longest)}), tile)) == longest
    with pytest.raises(AccessError, match="longer than"):
        fetch_tile(Objects({tile.path: bytes(longest + 1)}), tile)


def test_partial_is_asked_for_first() -> None:
    """Where the partial tile is there, the full one is not asked for."""
    objects = Objects({"tile/0/000.p/3": b"x" * 96, TILE: DATA})
    assert fetch_tile(objects, Tile(0, 0, 3)) == b"x" * 96
    assert objects.asked == ["tile/0/000.p/3"]


@pytest.mark.parametrize(
    ("tile", "data"),
    [(Tile(0, 0, 3), DATA[:-1]), (Tile(0, 0, 3), b""), (Tile(-1, 0, 3), b"\0"), (Tile(-1, 0, 3), b"\0\0" * 255)],
)
def test_full_that_cannot_be_cut(tile: Tile, data: bytes) -> None:
    """A full one of the wrong length is a wrong log, and the error names it."""
    with pytest.raises(TileError) as caught:
        fetch_tile(Objects({tile.full.path: data}), tile)
    assert caught.value.path == tile.full.path


@pytest.mark.parametrize("parallel", [1, 2, 7, 50])
def test_fetch_tiles_in_order(parallel: int) -> None:
    """Tiles come in the order asked for, each with its own content."""
    wanted = [Tile(0, index) for index in range(40)]
    objects = Objects({tile.path: tile.path.encode() for tile in wanted}, parallel)
    assert list(fetch_tiles(objects, wanted)) == [(tile, tile.path.encode()) for tile in wanted]
    assert len(objects.asked) == 40


def test_fetch_tiles_at_a_time() -> None:
    """As many are fetched at a time as the fetcher says, neither fewer nor more, however many are wanted."""
    objects = Objects({Tile(0, index).path: DATA for index in range(12)}, parallel=4)
    together = Barrier(4)

    def before(_path: str) -> None:
        assert current_thread().daemon  # or a server that hangs would keep the program from ending
        together.wait(timeout=5)

    objects.before = before
    pulled = []

    def wanted() -> Iterator[Tile]:
        for index in range(12):
            pulled.append(index)
            yield Tile(0, index)

    stream = fetch_tiles(objects, wanted())
    next(stream)
    assert len(pulled) <= 5
    assert sum(1 for _ in stream) == 11


def test_fetch_tiles_one_by_one_needs_no_threads() -> None:
    """Where nothing is gained by them, no threads are started."""
    objects = Objects({TILE: DATA})
    before = active_count()
    objects.before = lambda _path: pytest.fail("threads") if active_count() > before else None
    assert list(fetch_tiles(objects, [Tile(0, 0)])) == [(Tile(0, 0), DATA)]


def test_fetch_tiles_error_in_its_turn() -> None:
    """An error is raised when its tile's turn comes, without waiting for those that hang."""
    objects = Objects({Tile(0, index).path: DATA for index in (0, 2)}, parallel=3)
    over = Event()
    objects.before = lambda path: over.wait(10) and None if path == "tile/0/002" else None
    stream = fetch_tiles(objects, [Tile(0, index) for index in range(3)])
    assert next(stream)[0] == Tile(0, 0)
    with pytest.raises(NotFound):
        next(stream)
    over.set()


# ---- all of it


@pytest.mark.parametrize("size", [1, 256, 600])
def test_directory_and_http_are_equal(tmp_path: Path, server: Server, size: int) -> None:
    """A log reads the same from a directory and from a server, plain and compressed."""
    objects = make_log(size)
    write_log(tmp_path, objects)
    server.objects = dict(objects)
    for path, data in objects.items():
        if "entries" in path:
            server.script[f"/{path}"] = [answers.body(gzip(data), Content_Encoding="gzip")]
    results = []
    for reader in (open_log(str(tmp_path)), open_log(server.url)):
        client = LogClient(reader, POLICY)
        proofs = [client.prove(index) for index in range(0, size, 50)]
        results.append((client.visit(), proofs, list(client.entries(0, size)), client.find(leaf_hash(entry(0)))))
    assert results[0] == results[1]


def test_no_module_but_http_knows_urllib3() -> None:
    """urllib3 enters at one place; every error of it is translated there."""
    users = []
    for name, module in list(sys.modules.items()):
        if name.startswith("tiles."):
            origins = [getattr(value, "__module__", None) or "" for value in vars(module).values()]
            users += [name] * any(origin.startswith("urllib3") for origin in origins)
    assert users == ["tiles.read.http_fetcher"]
