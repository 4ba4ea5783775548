"""Full tiles that cannot be deleted, on moto's S3, which knows Object Lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.certificates import few_authorities
from tests.support.command_line import Command
from tiles.errors import AccessError, UsageError
from tiles.records.serving import is_for_ever, public_serving
from tiles.store import probe
from tiles.store.object_lock import open_object_lock

LOG = "s3://locked/log"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server with a bucket that has Object Lock, and one that has not."""
    boto3 = pytest.importorskip("boto3", reason="NOT TESTED with Object Lock: there is no boto3")
    # imported here: it takes longer than all of this file, and every process of a run collects the tests
    server = pytest.importorskip("moto.server", reason="NOT TESTED with Object Lock: there is no moto")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    urllib3.request("POST", f"http://{host}:{port}/moto-api/reset")  # what an earlier server held is still there
    for name, value in {
        **few_authorities(),
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    client.create_bucket(Bucket="own")
    client.create_bucket(Bucket="plain")
    yield client
    running.stop()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("tile/0/000", True),
        ("tile/entries/x001/234", True),
        ("tile/0/000.p/7", False),
        ("tile/entries/000.p/255", False),
        ("checkpoint", False),
        ("checkpoints/001", False),
        ("tile/0", False),
        ("payload/sha256/00", False),
    ],
)
def test_what_is_kept(path: str, kept: bool) -> None:
    """Full tiles and bundles, and nothing that changes or goes."""
    assert is_for_ever(path) == kept
    assert public_serving(lock=True)(path).locked == kept
    assert not public_serving()(path).locked


def locked_until(client: Any, path: str) -> Any:
    """Return until when an object is locked, None if it is not."""
    return client.head_object(Bucket="locked", Key=f"log/{path}").get("ObjectLockRetainUntilDate")


@pytest.fixture
def lock_log(client: Any, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, with a log that locks its full tiles."""
    monkeypatch.setattr(probe, "RACERS", 1)  # moto looks whether a condition holds, and writes later
    init = ("init", LOG, "--private", "s3://own/log", "--origin", "example.com", "--readable-private")
    tiletree.ok(*init, "--lock-days", "30")
    return tiletree


@pytest.mark.slow
def test_full_tiles_are_locked(client: Any, lock_log: Command, tmp_path: Path) -> None:
    """With --lock-days, full tiles and bundles are locked as they are written, and as they are put back by a repair.

    Partial ones are not; gc still works.
    """
    for _ in range(2):
        lines = b"".join(b"%d\n" % number for number in range(300))
        lock_log.ok("add", LOG, "--stdin-lines", stdin=lines)
    for path in ("tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"):
        assert locked_until(client, path) is not None, path
    for path in ("tile/0/001.p/44", "tile/0/002.p/88", "tile/1/000.p/2"):
        assert locked_until(client, path) is None, path
    assert lock_log.ok("gc", LOG, "--grace", "0")["tiles"] >= 1
    assert lock_log.ok("audit", LOG)["findings"] == []
    version = client.head_object(Bucket="locked", Key="log/tile/0/000")["VersionId"]
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(Bucket="locked", Key="log/tile/0/000", VersionId=version)
    mirror = tmp_path / "mirror"
    for found in client.list_objects_v2(Bucket="locked")["Contents"]:
        target = mirror / found["Key"].removeprefix("log/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(client.get_object(Bucket="locked", Key=found["Key"])["Body"].read())
    gone = ["tile/0/000", "tile/0/001", "tile/entries/001"]
    for path in gone:
        client.delete_object(Bucket="locked", Key=f"log/{path}")  # leaves a marker: the versions stay
    assert lock_log.ok("repair", LOG, "--from", str(mirror))["put_back"] == len(gone)
    assert [path for path in gone if locked_until(client, path) is None] == []


def test_a_bucket_without_object_lock(client: Any) -> None:
    """It is said which object, and what the bucket needs; nothing that boto3 says is repeated."""
    client.put_object(Bucket="plain", Key="log/tile/0/000", Body=b"x")
    with pytest.raises(AccessError, match=r"plain/log/tile/0/000 cannot be locked: \w+$") as caught:
        open_object_lock("s3://plain/log", 30, lambda: 1.8e9).lock(["tile/0/000"])
    assert "Object Lock" in caught.value.hint


def test_other_stores(tiletree: Command) -> None:
    """Only S3 has it."""
    with pytest.raises(UsageError):
        open_object_lock("gs://bucket/log", 30, lambda: 0.0)
    done = tiletree("init", "log", "--origin", "example.com", "--lock-days", "30")
    assert done.code == 2
    assert "only S3 has Object Lock" in done.err
