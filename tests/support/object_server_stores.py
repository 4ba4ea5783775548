"""Stores of the library on object servers: opened as a user's process does, but they try again at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.certificates import few_authorities
from tests.support.object_server import ObjectServer

pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")

from tiles.records.serving import public_serving
from tiles.retry import Clock
from tiles.store import open_bucket as url_module
from tiles.store.bucket import ObjectStore

SCHEMES = {"s3": "s3", "gcs": "gs", "azure": "az"}
AT_ONCE: Any = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=5), "base": 2}
RETRIES: Any = {"max_retries": 5, "retry_timeout": timedelta(seconds=60), "backoff": AT_ONCE}

_one_at_a_time = Lock()  # the environment is everyone's


def open_on(server: ObjectServer, path: str = "bucket/log", *, who: str = "tester", **options: Any) -> ObjectStore:
    """Open bucket and prefix on a server.

    who       the access key
    options   of `open_with` and `open_object_store`
    """
    return open_with(server.environment(who), f"{SCHEMES[server.dialect]}://{path}", **options)


def open_with(
    environment: Mapping[str, str], url: str, *, public: bool = True, gzip: bool = False, **options: Any
) -> ObjectStore:
    """Open a URL with these environment variables and no others, as the public part of a log or not."""
    with _one_at_a_time, patch.dict(os.environ, environment, clear=True), patch.object(url_module, "_RETRIES", RETRIES):
        store = url_module.open_object_store(url, **options)
    store._clock = Clock(sleep=lambda _seconds: None)
    return store.served(public_serving(gzip=gzip)) if public else store


@contextmanager
def moto_environment() -> Iterator[dict[str, str]]:
    """Run moto's S3 server, and yield the environment variables for its clients."""
    server_module = pytest.importorskip("moto.server", reason="NOT TESTED on moto: it is not installed")
    server = server_module.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            **few_authorities(),
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }
    finally:
        server.stop()
