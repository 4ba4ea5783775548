"""The numbers of a run for a collector of OpenTelemetry, if the environment names one: OTLP over HTTP."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from tiles.upkeep.metrics import ABOUT, RunMetrics
from tiletree.ui import Output

Form = Callable[[RunMetrics, float], str]  # how the numbers of a run become a line

# variables that name a collector; the exporter reads these and others, such as the one for headers
ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PREFIX = "tiletree.run."
_TIMEOUT = 5.0  # seconds; a run does not wait longer for whoever counts it


def report(out: Output, run: RunMetrics, form: Form) -> None:
    """Write the numbers of a run as a line of a structured log, and send them."""
    out.log(form(run, out.now()))
    if problem := send(run):
        out.warn(problem)


def send(run: RunMetrics) -> str:
    """Send the numbers of a run, if a collector is named. Return why they were not sent, or ""; never raises."""
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if named is None:
        return ""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
        from opentelemetry.sdk.resources import Resource
    except ImportError:
        return f"${named} is set, and OpenTelemetry is not installed: pip install 'tiletree[otel]'"
    # what it would print may have the address, which may hold a password
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    try:
        reader = InMemoryMetricReader()
        resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "tiletree"})
        provider = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = provider.get_meter("tiletree")
        labels = {"origin": run.origin, "outcome": run.outcome}
        for name in ABOUT.keys() & run.known.keys():
            unit = "s" if name.endswith("seconds") else "By" if name.endswith("bytes") else ""
            meter.create_gauge(PREFIX + name, unit, ABOUT[name]).set(run.known[name], labels)
        exporter = OTLPMetricExporter(timeout=_TIMEOUT)
        found = reader.get_metrics_data()
        result = exporter.export(found) if found is not None else MetricExportResult.FAILURE
        exporter.shutdown()
        provider.shutdown()
    except Exception as error:  # noqa: BLE001  whatever is wrong with it, the run is what counts
        return f"the collector that ${named} names was not told of this run ({type(error).__name__})"
    return "" if result is MetricExportResult.SUCCESS else f"the collector that ${named} names did not take this run"
