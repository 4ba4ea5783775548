"""One way to publish to an object store, in a process of its own: `object_store_workers NAME ENTRIES BATCH`.

The store is a bucket on the server that the environment names, as for any AWS tool. Prints JSON. The clock runs from
the first entry handed over to the last object answered for; planning (hashing, cutting tiles) is inside for everyone,
and the part of the time in which only objects are written is given as well.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.given import ORIGIN, SEED, batches, peak_of

BUCKET = "bench"
THREADS = 16  # of boto3; more of them are no faster
PARALLEL = 64  # of obstore, as the library has it
TILES = {"CacheControl": "public, max-age=31536000, immutable", "ContentType": "application/octet-stream"}

Write = Callable[[Mapping[str, bytes]], object]


@dataclass
class Clock:
    """Wall and CPU seconds, of this process with all its threads."""

    seconds: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time that the context takes."""
        seconds, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - seconds
            self.cpu += time.process_time() - cpu


def tiletree(entries: int, size: int, whole: Clock, upload: Clock) -> None:
    """Publish with the library: all of the commit, head, anchor and staged batch included."""
    from tiles.notes.keys import signing_key
    from tiles.signing.signer import Signer
    from tiles.store.open_bucket import open_object_store
    from tiles.write.sequencer import Sequencer

    public, private, anchor = (
        open_object_store(
            f"s3://{BUCKET}/{name}?path_style=true",
        )
        for name in ("log", "private", "anchor")
    )
    create = public.create

    def timed_create(objects: Mapping[str, bytes]) -> None:
        with upload.running():
            create(objects)

    public.create = timed_create  # type: ignore[method-assign]
    sequencer = Sequencer(public, private, Signer(signing_key(ORIGIN, SEED), anchor))
    sequencer.create()
    made = deque(batches(entries, size))
    with whole.running():
        for _ in sequencer.append_all(lambda _size: made.popleft() if made else []):
            pass


def boto3_threads(entries: int, size: int, whole: Clock, upload: Clock) -> None:
    """Write the same objects with boto3 in 16 threads, each of which has a connection; otherwise by its defaults."""
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=THREADS))

    def put(item: tuple[str, bytes]) -> None:
        client.put_object(Bucket=BUCKET, Key=f"log/{item[0]}", Body=item[1], IfNoneMatch="*", **TILES)

    with ThreadPoolExecutor(THREADS) as pool:
        _write(entries, size, whole, upload, lambda objects: list(pool.map(put, objects.items())))


def s3fs_bulk(entries: int, size: int, whole: Clock, upload: Clock) -> None:
    """Write the same objects with s3fs, many at once, as its `pipe` of a dict does."""
    import s3fs

    files = s3fs.S3FileSystem(client_kwargs={"verify": os.environ["AWS_CA_BUNDLE"]})

    def pipe(objects: Mapping[str, bytes]) -> None:
        files.pipe({f"{BUCKET}/log/{path}": data for path, data in objects.items()}, mode="create", **TILES)

    _write(entries, size, whole, upload, pipe)


def obstore_alone(entries: int, size: int, whole: Clock, upload: Clock) -> None:
    """Write the same objects with obstore and nothing around it: what the library is built on."""
    import obstore
    from obstore.store import S3Store

    certificate = Path(os.environ["AWS_CA_BUNDLE"]).read_bytes()
    store = S3Store(BUCKET, prefix="log", client_options={"root_certificate": certificate})
    attributes: Any = {"Cache-Control": TILES["CacheControl"], "Content-Type": TILES["ContentType"]}

    def put(item: tuple[str, bytes]) -> None:
        obstore.put(store, *item, mode="create", attributes=attributes, use_multipart=False)

    with ThreadPoolExecutor(PARALLEL) as pool:
        _write(entries, size, whole, upload, lambda objects: list(pool.map(put, objects.items())))


def planning(entries: int, size: int, whole: Clock, upload: Clock) -> None:
    """Plan the same objects, and write nothing."""
    _write(entries, size, whole, upload, lambda _objects: None)


def _write(entries: int, size: int, whole: Clock, upload: Clock, write: Write) -> None:
    """Plan, sign and write each batch's objects; no commit, and nothing that would survive a crash."""
    from tiles.notes.checkpoint import Checkpoint, sign_checkpoint
    from tiles.notes.keys import signing_key
    from tiles.records.paths import checkpoint_path
    from tiles.tree.edge import EMPTY_EDGE
    from tiles.tree.plan import plan

    key = signing_key(ORIGIN, SEED)
    edge = EMPTY_EDGE
    for batch in list(batches(entries, size)):  # made before, as for the library
        with whole.running():
            planned = plan(edge, batch)
            signed = sign_checkpoint(Checkpoint(ORIGIN, planned.tree), key).data
            with upload.running():
                write({**planned.objects, checkpoint_path(planned.tree.size): signed})
            edge = planned.edge


WORKERS: dict[str, Callable[[int, int, Clock, Clock], None]] = {
    worker.__name__: worker for worker in (tiletree, boto3_threads, s3fs_bulk, obstore_alone, planning)
}


def main() -> None:
    """Run one worker, and print what it took."""
    name, entries, size = sys.argv[1:]
    whole, upload = Clock(), Clock()
    WORKERS[name](int(entries), int(size), whole, upload)
    figures: dict[str, Any] = {
        "seconds": whole.seconds, "cpu": whole.cpu, "peak": peak_of(),
        "upload_seconds": upload.seconds, "upload_cpu": upload.cpu,
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
