"""The HTTP client that fsspec reads with; test_redirects has what it follows, test_proxies what it goes through."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.fault_server import serving
from tiles.parallel import in_background
from tiles.read.fsspec_http import http_client

pytest.importorskip("aiohttp")


def test_no_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in ~/.netrc are sent to nobody."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def read(url: str) -> bytes:
        async with await http_client() as client, client.get(url) as answer:
            data: bytes = await answer.read()
            return data

    with serving({"a": b"b"}) as server:
        # in a thread of its own: a browser that other tests share has a loop in this one
        assert in_background(lambda: asyncio.run(read(f"{server.url}/a"))).result() == b"b"
        ((_, headers),) = server.requests
    assert "Authorization" not in headers
