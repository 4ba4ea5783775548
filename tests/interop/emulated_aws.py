"""What ministack is started by: it takes down each request, and ends a function at the request it is told to.

It also adds what AWS documents and ministack lacks:

- the condition keys s3:if-none-match, s3:if-match, kms:SigningAlgorithm and kms:MessageType, out of the request;
- aws:PrincipalArn is the role's, not the session's;
- where the CDN may list a bucket, an object that is not there is 404, not 403.

This runs in the environment that ministack is installed in, and imports nothing of ours. Its settings come from the
environment:

    TILETREE_REQUESTS   a file that gets one JSON line for each request
    TILETREE_DEATHS     a file that holds a number N, and ACCESS_KEYs: before the Nth write by anyone but those keys the
                        function that makes it is killed, and the write does not happen
    TILETREE_PLAIN      where it listens without TLS, so that it can be seen that this is refused
    TILETREE_RUNTIME    the Python that functions run in: as on AWS, it has boto3 and nothing else
"""

from __future__ import annotations

import json
import os
import re
import signal
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import ministack.app as app  # type: ignore[import-not-found]
from ministack.core import iam_evaluator, lambda_runtime  # type: ignore[import-not-found]
from ministack.services import s3  # type: ignore[import-not-found]

_SESSION = re.compile(r"arn:aws:sts::([0-9]+):assumed-role/([^/]+)/.+")
_WRITES = {"PUT", "POST", "DELETE"}

_requests = Path(os.environ["TILETREE_REQUESTS"]).open("a", buffering=1)  # noqa: SIM115  until the process ends
_deaths = Path(os.environ["TILETREE_DEATHS"])
_lock = Lock()
_serve = app.app


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve a request, and take it down."""
    if scope["type"] != "http":
        signal.signal(signal.SIGTERM, end)  # by now ministack has set its own
        await _serve(scope, receive, send)
        return
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    _, _, credential = headers.get("authorization", "").partition("Credential=")
    access_key, *scopes = credential.partition(",")[0].split("/")
    request = {
        "service": scopes[2] if len(scopes) > 2 else "",
        "operation": headers.get("x-amz-target", "").rpartition(".")[2],
        "method": scope["method"],
        "host": headers.get("host", "").partition(":")[0],
        "path": scope["path"],
        "query": sorted(parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        "access_key": access_key,
    }
    if is_death(request):
        kill_functions()
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    messages = await _read(receive) if request["service"] == "kms" else []
    _asked.set(condition_keys(headers, b"".join(message.get("body", b"") for message in messages)))

    async def receiving() -> Any:
        return messages.pop(0) if messages else await receive()

    await _serve(scope, receiving, _noting(send, request))


async def _read(receive: Any) -> list[dict[str, Any]]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def condition_keys(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """Return the condition keys that a request has, and that ministack does not know, by their names in lower case."""
    found = {f"s3:{name}": headers[name] for name in ("if-none-match", "if-match") if name in headers}
    if body.startswith(b"{"):
        document = json.loads(body)
        names = ("SigningAlgorithm", "MessageType")
        found |= {f"kms:{name.lower()}": document[name] for name in names if name in document}
    return found


def resolve(key: str, context: Any) -> Any:
    """Return the value of a condition key in a request."""
    if key.lower() in _asked.get():
        return _asked.get()[key.lower()]
    value = _resolve(key, context)
    session = _SESSION.fullmatch(value) if key.lower() == "aws:principalarn" and value else None
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else value


def end(*_: object) -> None:
    """End at once: ministack waits half a minute for its connections."""
    lambda_runtime.reset()
    os._exit(0)


def _noting(send: Any, request: dict[str, Any]) -> Any:
    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            _requests.write(json.dumps({**request, "status": message["status"]}) + "\n")
        await send(message)

    return sending


def is_death(request: dict[str, Any]) -> bool:
    """Whether the function that makes this request is to be killed instead; counts the writes until then."""
    is_write = request["service"] in {"s3", "kms"} and request["method"] in _WRITES
    with _lock:
        if not is_write or not _deaths.exists():
            return False
        number, *spared = _deaths.read_text().split()
        if request["access_key"] in spared:
            return False
        left = int(number) - 1
        if left > 0:
            _deaths.write_text(" ".join([str(left), *spared]))
        else:
            _deaths.unlink()
        return left <= 0


def kill_functions() -> None:
    """Kill what runs functions, as a machine that dies would."""
    for workers in list(lambda_runtime._workers.values()):
        for worker in workers:
            if worker.in_use and worker._proc is not None:
                worker._proc.kill()


def fetch_for_cloudfront(bucket: str, key: str, *arguments: Any, **options: Any) -> tuple[int, dict[str, str], bytes]:
    """Fetch an object for the CDN. As on AWS, one that is not there is 404 where the CDN may list, and 403 elsewhere.

    ministack says 403 in both cases.
    """
    answer: tuple[int, dict[str, str], bytes] = _fetch(bucket, key, *arguments, **options)
    if answer[0] != 403 or key in (s3._ensure_bucket(bucket) or {"objects": {}})["objects"]:
        return answer
    return s3._error("NoSuchKey", "", 404, f"/{bucket}/{key}") if _may_list(bucket, options["source_arn"]) else answer


def _may_list(bucket: str, source: str) -> bool:
    owner = s3._bucket_owner_account(bucket)
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="s3:ListBucket",
        resource_arn=f"arn:aws:s3:::{bucket}",
        region="",
        service_context={"aws:sourcearn": source},
    )
    service = "cloudfront.amazonaws.com"
    decision = iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision if policy else ""
    return bool(decision == "Allow")


_asked: ContextVar[dict[str, str]] = ContextVar("asked", default={})  # noqa: B039  nobody changes it
_resolve = iam_evaluator._resolve_condition_key
_fetch = s3.serve_cloudfront_origin_fetch
_runtime_of = lambda_runtime._detect_runtime_binary

if __name__ == "__main__":
    app.app = serve
    app._HypercornConfig._insecure_bind = [os.environ["TILETREE_PLAIN"]]
    app._port_is_bindable = lambda *_: False  # it would listen on port 443 too
    iam_evaluator._resolve_condition_key = resolve
    s3.serve_cloudfront_origin_fetch = fetch_for_cloudfront
    lambda_runtime._detect_runtime_binary = lambda runtime: (os.environ["TILETREE_RUNTIME"], _runtime_of(runtime)[1])
    app.main()
