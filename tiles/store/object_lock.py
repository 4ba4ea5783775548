"""Keeping objects from being deleted or replaced: S3 Object Lock, where the bucket has it.

boto3 sets the lock after the object was created, because obstore cannot sign the headers that would set it while
creating. If a run dies in between, the next one creates the same objects again, and locks them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tiles.errors import AccessError
from tiles.parallel import BOTO3_REQUESTS, all_done
from tiles.store.open_bucket import open_boto3_client

_WORDS = {"AccessDenied", "InvalidRequest", "ObjectLockConfigurationNotFoundError", "NoSuchBucket", "MalformedXML"}


class ObjectLock:
    """Locks objects of one bucket for some days, in governance mode, which users with a special permission can bypass.

    client   of boto3, for S3
    place    the bucket, and the prefix of the log in it
    now      seconds since the epoch
    """

    def __init__(self, client: Any, place: tuple[str, str], days: int, now: Callable[[], float]) -> None:
        self._client = client
        self._bucket, prefix = place
        self._prefix = f"{prefix}/" if prefix else ""
        self._days = days
        self._now = now

    def lock(self, paths: Sequence[str]) -> None:
        """Lock objects that are there. Raises AccessError if the bucket does not do that."""
        if paths:
            until = datetime.fromtimestamp(self._now(), UTC) + timedelta(days=self._days)
            all_done(lambda path: self._lock(path, until), paths, BOTO3_REQUESTS)

    def _lock(self, path: str, until: datetime) -> None:
        try:
            self._client.put_object_retention(
                Bucket=self._bucket,
                Key=self._prefix + path,
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            )
        except Exception as error:  # noqa: BLE001  boto3 has many, and their text may be secret
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            said = code if code in _WORDS else type(error).__name__
            raise AccessError(
                f"s3://{self._bucket}/{self._prefix}{path} cannot be locked: {said}",
                hint="the bucket needs Object Lock, and the credentials s3:PutObjectRetention; "
                "the next run locks it, and publishes",
            ) from None


def open_object_lock(url: str, days: int, now: Callable[[], float]) -> ObjectLock:
    """Return what locks objects below a URL of S3. Raises UsageError for other stores, and without boto3."""
    client, bucket, prefix = open_boto3_client(url)
    return ObjectLock(client, (bucket, prefix), days, now)
