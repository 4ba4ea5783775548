"""Metrics as text: what parsers that others wrote make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import openmetrics, parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from tiles.upkeep.exposition import Gauge, Sample, exposition

assert openmetrics  # the package that the second parser is in

Parse = Callable[[str], Iterator[Any]]
PARSERS = [parser.text_string_to_metric_families, openmetrics_parser.text_string_to_metric_families]


@pytest.mark.parametrize("parse", PARSERS)
def test_what_is_written_is_read(parse: Parse) -> None:
    """Names, help, labels and numbers come back, whatever is in a label."""
    odd = 'a "quoted" \\ back\\nslash\nand a line'
    gauges = [
        Gauge("log_size", "How large it is, in words.", (Sample(3), Sample(2**53, {"origin": odd, "kind": "x"}))),
        Gauge("log_none", "Left out.", ()),
        Gauge("log_age_seconds", "An age.", (Sample(0.25), Sample(1e6 + 0.125, {"origin": ""}))),
    ]
    text = exposition(gauges)
    found = list(parse(text))
    assert [family.name for family in found] == ["log_size", "log_age_seconds"]
    assert {family.type for family in found} == {"gauge"}
    assert found[0].documentation == gauges[0].help
    samples = [(sample.value, dict(sample.labels)) for family in found for sample in family.samples]
    assert samples == [(3, {}), (2**53, {"origin": odd, "kind": "x"}), (0.25, {}), (1e6 + 0.125, {"origin": ""})]


def test_units_and_the_end() -> None:
    """OpenMetrics wants to know where the text ends, and what a number is in."""
    text = exposition([Gauge("a_bytes", "It.", (Sample(1),))])
    assert text == "# HELP a_bytes It.\n# TYPE a_bytes gauge\n# UNIT a_bytes bytes\na_bytes 1\n# EOF\n"
    assert next(openmetrics_parser.text_string_to_metric_families(text)).unit == "bytes"
    assert exposition([]) == "# EOF\n"
