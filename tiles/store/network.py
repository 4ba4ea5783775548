"""What the environment says about the way to servers: which proxy to go through, and which certificates to trust.

Every reader and every store goes by it; `docs/network.md` is its table. Libraries that look into the environment by
themselves (obstore, botocore) are given only what they would overlook.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tiles.errors import UsageError

if TYPE_CHECKING:
    import ssl

DEFAULT_PORTS = {"http": 80, "https": 443}  # by scheme: of the servers that are read from, and of proxies
AUTHORITIES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")  # each names a file of certificates, in PEM

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy to go through.

    url    http(s)://host:port, without credentials
    user   user:password, percent-encoded as in a URL; "" for none
    """

    url: str
    user: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """The value of Proxy-Authorization; "" for none."""
        return f"Basic {b64encode(unquote(self.user).encode()).decode()}" if self.user else ""

    @property
    def whole(self) -> str:
        """The URL with credentials, for a library that takes them in this way."""
        scheme, _, place = self.url.partition("://")
        return f"{scheme}://{self.user}@{place}" if self.user else self.url


def proxy_for(scheme: str, host: str, port: int | None = None) -> Proxy | None:
    """Return the proxy to reach a server through; None to reach it directly.

    scheme   http or https
    host     as a URL has it
    Raises UsageError, which does not repeat it, for a variable that names no http(s):// proxy.
    """
    name, value = _proxy_variable(scheme)
    if not value or _is_excepted(host.strip("[]").lower().rstrip("."), port or DEFAULT_PORTS[scheme]):
        return None
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        place, port = parts.hostname, parts.port
    except ValueError:
        place = None
    if not place or parts.scheme not in DEFAULT_PORTS:
        raise UsageError(
            f"${name} names no proxy that can be used", hint="a proxy is http://HOST:PORT or https://HOST:PORT"
        )
    shown = f"[{place}]" if ":" in place else place
    user, at, _ = parts.netloc.rpartition("@")
    return Proxy(f"{parts.scheme}://{shown}:{port or DEFAULT_PORTS[parts.scheme]}", user if at and user != ":" else "")


def _proxy_variable(scheme: str) -> tuple[str, str]:
    """Return the variable that says which proxy servers of a scheme are reached through, and its value."""
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    if "REQUEST_METHOD" in os.environ:  # a CGI program: whoever sends a header "Proxy" sets HTTP_PROXY
        names = [name for name in names if name != "HTTP_PROXY"]
    return next(((name, value) for name in names if (value := os.environ.get(name, "").strip())), ("", ""))


def _is_excepted(host: str, port: int) -> bool:
    """Whether $no_proxy has a host: by itself, by the domain it is in, or by the network it is in."""
    listed = os.environ.get("no_proxy", "").strip() or os.environ.get("NO_PROXY", "")
    return any(_covers(one.lower(), host, port) for one in re.split(r"[,\s]+", listed) if one)


def _covers(one: str, host: str, port: int) -> bool:
    if one == "*":
        return True
    try:
        return ip_address(host) in ip_network(one.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, number = one.rpartition(":")
    if colon and number.isdigit():
        if int(number[:6]) != port:
            return False
        one = name
    domain = one.strip("[]").removeprefix("*").strip(".")
    return domain != "" and (host == domain or host.endswith(f".{domain}"))


def authorities() -> dict[str, Path]:
    """Return the files of certificates that the environment names, each once, by the variable that names it first."""
    named = {name: Path(os.environ[name]) for name in AUTHORITIES if os.environ.get(name)}
    return {name: path for name, path in named.items() if name == next(n for n, p in named.items() if p == path)}


def authorities_file() -> str | None:
    """Return the first file of certificates that the environment names, for libraries that take one; None if none."""
    return next((str(path) for path in authorities().values()), None)


def certificates() -> bytes:
    """Return the certificates that the environment names, in PEM; b"" if it names none.

    Raises UsageError, with the variable, for a file that cannot be read or that holds none.
    """
    return b"\n".join(_read(name, path) for name, path in authorities().items())


def _read(name: str, path: Path) -> bytes:
    try:
        files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        found = [match for file in files for match in _CERTIFICATE.findall(file.read_bytes())]
    except OSError as error:
        raise UsageError(f"${name}: {path} cannot be read ({type(error).__name__})") from None
    if not found:
        raise UsageError(f"${name}: {path} holds no certificate", hint="it is a file in PEM")
    return b"\n".join(found)


def tls_context() -> ssl.SSLContext:
    """Return what an HTTPS client checks servers by: what the system trusts, and what the environment names besides.

    Raises UsageError as `certificates` does.
    """
    import ssl  # slow to import, and needed for servers only

    extra = certificates()
    context = ssl.create_default_context()  # which reads $SSL_CERT_FILE and $SSL_CERT_DIR, as OpenSSL does
    if extra:
        try:
            context.load_verify_locations(cadata=extra.decode("ascii"))
        except (ssl.SSLError, ValueError):
            names = ", ".join(f"${name}" for name in authorities())
            raise UsageError(f"{names}: not all of what is there are certificates") from None
    return context
