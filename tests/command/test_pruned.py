"""`--pruned`: what a log has pruned is called so by the commands that read entries, proofs and everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.pruned_log import SIZE, pruned
from tests.support.signed_text import LOG


@pytest.fixture
def half(tiletree: Command) -> Command:
    """Return the command beside a log that has pruned what is below 512."""
    for path, data in pruned(512).items():
        Path("half", path).parent.mkdir(parents=True, exist_ok=True)
        Path("half", path).write_bytes(data)
    tiletree.ok("key", "trust", "half", LOG.verifier.vkey)
    return tiletree


def test_entries_and_proofs(half: Command) -> None:
    """What is below is named as pruned: exit code 3; what is above is read as ever."""
    for words in (["get", "half", 5], ["prove", "half", "--index", 5]):
        done = half(*words, "--pruned", 512)
        assert done.code == 3
        assert "was pruned: all of it is below the minimum index 512" in done.err
        assert "was pruned" not in half(*words).err
    assert half("get", "half", 600, "--pruned", 512).code == 0
    assert half("prove", "half", "--index", 600, "--pruned", 512).code == 0


def test_audit(half: Command) -> None:
    """A pruned log is sound as far as it can be read, and how much cannot is said; without the option it is damaged."""
    document = half.ok("audit", "half", "--pruned", 512)
    assert (document["findings"], document["pruned"]) == ([], {"minimum": 512, "objects": 4})
    assert (
        "pruned: 4 objects that have only entries below 512 are not there\n"
        in half("audit", "half", "--pruned", 512).out
    )
    assert len(half("audit", "half", "--json").json["findings"]) == 4
    assert half("audit", "half").code == 1
    assert half("audit", "half", "--pruned", 511).code == 1


def test_what_no_minimum_index_is(half: Command) -> None:
    """It is no larger than the log."""
    for words in (["audit", "half"], ["get", "half", 5], ["prove", "half", "--index", 5]):
        assert half(*words, "--pruned", SIZE + 1).code == 2
