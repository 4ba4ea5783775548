"""The job of a log in memory, woken as services wake it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support.faults import RecordingStore
from tests.support.witnesses import InProcess
from tests.support.world import ROLES, World, Wrap, not_wrapped
from tiles.log import Log
from tiles.signing.signer import Signer
from tiletree.cosigning import witnessing
from tiletree.jobs import job
from tiletree.jobs.aws_lambda import handler
from tiletree.options import Writer
from tiletree.ui import Output

SCHEDULED = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
S3_RECORD = {
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "s3": {"bucket": {"name": "other"}, "object": {"key": "inbox/eve/../../checkpoint", "size": 1 << 60}},
}
S3 = {"Records": [S3_RECORD]}
SQS = {"Records": [{"eventSource": "aws:sqs", "messageId": str(n), "body": json.dumps(S3)} for n in range(10)]}
S3_TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "other"}


def direct(**options: object) -> dict[str, Any]:
    """Return a direct call."""
    return {"tiletree": options}


@dataclass
class Context:
    """What AWS Lambda hands to a function beside the event. left: milliseconds, each time it is asked"""

    left: list[int] = field(default_factory=lambda: [55_000])
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long is left."""
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@dataclass
class Job:
    """A function that sequences a log."""

    world: World
    wrap: Wrap = not_wrapped

    def open(self, _log: str = "", writer: Writer | None = None, out: Output | None = None) -> Log:
        """Return what writes to the log, as `open_sequencer` does."""
        world = self.world
        how = replace(witnessing(writer or Writer(), out), ways=InProcess(world.witnesses))
        stores = {**world.stores, "public": RecordingStore(world.stores["public"], "public", world.history)}
        public, private, anchor = (self.wrap(stores[role], role) for role in ROLES)
        return Log(public, private, Signer(world.key, anchor), how=how)

    def __call__(self, event: object, context: object = None) -> Mapping[str, Any]:
        """Invoke it."""
        return handler(event, Context() if context is None else context)


def job_of(world: World, patch: pytest.MonkeyPatch) -> Job:
    """Return the function of a log in memory."""
    made = Job(world)
    patch.setattr(job, "open_sequencer", made.open)
    patch.setenv(job.LOG, "unused")
    return made
