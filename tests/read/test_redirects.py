"""Where a redirect may lead, and what is never reached by one."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from urllib3.util import parse_url

from tests.support import fault_server as answers
from tests.support.certificates import make_certificates
from tests.support.fault_server import Server, serving
from tests.support.http_fetching import fetcher
from tests.support.redirects import PUBLIC, REDIRECTS
from tiles.errors import AccessError, UsageError
from tiles.read import connections, redirects
from tiles.read.fetcher import open_log
from tiles.read.fsspec_fetcher import ALLOWED
from tiles.read.redirects import is_private, redirected
from tiles.store import Fetcher
from tiles.tree.layout import CHECKPOINT

DATA = b"some object"
LIMIT = 1000


@pytest.mark.parametrize(("at", "location", "problem"), REDIRECTS)
def test_where_a_redirect_leads(at: str, location: str | None, problem: str) -> None:
    """The same server, or https; a public server leads to no private address, however that is written."""
    if not problem:
        assert redirected(parse_url(at), location, "x", inside=False).auth is None
        return
    with pytest.raises(AccessError, match=f"^x: redirected.*{problem}"):
        redirected(parse_url(at), location, "x", inside=False)
    if "private" in problem:
        assert redirected(parse_url(at), location, "x", inside=True)


@pytest.mark.parametrize("host", PUBLIC)
def test_what_is_public(host: str) -> None:
    """What anybody may reach is not taken for private."""
    assert not is_private(host)


# ---- servers


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve an object over TLS, by a certificate that is trusted."""
    bundle, chain = make_certificates(tmp_path)
    (tmp_path / "one.pem").write_bytes(b"-----BEGIN" + bundle.read_bytes().rpartition(b"-----BEGIN")[2])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "one.pem"))
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with serving({"b": DATA}, context) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve nothing."""
    with serving({}) as server:
        yield server


def reader(way: str, url: str) -> Fetcher:
    """Return what reads a server, by this library's own way or by fsspec's."""
    if way == "fsspec":
        pytest.importorskip("aiohttp")
        return open_log(f"fsspec+{url}")
    return fetcher(url)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Take this machine's 127.0.0.1 for a public address; return the hosts that are not."""
    inner: set[str] = set()
    for module in ("redirects", "connections", "fsspec_http", "http_fetcher"):
        monkeypatch.setattr(f"tiles.read.{module}.is_private", lambda host: host in inner or host == "localhost")
    return inner


WAYS = pytest.mark.parametrize("way", ["http", "fsspec"])


@WAYS
def test_to_another_server_by_https(way: str, server: Server, secure: Server) -> None:
    """A server may lead to another one by https, which gets neither credentials nor query."""
    target = secure.url.replace("http:", "https:")
    server.script[f"/{CHECKPOINT}"] = [answers.status(302, Location=f"{target}/b")]
    url = server.url.replace("://", "://me:s3cret@") if way == "http" else server.url
    assert reader(way, f"{url}?token=s3cret").fetch(CHECKPOINT, LIMIT) == DATA
    assert server.requests
    for at, headers in secure.requests:
        assert at == "/b"
        assert "Authorization" not in headers


@WAYS
def test_to_another_server_without_tls(way: str, server: Server) -> None:
    """No request is sent to another server without it."""
    with serving({"b": DATA}) as other:
        server.script[f"/{CHECKPOINT}"] = [answers.status(302, Location=f"{other.url}/b")]
        with pytest.raises(AccessError, match="redirected to another server, and not by https"):
            reader(way, server.url).fetch(CHECKPOINT, LIMIT)
        assert other.requests == []


@WAYS
@pytest.mark.parametrize("host", ["localhost", "log.example.com"])
def test_into_a_private_network(
    way: str, host: str, server: Server, secure: Server, public: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a public server no request gets to a private address, whether it is written so or a name stands for it."""
    port = secure.server_address[1]
    server.script[f"/{CHECKPOINT}"] = [answers.status(302, Location=f"https://{host}:{port}/b")]
    usual = socket.getaddrinfo

    def look_up(name: Any, *arguments: Any, **options: Any) -> Any:
        return usual("127.0.0.2" if name in (host, host.encode()) else name, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    public.add("127.0.0.2")
    with socket.create_server(("127.0.0.2", port)) as listening:
        with pytest.raises(AccessError, match="private network"):
            reader(way, server.url).fetch(CHECKPOINT, LIMIT)
        listening.settimeout(0.05)
        with suppress(TimeoutError):
            connected, _ = listening.accept()
            connected.settimeout(1)
            assert connected.recv(1) == b""
            connected.close()
    assert secure.requests == []


# ---- fsspec


@pytest.mark.parametrize(
    "url",
    [
        "reference::{}/r.json",
        "reference://{}",
        "generic://x",
        "dir::memory://log",
        "data:///;base64,eA==",
        "dask://x",
        "jupyter://x",
        "fsspec+reference://x",
        "zip://log::reference::{}/r.json",
    ],
)
def test_what_fsspec_may_not_open(url: str, server: Server) -> None:
    """What reads whatever a file names, or runs on this machine, is refused, and nothing is asked for."""
    pytest.importorskip("fsspec")
    with pytest.raises(UsageError, match=r"is not read$"):
        open_log(url.format(server.url))
    assert server.requests == []


def test_errors_show_nothing_of_what_was_refused(tmp_path: Path) -> None:
    """A file that is no checkpoint is refused without any of its content."""
    from tests.support.readers import POLICY, Objects
    from tiles.read.client import LogClient
    from tiles.read.trust import resolve
    from tiles.user.trusted_keys import Trust

    for content in (b"root:s3cret:0:0\n", b"a\ns3cret\n\n\xe2\x80\x94 s3cret s3cret\n", b"log s3cret\n", b"s3cret\0\n"):
        for read in (
            lambda objects: LogClient(objects, POLICY).visit(),
            lambda objects: resolve("test://log", objects, Trust(tmp_path / "config")),
        ):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                read(Objects({CHECKPOINT: content, "policy.txt": content}))
            assert "s3cret" not in f"{caught.value} {caught.value!r}"


def test_modules() -> None:
    """What is taken for private in these tests is what the modules take for it."""
    assert connections.is_private is redirects.is_private


def test_the_list_in_the_documents() -> None:
    """docs/network.md names what fsspec may open, and nothing else."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "network.md").read_text()
    listed = text.partition("refuses all others:")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == ALLOWED
