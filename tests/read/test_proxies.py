"""Reading through a proxy, and servers that only an authority of one's own vouches for, in every way to read."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import proxy_server
from tests.support.bucket_logs import over_tls, use_environment
from tests.support.certificates import make_certificates
from tests.support.fault_server import Server, serving
from tests.support.http_fetching import Sleeper, fetcher
from tests.support.object_server import ObjectServer
from tests.support.proxy_server import Proxy
from tiles.errors import AccessError, UsageError
from tiles.read.fetcher import open_log
from tiles.store import Fetcher
from tiles.store.network import AUTHORITIES
from tiles.store.open_bucket import open_object_store
from tiles.tree.layout import CHECKPOINT

DATA = b"some object"
LIMIT = 1000
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the environment without proxies and authorities."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in (*AUTHORITIES, "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Run a proxy."""
    with proxy_server.proxying() as proxy:
        yield proxy


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve an object."""
    with serving({CHECKPOINT: DATA}) as server:
        yield server


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """Serve an object over TLS; with the file of the authority that vouches for the server."""
    bundle, chain = make_certificates(tmp_path)
    # OpenSSL looks at the first of two authorities of one name only
    bundle.write_bytes(b"-----BEGIN" + bundle.read_bytes().rpartition(b"-----BEGIN")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with serving({CHECKPOINT: DATA}, context) as server:
        yield server, bundle


def reader(way: str, url: str) -> Fetcher:
    """Return what reads a server, by this library's own way or by fsspec's."""
    if way == "fsspec":
        pytest.importorskip("aiohttp")
        return open_log(f"fsspec+{url}")
    return fetcher(url)


WAYS = pytest.mark.parametrize("way", ["http", "fsspec"])


@WAYS
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_http(way: str, variable: str, proxy: Proxy, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log over http is read through the proxy, which gets its credentials; they are in no error."""
    port = server.server_address[1]
    monkeypatch.setenv(variable, proxy.url.replace("://", "://me:s3cret@"))
    assert reader(way, f"http://log.example.com:{port}").fetch(CHECKPOINT, LIMIT) == DATA
    assert f"GET http://log.example.com:{port}/{CHECKPOINT}" in proxy.asked
    assert proxy.users == {"Basic " + b64encode(b"me:s3cret").decode()}
    assert all("Proxy-Authorization" not in headers for _, headers in server.requests)


@WAYS
@pytest.mark.parametrize("listed", ["127.0.0.1", "*", "a.example.com, 127.0.0.0/8"])
def test_no_proxy(way: str, listed: str, proxy: Proxy, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What $no_proxy has is reached directly."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("NO_PROXY", listed)
    assert reader(way, server.url).fetch(CHECKPOINT, LIMIT) == DATA
    assert proxy.asked == []


@WAYS
@pytest.mark.parametrize("variable", AUTHORITIES)
def test_https(
    way: str, variable: str, proxy: Proxy, secure: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log over https is read through a tunnel, and only if somebody that is trusted vouches for its server."""
    server, bundle = secure
    url = server.url.replace("http:", "https:")
    monkeypatch.setenv("https_proxy", proxy.url)
    with pytest.raises(AccessError):
        reader(way, url).fetch(CHECKPOINT, LIMIT)
    monkeypatch.setenv(variable, str(bundle))
    assert reader(way, url).fetch(CHECKPOINT, LIMIT) == DATA
    assert set(proxy.asked) == {f"CONNECT {url.partition('://')[2]}"}


def test_trouble_with_a_proxy(proxy: Proxy, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that refuses, or that is not there, is said to be the trouble; nothing goes past it."""
    monkeypatch.setenv("https_proxy", proxy.url)
    proxy.refusing = 403
    with pytest.raises(AccessError, match=r"checkpoint: the proxy refuses \(403\)"):
        fetcher("https://log.example.com").fetch(CHECKPOINT, LIMIT)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    sleeper = Sleeper()
    with pytest.raises(AccessError, match="the proxy cannot be reached, 4 attempts"):
        fetcher(server.url, sleeper).fetch(CHECKPOINT, LIMIT)
    assert server.requests == []


@WAYS
def test_what_the_environment_says_wrongly(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of another kind, or a file of certificates that is not there, is a wrong call, said by its variable."""
    monkeypatch.setenv("all_proxy", "socks5://me:s3cret@127.0.0.1:1080")
    with pytest.raises(UsageError, match=r"^\$all_proxy names no proxy") as caught:
        reader(way, "http://log.example.com")
    assert "s3cret" not in repr(caught.value)
    monkeypatch.delenv("all_proxy")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/a.pem")
    with pytest.raises(UsageError, match=r"^\$REQUESTS_CA_BUNDLE: /nowhere/a.pem cannot be read"):
        reader(way, "https://127.0.0.1:9").fetch(CHECKPOINT, LIMIT)


# ---- buckets


def test_a_bucket_through_a_proxy(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket is written and read through the same proxy, and past it by the same exception."""
    with ObjectServer("s3") as server:
        use_environment(monkeypatch, server.environment())
        monkeypatch.setenv("http_proxy", proxy.url)
        open_object_store("s3://b/log").create({"a": b"b"})
        assert [one.partition("?")[0] for one in proxy.asked] == [f"PUT {server.url}/b/log/a"]
        proxy.asked.clear()
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        assert open_object_store("s3://b/log").read("a").data == b"b"
        assert proxy.asked == []


@pytest.mark.parametrize("variable", AUTHORITIES)
def test_a_bucket_over_tls(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable that names an authority is heeded for a bucket too."""
    with over_tls(monkeypatch, tmp_path) as bundle:
        with pytest.raises(AccessError, match="no secure connection"):
            open_object_store("s3://b/log", retry=False).create({"a": b"b"})
        monkeypatch.setenv(variable, str(bundle))
        open_object_store("s3://b/log").create({"a": b"b"})
