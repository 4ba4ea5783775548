"""AWS Lambda's door: `tiletree.jobs.aws_lambda.handler`.

Whatever the event is, the job runs once. A schedule, an object in the inbox (S3) and a message of a queue (SQS) are
wake-ups: nothing in them is believed, and nothing of them is read but who sent it, for the record. Only whoever may
invoke the function itself can give options, by a document with this one key:

    {"tiletree": {"max_entries": 1000, "max_bytes": 1000000, "align": true, "max_hold": 60}}

A run that fails raises `RunFailed`, so that the service counts an error, and sends an event to its dead letters or
keeps a message in its queue.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from tiles.errors import UsageError
from tiles.upkeep.metrics import emf_line
from tiletree.jobs.job import Deadline, Ran, run
from tiletree.jobs.record import Record

MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # the variable that says how many MiB a function has
DIRECT = "tiletree"  # the one key of a direct call
_SENDERS = {"aws:sqs": "sqs", "aws:s3": "s3"}
_SCHEDULES = ("aws.events", "aws.scheduler")


class RunFailed(Exception):
    """The run failed. The message is the kind of the error, what was found, and what to do next."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Run the job once, and return the document of `tiletree sequence --json`. Raises RunFailed."""
    woken_by = sender(event)
    request = str(getattr(context, "aws_request_id", ""))
    record = Record(_write, {"woken_by": woken_by, **({"request": request} if request else {})}, emf_line)
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    deadline = Deadline(lambda: remaining() / 1000) if remaining else Deadline()
    try:
        given = options(event)
    except UsageError as error:
        record.error(type(error).__name__, error.message, error.hint)
        raise _failed(record.failure) from None
    ran = run(record, deadline, given, _memory(os.environ.get(MEMORY, "")))
    if ran.code:
        raise _failed(ran.error)
    return answer(ran, woken_by)


def sender(event: Any) -> str:
    """Return who sent an event: schedule, s3, s3-test, sqs, direct, or other."""
    if not isinstance(event, dict):
        return "other"
    if DIRECT in event:
        return "direct"
    if event.get("Event") == "s3:TestEvent":
        return "s3-test"
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        return _SENDERS.get(str(records[0].get("eventSource")), "other")
    return "schedule" if event.get("source") in (*_SCHEDULES, "schedule") else "other"


def options(event: Any) -> Mapping[str, Any]:
    """Return the options in a direct call; none for any other event. Raises UsageError for one that is malformed."""
    if not isinstance(event, dict) or DIRECT not in event:
        return {}
    given = event[DIRECT]
    if len(event) > 1 or not isinstance(given, dict) or not all(map(_is_plain, given.values())):
        raise UsageError("the event is no direct call", hint='such as {"tiletree": {"max_entries": 1000}}')
    return given


def answer(ran: Ran, woken_by: str) -> dict[str, Any]:
    """Return what the function answers. A queue is told that none of its messages failed."""
    return {**({"batchItemFailures": []} if woken_by == "sqs" else {}), **ran.document}


def _memory(said: str) -> int | None:
    """Return how many bytes of memory the function has; None if the service does not say."""
    return int(said) << 20 if said.isascii() and said.isdigit() else None


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _failed(error: Mapping[str, str]) -> RunFailed:
    hint = f"; {error['hint']}" if error.get("hint") else ""
    return RunFailed(f"{error.get('kind', 'Unexpected')}: {error.get('message', '')}{hint}")


def _write(line: str) -> None:
    sys.stdout.write(line + os.linesep)
    sys.stdout.flush()
