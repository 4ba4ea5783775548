"""The HTTP client that fsspec reads with: aiohttp, which goes by the same rules as this library's own reader.

It takes proxies and certificates from where `tiles.store.network` does, reads no ~/.netrc, and follows a redirect only
where `tiles.read.redirects` lets it.
"""

from __future__ import annotations

import socket
from importlib import import_module
from typing import Any

from urllib3.util import parse_url

from tiles.read.redirects import is_private, is_same_server, private, redirected
from tiles.store.network import authorities, tls_context


async def http_client(**options: Any) -> Any:
    """Return the client, as fsspec asks for one. Raises UsageError for certificates that cannot be read."""
    aiohttp = import_module("aiohttp")
    outer: set[str] = set()  # hosts to which a public server has redirected

    class Resolver(aiohttp.ThreadedResolver):  # type: ignore[misc, name-defined]
        async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
            found = await super().resolve(host, port, family)
            if host in outer and any(is_private(one["host"]) for one in found):
                raise private(f"https://{host}")
            return found

    async def check(_session: Any, _context: Any, given: Any) -> None:
        response = given.response
        at = parse_url(str(response.url))
        connection = response.connection
        peer = None if options.get("proxy") or connection is None else connection.transport.get_extra_info("peername")
        inside = is_private(peer[0] if peer else at.host or "")
        location = response.headers.get("Location") or response.headers.get("URI")
        target = redirected(at, location, f"{at.scheme}://{at.netloc}{at.path or ''}", inside=inside)
        if not inside and not is_same_server(at, target):
            outer.add((target.host or "").strip("[]"))

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(check)
    context = tls_context() if authorities() else True
    connector = aiohttp.TCPConnector(ssl=context, resolver=Resolver())
    return aiohttp.ClientSession(connector=connector, trace_configs=[trace], **options)
