"""Where a redirect may lead: to the same server, or over https to another one, and not into a private network.

Whoever runs a log's server decides what its redirects say, and must not be able to send a reader's requests to a server
that only the reader can reach: one of its own network, or the one that gives a machine in a cloud its credentials.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urljoin

from urllib3.util import Url, parse_url

from tiles.errors import AccessError
from tiles.store.network import DEFAULT_PORTS

_NAT64 = ip_network("64:ff9b::/96")
_INNER = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa")


def redirected(at: Url, location: str | None, where: str, *, inside: bool) -> Url:
    """Return where a redirect leads.

    where    the address of the object, for errors
    inside   whether the server that redirects is itself in a private network
    Raises AccessError unless it is the same scheme, host and port, or https, and if it is a private address though the
    server that redirects is not at one. A name may still turn out to be that of a private address.
    """
    try:
        target = parse_url(urljoin(str(at), location or ""))
    except ValueError:
        target = Url()
    if not location or not target.host or target.scheme not in DEFAULT_PORTS:
        raise AccessError(f"{where}: redirected to what is not a {at.scheme}:// URL")
    target = target._replace(auth=None, fragment=None)
    if is_same_server(at, target):
        return target
    if target.scheme != "https":
        raise AccessError(f"{where}: redirected to another server, and not by https")
    if not inside and is_private(target.host or ""):
        raise private(where)
    return target


def private(where: str) -> AccessError:
    """Return the error for a redirect from a public address to a private one."""
    return AccessError(f"{where}: redirected into a private network, which is not followed")


def is_same_server(one: Url, other: Url) -> bool:
    """Whether two URLs have the same scheme, host and port."""
    return _server(one) == _server(other)


def _server(url: Url) -> tuple[str, str, int | None]:
    return url.scheme or "", url.host or "", url.port or DEFAULT_PORTS.get(url.scheme or "")


def is_private(host: str) -> bool:
    """Whether a host is an address that is not of the public network, or a name that is only known in a private one."""
    name = host.strip("[]").partition("%")[0].lower().rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_INNER) or name.replace(".", "").isdigit() or "0x" in name
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ip_address(address.packed[-4:])  # type: ignore[assignment]
        if inner is not None:
            return not inner.is_global
    return not address.is_global or address.is_multicast
