"""Workers on other machines: those of a Dask cluster, through its own executor.

A worker opens the log at the address that is in its job, with what its own machine knows of credentials. Scheduler and
workers can make this process do anything, since what they answer is unpickled, and so can whoever reaches them.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pkgutil import resolve_name
from typing import Any
from urllib.parse import urlsplit

from tiles.errors import AccessError, UsageError
from tiles.version import __version__
from tiles.workers import Workers

_SCHEMES = {"dask": "tcp", "dask+tls": "tls"}
_FORM = "dask://HOST:8786, or dask+tls://HOST:8786"

_TALKERS = ("distributed", "tornado", "asyncio")

CONNECT = 10.0  # seconds for the scheduler to answer, and for it to have a worker
GIVE_UP = 30.0  # seconds without any worker


@contextmanager
def at_cluster(url: str) -> Iterator[Workers]:
    """Return the workers of a cluster, for as long as the context lasts.

    url   dask://HOST:PORT; dask+tls://HOST:PORT where Dask's own configuration has the certificates
    Jobs of a worker that is lost are done again by another one. Raises UsageError for another address, and where
    `distributed` is not installed; AccessError if the cluster cannot be reached, cannot do such jobs, or is lost.
    """
    address, shown = parse_address(url)
    distributed = _distributed()
    lost = _lost(distributed)
    try:
        client = distributed.Client(address, timeout=CONNECT, set_as_default=False)
    except lost as error:
        raise AccessError(
            f"no Dask scheduler answers at {shown}",
            hint="start one with `dask scheduler`, and workers with `dask worker`, or leave out --executor",
        ) from error
    try:
        threads = _checked(client, shown, lost)
        still_there = _watch(client, shown)
        executor = client.get_executor(pure=False)  # a job that was done is to be done again in the next call
        yield Workers(executor, threads, still_there=still_there)
    except distributed.KilledWorker as error:
        hint = "look into what the workers have written: their memory may be too small"
        raise AccessError(f"{shown}: one worker after the other died with the same job", hint=hint) from error
    except ImportError as error:
        raise _lacking(shown, error) from error
    finally:
        with suppress(*lost):
            client.close(timeout=CONNECT)


def parse_address(url: str) -> tuple[str, str]:
    """Return what Dask calls an address, and what is shown of it. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None or parts.scheme not in _SCHEMES or parts.username is not None:
        raise UsageError(f"an executor is {_FORM}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"an executor is {_FORM}, and nothing follows the port")
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{_SCHEMES[parts.scheme]}://{place}", f"{parts.scheme}://{place}"


def _distributed() -> Any:
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise UsageError(
            "for a Dask cluster, distributed is needed", hint="pip install 'tiletree[dask]', here and for its workers"
        ) from None
    # they write about each connection that is lost; what there is to be said of that is said here
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _TALKERS]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module="distributed")  # of versions that differ: the jobs are plain values
    return distributed


def _lost(distributed: Any) -> tuple[type[BaseException], ...]:
    """Return what is raised when the scheduler does not answer."""
    return (OSError, TimeoutError, distributed.comm.CommClosedError, distributed.client.ClosedClientError)


def _checked(client: Any, shown: str, lost: tuple[type[BaseException], ...]) -> int:
    """Return how many jobs the workers do at a time. Raises AccessError if there is none, or one that cannot do any."""
    try:
        client.wait_for_workers(1, timeout=CONNECT)
        # a function that every Python has: a worker without tiletree could not even read one of ours
        versions = client.run(resolve_name, "tiles.version:__version__", on_error="return")
        threads = int(sum(client.nthreads().values()))
    except lost as error:
        hint = f"start some with `dask worker {parse_address(shown)[0]}`"
        raise AccessError(f"the Dask scheduler at {shown} has no workers that answer", hint=hint) from error
    for worker, version in sorted(versions.items()):
        if isinstance(version, ImportError):
            raise _lacking(worker, version)
        if version != __version__:
            raise AccessError(
                f"the worker {worker} has tiletree {version}, and this is {__version__}",
                hint="install the same version there",
            )
    return max(1, threads)


def _lacking(where: str, error: ImportError) -> AccessError:
    """Return what to raise for a worker that cannot do jobs because something is not installed there."""
    return AccessError(f"a worker cannot do jobs of tiletree, at {where}: {error}", hint="pip install tiletree there")


def _watch(client: Any, shown: str) -> Callable[[], None]:
    """Return what raises AccessError once the cluster has had no worker for a while."""
    seen = time.monotonic()

    def look() -> None:
        nonlocal seen
        try:
            workers = client.nthreads()
        except Exception:  # noqa: BLE001  without a scheduler it raises this or that
            workers = {}
        if workers:
            seen = time.monotonic()
        elif time.monotonic() > seen + GIVE_UP:
            raise AccessError(
                f"{shown}: all workers are gone", hint="start workers again, and then run the command again"
            )

    return look
