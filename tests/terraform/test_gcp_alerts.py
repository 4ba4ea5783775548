"""What the alerts of terraform/gcp look for is what runs write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.support.command_line import Command
from tests.terraform.modules import TERRAFORM
from tiles.upkeep.metrics import RunMetrics, json_line

ALERTS = (TERRAFORM / "gcp" / "alerts.tf").read_text(encoding="utf-8")


def block(runner: str) -> str:
    """Return what is said of the lines of a runner."""
    found = re.search(rf"^    {runner} = \{{\n(.*?)^    \}}", ALERTS, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1].replace('\\"', '"')


def conditions(runner: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield "NOT ", field, operator and value of each condition on a line, "" for what is not there."""
    yield from re.findall(r'(NOT )?jsonPayload\.([\w.]+)(?:(=|>=)"?(\w+)"?|:\*)', block(runner))


def value(document: Any, field: str) -> Any:
    """Return a field of a document, None if it is not there."""
    for name in field.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def is_counted(runner: str, document: Any) -> bool:
    """Whether a line counts as that of a run that ended well."""
    found = []
    for negated, field, operator, wanted in conditions(runner):
        there = value(document, field)
        if not operator:
            found.append((there is not None) != bool(negated))
        else:
            found.append(there == wanted if operator == "=" else there is not None and there >= int(wanted))
    assert len(found) == 2
    return all(found)


def oldest(runner: str, document: Any) -> Any:
    """Return what a line says about the oldest submission."""
    (field,) = re.findall(r'oldest += "jsonPayload\.([\w.]+)"', block(runner))
    return value(document, field)


def test_the_service() -> None:
    """The line of a run that ended well is counted, and that of a failed one is not."""
    done = replace(RunMetrics("log.example.com"), oldest_pending_seconds=7.0)
    good, bad = (json.loads(json_line(each, 0)) for each in (done, done.ended(1.0, "Refused")))
    assert (is_counted("service", good), is_counted("service", bad)) == (True, False)
    assert oldest("service", good) == 7.0


def test_the_job(tiletree: Command) -> None:
    """The document of `sequence` is one line; that of a failed run is not counted."""
    tiletree.ok("init", "log", "--origin", "log.example.com", "--no-page")
    done = tiletree("sequence", "log", "--json")
    (line,) = done.out.splitlines()
    document = json.loads(line)
    assert is_counted("job", document)
    assert "oldest" in document["backlog"]
    assert oldest("job", document | {"backlog": {"objects": 1, "oldest": 3.0}}) == 3.0
    failed = json.loads(tiletree("sequence", "other", "--json").out)
    assert not is_counted("job", failed)
    assert not is_counted("job", document | {"error": failed["error"]})
