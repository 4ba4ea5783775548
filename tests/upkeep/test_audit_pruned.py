"""Auditing a log that has pruned its beginning."""

from __future__ import annotations

import pytest

from tests.support.pruned_log import SIZE, pruned
from tests.support.readers import Objects, make_log
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.tree.layout import CHECKPOINT
from tiles.upkeep.audit import Report, audit

TREE = parse_signed_checkpoint(make_log(SIZE)[CHECKPOINT]).tree


def audited(objects: dict[str, bytes], minimum: int) -> Report:
    """Return what an audit finds that is told of a minimum index."""
    return audit(Objects(objects), TREE, minimum=minimum)


@pytest.mark.parametrize("minimum", [256, 600, SIZE])
def test_what_is_pruned_is_no_finding(minimum: int) -> None:
    """What is below the minimum index and missing is counted; without the index it is a finding."""
    objects = pruned(minimum)
    gone = 2 * (minimum // 256)
    report = audited(objects, minimum)
    assert (report.findings, report.pruned) == ((), gone)
    assert len(audited(objects, 0).findings) == gone
    assert audited(make_log(SIZE), minimum).pruned == 0


def test_everything_else_is_a_finding() -> None:
    """What is missing above, and what is wrong below the minimum index, is reported as ever."""
    objects = pruned(512)
    damaged = {path: data for path, data in objects.items() if path != "tile/entries/002"}
    assert [finding.path for finding in audited(damaged, 512).findings] == ["tile/entries/002"]
    whole = make_log(SIZE)
    wrong = whole["tile/entries/000"][:-1] + bytes([whole["tile/entries/000"][-1] ^ 1])
    report = audited(objects | {"tile/0/000": whole["tile/0/000"], "tile/entries/000": wrong}, 512)
    assert [finding.path for finding in report.findings] == ["tile/entries/000"]
    assert report.pruned == 2
    assert audited(objects, 511).pruned == 2
    assert len(audited(objects, 511).findings) == 2
