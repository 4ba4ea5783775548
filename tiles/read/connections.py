"""Connections of urllib3 to servers: directly or through a proxy, over TLS as the environment says whom to trust."""

from __future__ import annotations

import socket
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

from tiles.parallel import SERVER_READS
from tiles.read.redirects import is_private, private
from tiles.store.network import Proxy, authorities, tls_context


class _Plain(HTTPConnection):
    """Knows whom it is connected to. peer: the address; "" where a proxy stands between."""

    peer = ""

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        try:
            self.peer = "" if self.proxy else connected.getpeername()[0]
        except OSError:  # it was reset since, and nobody else knows of the socket
            connected.close()
            raise
        return connected


class _Secure(_Plain, HTTPSConnection):
    """The same, over TLS."""


class _Outer(_Secure):
    """Sends nothing to a private address, whatever name led there."""

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        if self.peer and is_private(self.peer):
            connected.close()
            raise private(f"https://{self.host}")
        return connected


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _OuterPool(HTTPSConnectionPool):
    ConnectionCls = _Outer


def connections(scheme: str, proxy: Proxy | None, outside: bool, *, timeout: Timeout) -> PoolManager:
    """Return connections to servers of a scheme.

    outside   connect to public addresses only, and by https only
    Raises UsageError for certificates that the environment names and that cannot be read.
    """
    options: dict[str, Any] = {"num_pools": 4, "maxsize": SERVER_READS, "timeout": timeout, "retries": False}
    secure = [scheme, *([] if proxy is None else [proxy.url.partition(":")[0]])]
    if "https" in secure and authorities():  # without any, urllib3 trusts what the system trusts
        options["ssl_context"] = tls_context()
    if proxy is None:
        manager = PoolManager(**options)
    else:
        if proxy.authorization:
            options["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
        manager = ProxyManager(proxy.url, proxy_ssl_context=options.get("ssl_context"), **options)
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _OuterPool if outside else _SecurePool}
    return manager
