"""Metrics in the text format that scrapers read: Prometheus 0.0.4 and OpenMetrics 1.0 at once. Pure.

All of them are gauges, so that each text is valid in both: what only OpenMetrics has (UNIT, EOF) is a comment to the
other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LABEL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_UNITS = ("seconds", "bytes")  # a name that ends with one says that it is its unit


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, and the labels that tell it from others of the same metric."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric: its name, what it is in one sentence, and its samples. Without any it is left out.

    The sentence has no quotes, backslashes or line breaks: the two formats do not agree on how those are written there.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]


def exposition(gauges: Iterable[Gauge]) -> str:
    """Return the text of these metrics, each with HELP and TYPE, and with the line that ends it."""
    return "".join(line + "\n" for gauge in gauges if gauge.samples for line in _lines(gauge)) + "# EOF\n"


def _lines(gauge: Gauge) -> Iterable[str]:
    yield f"# HELP {gauge.name} {gauge.help}"
    yield f"# TYPE {gauge.name} gauge"
    for unit in _UNITS:
        if gauge.name.endswith(f"_{unit}"):
            yield f"# UNIT {gauge.name} {unit}"
    for sample in gauge.samples:
        labels = ",".join(f'{name}="{value.translate(_LABEL)}"' for name, value in sample.labels.items())
        yield f"{gauge.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"
