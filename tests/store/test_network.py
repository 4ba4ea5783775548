"""Which proxy servers are reached through, and whose certificates are trusted, by the environment."""

from __future__ import annotations

import ssl
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.certificates import make_certificates
from tiles.errors import UsageError
from tiles.store.network import AUTHORITIES, Proxy, authorities, certificates, proxy_for, tls_context

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the environment without any of it."""
    for name in (*PROXIES, *AUTHORITIES, "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


A, B = "http://a:1", "http://b:2"


@pytest.mark.parametrize(
    ("variables", "scheme", "proxy"),
    [
        ({}, "https", None),
        ({"https_proxy": A}, "https", A),
        ({"HTTPS_PROXY": A}, "https", A),
        ({"https_proxy": A, "HTTPS_PROXY": B}, "https", A),
        ({"https_proxy": "", "HTTPS_PROXY": B}, "https", B),
        ({"https_proxy": A}, "http", None),
        ({"http_proxy": A}, "https", None),
        ({"http_proxy": A}, "http", A),
        ({"HTTP_PROXY": A}, "http", A),
        ({"HTTP_PROXY": A, "REQUEST_METHOD": "GET"}, "http", None),
        ({"http_proxy": A, "REQUEST_METHOD": "GET"}, "http", A),
        ({"all_proxy": A}, "https", A),
        ({"ALL_PROXY": A}, "http", A),
        ({"ALL_PROXY": A, "https_proxy": B}, "https", B),
        ({"https_proxy": "proxy.example.com:3128"}, "https", "http://proxy.example.com:3128"),
        ({"https_proxy": "https://proxy.example.com/"}, "https", "https://proxy.example.com:443"),
        ({"https_proxy": "http://[::1]:3128"}, "https", "http://[::1]:3128"),
        ({"https_proxy": "proxy.example.com"}, "https", "http://proxy.example.com:80"),
    ],
)
def test_which_proxy(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], scheme: str, proxy: str | None
) -> None:
    """The variable of the scheme goes first, in lower case before capitals; an empty one is not set."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(scheme, "log.example.com") == (None if proxy is None else Proxy(proxy))


def test_credentials_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password are sent to the proxy, decoded, and are no part of its address."""
    monkeypatch.setenv("https_proxy", "http://me:s3c%40ret@proxy:3128")
    proxy = proxy_for("https", "x")
    assert proxy == Proxy("http://proxy:3128", "me:s3c%40ret")
    assert proxy.authorization == f"Basic {b64encode(b'me:s3c@ret').decode()}"
    assert proxy.whole == "http://me:s3c%40ret@proxy:3128"
    assert "s3c" not in repr(proxy)


@pytest.mark.parametrize("value", ["socks5://me:s3cret@proxy:1080", "http://", "http://proxy:s3cret", "ftp://proxy"])
def test_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A proxy that cannot be used is said by the variable's name, and nothing goes past it."""
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(UsageError, match=r"^\$https_proxy names no proxy that can be used$") as caught:
        proxy_for("https", "x")
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    ("listed", "host", "excepted"),
    [
        ("", "example.com", False),
        ("*", "example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "log.example.com", True),
        (".example.com", "log.example.com", True),
        ("*.example.com", "log.example.com", True),
        ("example.com", "notexample.com", False),
        ("example.com", "example.com.evil.org", False),
        ("EXAMPLE.com", "Log.Example.COM.", True),
        ("a, b\tlog.example.com", "log.example.com", True),
        ("example.com:8443", "log.example.com", False),
        ("example.com:443", "log.example.com", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.0/8", "127.1.2.3", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("::1", "[::1]", True),
        ("fd00::/8", "fd12::1", True),
        ("[::1]", "::1", True),
        (",,", "example.com", False),
        (".", "example.com", False),
    ],
)
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_who_is_excepted(
    monkeypatch: pytest.MonkeyPatch, variable: str, listed: str, host: str, excepted: bool
) -> None:
    """$no_proxy lists hosts with what is below them, addresses and networks, each perhaps with a port."""
    monkeypatch.setenv("https_proxy", A)
    monkeypatch.setenv(variable, listed)
    assert (proxy_for("https", host) is None) is excepted


# ---- certificates


def test_nothing_named() -> None:
    """Without a variable, the system's certificates are trusted."""
    assert authorities() == {}
    assert certificates() == b""
    assert tls_context().verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("variable", AUTHORITIES)
def test_each_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Each variable adds the certificates of its file, whatever text is between them, and is said if it is wrong."""
    bundle, _ = make_certificates(tmp_path)
    before = tls_context().cert_store_stats()["x509_ca"]
    (tmp_path / "with text.pem").write_bytes("# Prüfstelle\n".encode() + bundle.read_bytes())
    monkeypatch.setenv(variable, str(tmp_path / "with text.pem"))
    assert certificates().count(b"BEGIN CERTIFICATE") == 2
    after = tls_context().cert_store_stats()["x509_ca"]
    assert after == 2 if variable == "SSL_CERT_FILE" else after == before + 2
    for wrong, says in (("/nowhere", "FileNotFoundError"), (str(Path(__file__)), "holds no certificate")):
        monkeypatch.setenv(variable, wrong)
        with pytest.raises(UsageError, match=rf"^\${variable}: .*{says}"):
            tls_context()


def test_a_folder_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable may name a folder, as some programs let it."""
    bundle, _ = make_certificates(tmp_path)
    (tmp_path / "authorities").mkdir()
    bundle.rename(tmp_path / "authorities" / "a.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authorities"))
    assert certificates().count(b"BEGIN CERTIFICATE") == 2


def test_one_file_by_several_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that several variables name is read once."""
    bundle, _ = make_certificates(tmp_path)
    for name in AUTHORITIES:
        monkeypatch.setenv(name, str(bundle))
    assert authorities() == {"AWS_CA_BUNDLE": bundle}


def test_what_is_no_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only looks like a certificate is said, not passed over."""
    (tmp_path / "a.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "a.pem"))
    with pytest.raises(UsageError, match=r"^\$AWS_CA_BUNDLE: not all"):
        tls_context()
