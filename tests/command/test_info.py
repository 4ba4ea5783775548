"""`tiletree info --at` and `--compare`, and `--when` of the commands that show entries."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.readers import make_log
from tests.support.signed_text import LOG

TODAY = datetime.now(UTC).date()


def write_log(directory: str, *sizes: int, tag: str = "entry", kept: dict[date, int] | None = None) -> None:
    """Write a log that grew to these sizes. kept: the size that it had on days"""
    made = make_log(*sizes, tag=tag)
    objects = {path: data for path, data in made.items() if not path.startswith("checkpoints/days")}
    for day, size in (kept or {}).items():
        objects[f"checkpoints/days/{day}"] = made[f"checkpoints/{size:03d}"]
    for path, data in objects.items():
        Path(directory, path).parent.mkdir(parents=True, exist_ok=True)
        Path(directory, path).write_bytes(data)


@pytest.fixture
def grown(tiletree: Command) -> Command:
    """Return the command beside a log whose past is kept."""
    write_log("grown", 3, 10, 300, kept={TODAY - timedelta(20): 3, TODAY - timedelta(5): 10})
    tiletree.ok("key", "trust", "grown", LOG.verifier.vkey)
    return tiletree


def test_at(grown: Command) -> None:
    """How many entries were there by that day, and what is not known; proven against the present tree."""
    day, by, after = (str(TODAY - timedelta(days)) for days in (9, 20, 5))
    document = grown.ok("info", "grown", "--at", day)
    assert document["size"] == 300
    at = document["at"]
    assert (at["day"], at["by"]["day"], at["by"]["size"]) == (day, by, 3)
    assert at["after"] == {"day": after, "size": 10}
    said = grown("info", "grown", "--at", day).out
    assert f"by      {by}: 3 entries were there by that day, says the log\n" in said
    assert "time    no quorum of witnesses has dated it\n" in said
    assert f"not known: how many of the 7 that came until {after} were there on {day}\n" in said
    said = grown("info", "grown", "--at", str(TODAY)).out
    assert f"not known: how many of the 290 that came until now were there on {TODAY}\n" in said


def test_at_a_day_of_which_nothing_is_kept(grown: Command) -> None:
    """Before the first one that is kept it is not known: exit code 3, and the document says what is."""
    day = TODAY - timedelta(30)
    done = grown("info", "grown", "--at", day, "--json")
    assert done.code == 3
    assert done.json["at"] == {
        "day": str(day),
        "by": None,
        "after": {"day": str(TODAY - timedelta(20)), "size": 3},
    }
    assert done.json["error"]["message"].startswith("not known: ")
    assert "proves nothing" in done.json["error"]["hint"]


@pytest.mark.parametrize("day", [str(TODAY + timedelta(3)), "yesterday", "2026-13-01", "2026-1"])
def test_what_is_no_day(grown: Command, day: str) -> None:
    """A day that has not come, or is none, is a wrong call."""
    assert grown("info", "grown", "--at", day).code == 2


def test_at_of_another_history(grown: Command) -> None:
    """A kept checkpoint of another history is a fork: exit code 7, and the evidence is saved."""
    kept = make_log(3, 10, 300, tag="other")["checkpoints/010"]
    Path("grown/checkpoints/days", str(TODAY - timedelta(5))).write_bytes(kept)
    done = grown("info", "grown", "--at", TODAY)
    assert done.code == 7
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert grown("verify", "--fork", evidence, "--vkey", LOG.verifier.vkey).code == 0


def test_compare(grown: Command) -> None:
    """Other copies are the same, behind, or ahead, each by a proof."""
    write_log("small", 3, 10)
    write_log("large", 3, 10, 300, 600)
    shutil.copytree("grown", "same")
    document = grown.ok("info", "grown", "--compare", "same", "--compare", "small", "--compare", "large")
    assert [one["relation"] for one in document["compared"]] == ["same", "behind", "ahead"]
    said = grown("info", "grown", "--compare", "small").out
    assert "small: behind by 290: its 10 entries are shown to be the first ones of this log\n" in said


def test_compare_with_another_history(grown: Command) -> None:
    """Another history is said for its copy, the others are compared all the same, and the evidence is saved: 7."""
    write_log("other", 3, 10, tag="other")
    shutil.copytree("grown", "same")
    done = grown("info", "grown", "--compare", "other", "--compare", "nowhere", "--compare", "same", "--json")
    assert done.code == 7
    assert [one["relation"] for one in done.json["compared"]] == ["fork", "unknown", "same"]
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert grown("verify", "--fork", evidence, "--vkey", LOG.verifier.vkey).code == 0
    done = grown("info", "grown", "--compare", "other")
    assert "other: another history: " in done.out
    assert grown("info", "grown", "--compare", "nowhere").code == 3


def test_compare_with_another_log(tiletree: Command, log: str) -> None:
    """A log of another key is not a copy: it does not verify."""
    tiletree.ok("init", "other", "--origin", ORIGIN, "--key", "o", "--no-page")
    assert tiletree("info", "log", "--compare", "other", "--vkey", log).code == 1


def test_when(grown: Command) -> None:
    """get, prove and search say by which day an entry was there, and what of it is the log's word."""
    by = str(TODAY - timedelta(5))
    for words in (["get", "grown", 5], ["prove", "grown", "--index", 5]):
        document = grown.ok(*words, "--when")
        assert (document["by"]["day"], document["by"]["size"]) == (by, 10)
        done = grown(*words, "--when")
        assert f"was there by {by}, says the log; no quorum of witnesses has dated that" in done.err
    found = grown.ok("search", "grown", "--leaf", grown.ok("get", "grown", 5)["leaf_hash"], "--when")
    assert [hit["by"]["day"] for hit in found["hits"]] == [by]
    done = grown("get", "grown", 200, "--when")
    assert done.code == 0
    assert "not known by which day it was there" in done.err
    assert grown.ok("get", "grown", 200, "--when")["by"] is None
