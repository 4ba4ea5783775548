"""The numbers of a run at a collector of OpenTelemetry: what it gets, and that its troubles stay its own."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.command_line import ORIGIN, Command
from tiles.upkeep.metrics import RunMetrics
from tiletree import telemetry

pytestmark = pytest.mark.slow  # OpenTelemetry takes long to import

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@contextmanager
def collector(status: int) -> Iterator[tuple[str, list[bytes]]]:
    """Run a collector that answers with a status; yield its address and the bodies that it got."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://me:s3cr3t@127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_collector_gets_the_numbers(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number that is known is a gauge of its name, with the log and the outcome."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="NOT TESTED: OpenTelemetry is not installed")
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    Path("c").write_bytes(b"c")
    tiletree.ok("submit", "log", "c", "--submitter", "ann")
    with collector(200) as (address, got):
        monkeypatch.setenv(ENDPOINT, address)
        done = tiletree("sequence", "log", "--key", "k", "--log-format", "json")
    run = json.loads(done.err.splitlines()[0])
    assert (done.code, len(done.err.splitlines())) == (0, 2)
    request = ExportMetricsServiceRequest()
    request.ParseFromString(got[0])
    (scope,) = request.resource_metrics[0].scope_metrics
    points = {each.name: each.gauge.data_points[0] for each in scope.metrics}
    values = {name: point.as_int or point.as_double for name, point in points.items()}
    numbers = {name: value for name, value in run.items() if isinstance(value, int | float)}
    assert values == {f"tiletree.run.{name}": pytest.approx(value) for name, value in numbers.items()}
    said = {each.key: each.value.string_value for each in points["tiletree.run.entries"].attributes}
    assert said == {"origin": ORIGIN, "outcome": "done"}


@pytest.mark.parametrize("status", [400, 403])
def test_a_collector_in_trouble(
    tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """The run is what it is; that nobody counted it is a remark, which shows no address."""
    with collector(status) as (address, _):
        monkeypatch.setenv(ENDPOINT, address)
        done = tiletree("sequence", "log", "--key", "k")
    assert (done.code, "s3cr3t" in done.err) == (0, False)
    assert done.err == f"the collector that ${ENDPOINT} names did not take this run\n"
    monkeypatch.setenv(ENDPOINT, "nonsense://me:s3cr3t@nowhere")
    done = tiletree("sequence", "log", "--key", "k")
    assert (done.code, done.err.count("\n"), "s3cr3t" in done.err) == (0, 1, False)
    assert "the collector that $" in done.err
    assert not caplog.records  # what the exporter would print has the address


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to install, where a collector is named, and nothing where none is."""
    real = builtins.__import__

    def missing(name: str, *more: Any, **given: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *more, **given)

    monkeypatch.setattr(builtins, "__import__", missing)
    for name in telemetry.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert telemetry.send(RunMetrics(ORIGIN)) == ""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    assert telemetry.send(RunMetrics(ORIGIN)).endswith("pip install 'tiletree[otel]'")
