"""The Runtime API of AWS Lambda, for the service's own client in Python (awslambdaric): events go in, answers come out.

It is what the client asks of http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime: the next event, and where to put the
answer or the error.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

_PATIENCE = 60.0  # seconds for all events


@dataclass(frozen=True)
class Answer:
    """What the function answered: a document, or an error's."""

    failed: bool
    document: dict[str, Any]


class _Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, events: Sequence[object], timeout: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events = list(events)
        self.left = timeout
        self.answers: Queue[Answer] = Queue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def do_GET(self) -> None:
        """Give the next event; when there is none, keep the client waiting, as the service does."""
        if not self.server.events:
            time.sleep(_PATIENCE)
            return
        number = len(self.server.events)
        body = json.dumps(self.server.events.pop(0)).encode()
        self._send(
            200,
            body,
            {
                "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.server.left) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:000000000000:function:log",
                "Content-Type": "application/json",
            },
        )

    def do_POST(self) -> None:
        """Take an answer, or an error of an event or of the function's beginning."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put(Answer(self.path.endswith("/error"), json.loads(body)))
        self._send(202, b"", {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: Any) -> None:
        """Say nothing."""


def invoke(
    python: Path, package: Path, events: Sequence[object], environment: Mapping[str, str], timeout: float = 55.0
) -> tuple[list[Answer], str]:
    """Run the function of an unpacked package, and return what it answered to each event, and what it said.

    python        with awslambdaric
    environment   all variables that the function has; it has no home directory
    timeout       seconds that the function is given for each event
    """
    with _Api(events, timeout) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        own = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "log",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "LAMBDA_TASK_ROOT": str(package),
            "HOME": "/proc/nonexistent",
            "PATH": os.environ["PATH"],
        }
        process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", "tiletree.jobs.aws_lambda.handler"],
            cwd=package,
            env={**own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            answers = [api.answers.get(timeout=_PATIENCE) for _ in events]
        finally:
            process.kill()
            said, _ = process.communicate()
            api.shutdown()
    return answers, said
