"""A log beside its mirrors and witnesses: one history, whichever is larger; anything else is named, and is evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.monitors import Places, tampered
from tests.support.readers import OTHER_KEY, POLICY, Objects, make_log
from tests.support.signed_text import LOG, W1, key, signed
from tiles.errors import AccessError, ForkError, HistoryUnknown, LogError, NotFound, SignatureError, TilesError
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.fork_evidence import check_fork
from tiles.notes.witness_messages import seen_path

OURS = make_log(300, 600)
SEEN = seen_path(LOG.name)
ANOTHER = key("other.example.com", 9)  # of another log


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Return where a log of 600 entries is."""
    found = Places(monkeypatch, tmp_path)
    found.there["log"] = Objects(OURS)
    return found


def named(url: str, objects: dict[str, bytes]) -> Objects:
    """Return a place that has a name."""
    found = Objects(objects)
    found.url = url
    return found


def cosigned(objects: dict[str, bytes]) -> bytes:
    """Return the checkpoint of a log as a witness shows it."""
    checkpoint = parse_signed_checkpoint(objects["checkpoint"]).checkpoint
    return signed(checkpoint, LOG, W1).data


@pytest.mark.parametrize(
    ("shown", "size"),
    [
        (OURS, 600),
        (make_log(300), 300),
        (make_log(), 0),
        (make_log(300, 600, 700), 700),
        ({SEEN: cosigned(OURS)}, 600),
        ({SEEN: cosigned(make_log(300))}, 300),
        ({SEEN: cosigned(OURS), "checkpoint": make_log(3, key=ANOTHER)["checkpoint"]}, 600),
    ],
)
def test_one_history(places: Places, shown: dict[str, bytes], size: int) -> None:
    """A mirror that is behind or ahead, and what a witness saw."""
    places.there["other"] = named("test://other", shown)
    done = places.compare("other")
    assert places.troubles == []
    assert done.seen == [("test://other", size)]
    assert done.next == 600


def test_a_witness_that_is_ahead(places: Places) -> None:
    """A log stores the tiles of a tree before it asks for a cosignature: they show that it is the same history."""
    larger = make_log(300, 600, 700)
    places.there["witness"] = named("test://witness", {SEEN: cosigned(larger)})
    places.there["log"] = Objects(tampered(larger, checkpoint=OURS["checkpoint"]))
    assert places.compare("witness").seen == [("test://witness", 700)]
    places.there["log"] = Objects(OURS)
    places.compare("witness")
    (trouble,) = places.troubles
    assert isinstance(trouble, HistoryUnknown)
    assert "shows 700 entries that the log has signed, test://log shows 600" in trouble.message
    evidence = places.evidence()
    assert (evidence["older"], evidence["newer"]) == (OURS["checkpoint"], cosigned(larger))
    assert "prefix" not in evidence


@pytest.mark.parametrize(
    "shown",
    [
        make_log(600, tag="other"),
        make_log(300, tag="other"),
        make_log(700, tag="other"),
        make_log(300, 600, tag="other", same_up_to=300),
        {SEEN: cosigned(make_log(600, tag="other"))},
        {SEEN: cosigned(make_log(300, tag="other"))},
    ],
)
def test_two_histories(places: Places, shown: dict[str, bytes]) -> None:
    """What the log's key has signed there contradicts the log: anyone can check the evidence. The log is read on."""
    places.there["other"] = named("test://other", shown)
    done = places.compare("other")
    (trouble,) = places.troubles
    assert isinstance(trouble, ForkError)
    assert "test://other/" in trouble.message
    assert "the evidence is in" in trouble.hint
    check_fork(places.evidence(), POLICY)
    assert done.next == 600


def test_places_that_contradict_each_other(places: Places) -> None:
    """Both extend the log; the second is compared with the first."""
    places.there["one"] = named("test://one", make_log(300, 600, 700))
    places.there["two"] = named("test://two", make_log(300, 600, 700, tag="other", same_up_to=600))
    done = places.compare("one", "two")
    assert done.seen == [("test://one", 700)]
    (trouble,) = places.troubles
    assert isinstance(trouble, ForkError)
    check_fork(places.evidence(), POLICY)


@pytest.mark.parametrize(
    ("shown", "error", "words"),
    [
        ({}, NotFound, f"shows nothing of {LOG.name}"),
        ({"checkpoint": b"<html>"}, AccessError, "is a web page"),
        ({"checkpoint": OURS["checkpoint"][:-9]}, LogError, "malformed"),
        ({"checkpoint": make_log(9, key=OTHER_KEY)["checkpoint"]}, SignatureError, "other/checkpoint"),
        ({SEEN: signed(Checkpoint("other.example.com", parse_signed_checkpoint(OURS["checkpoint"]).tree), LOG).data},
         LogError, "the origin is"),
        ({"checkpoint": make_log(3, key=ANOTHER)["checkpoint"]}, NotFound, "shows another log, and nothing of"),
    ],
)  # fmt: skip
def test_a_place_that_shows_nothing(
    places: Places, shown: dict[str, bytes], error: type[TilesError], words: str
) -> None:
    """It is a trouble of the round, and no evidence against the log."""
    places.there["other"] = named("test://other", shown)
    places.compare("other")
    (trouble,) = places.troubles
    assert isinstance(trouble, error)
    assert words in trouble.message
    assert not (places.directory / "forks").exists()


def test_a_fork_is_told_although_the_log_cannot_be_read(places: Places) -> None:
    """What other places show is compared first: whatever stops the reading does not hide it."""
    places.there["log"] = Objects(tampered(OURS, **{"tile/entries/000": None}))
    places.there["other"] = named("test://other", make_log(600, tag="other"))
    with pytest.raises(NotFound):
        places.compare("other")
    (trouble,) = places.troubles
    assert isinstance(trouble, ForkError)


def test_a_mirror_of_another_log(places: Places) -> None:
    """Where several logs are watched, a place need not show each of them."""
    places.there["other"] = named("test://other", {"checkpoint": make_log(3, key=ANOTHER)["checkpoint"]})
    done = places.compare("other", alone=False)
    assert (done.seen, places.troubles) == ([], [])
