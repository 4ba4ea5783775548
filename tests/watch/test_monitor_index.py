"""The index of a log, computed again as it grows: a head that lies is evidence; only what is new is fetched."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.indexed import KINDS, POLICY, changed, numbers, with_index, without
from tests.support.monitors import EVERY, Places, Told
from tests.support.ranges import Counting
from tests.support.reference import flipped
from tests.support.signed_text import LOG
from tests.support.web_logs import log_of
from tiles.errors import AccessError, Refused, TilesError, VerificationError
from tiles.index.check import SCRATCH, open_head
from tiles.notes.index_head import IndexHead
from tiles.tree.merkle import Hash, TreeHead

INDEXED = replace(EVERY, index=True)
KIND = "leaf/1"
HEAD = f"index/{KIND}/head"


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Return where a log is put."""
    return Places(monkeypatch, tmp_path)


def checked(places: Places, objects: dict[str, bytes]) -> list[str]:
    """Do a round of a log, and return which objects of the index were asked for."""
    places.there["log"] = fetcher = Counting(objects)
    places.round(Told(), INDEXED, POLICY)
    return [path for path in fetcher.asked if path.startswith("index/")]


def lying(head: IndexHead) -> IndexHead:
    """Return a head with the root of its last run wrong."""
    return replace(head, runs=(*head.runs[:-1], replace(head.runs[-1], root=Hash(b"\x07" * 32))))


def test_an_index_that_grows(places: Places) -> None:
    """Of each kind the head and what is new are fetched; nothing is wrong with it."""
    asked = checked(places, numbers(9000, 4096))
    assert places.troubles == []
    assert sum(path.endswith("head") for path in asked) > len(KINDS)
    assert any(path.startswith(f"index/{KIND}/0/000/") or "/0/" in path for path in asked)
    asked = checked(places, numbers(9000, 4096))
    assert places.troubles == []
    assert all(path.endswith("head") for path in asked)
    asked = checked(places, numbers(9000, 8192))
    assert places.troubles == []
    assert not all(path.endswith("head") for path in asked)


def test_a_head_that_lies(places: Places) -> None:
    """It is named in each round, the evidence is saved once, and the log is read all the same."""
    for _ in range(2):
        checked(places, changed(numbers(), KIND, lying))
        (trouble,) = places.troubles
        assert isinstance(trouble, VerificationError)
        assert f"{HEAD}: the log has signed an index that is wrong: it says of a run" in trouble.message
        evidence = places.evidence()
        assert "it says of a run" in evidence["what-it-shows"].decode()
        open_head(evidence["index-head"], [LOG.verifier])
    assert len(places.kept) == 5000


def test_two_heads_that_contradict_each_other(places: Places) -> None:
    """The second is shown once the first is gone: both are in the evidence."""
    checked(places, numbers())
    asked = checked(places, changed(numbers(), KIND, lying))
    (trouble,) = places.troubles
    assert isinstance(trouble, VerificationError)
    assert "one says of a run" in trouble.message
    assert set(places.evidence()) == {"index-head", "other-index-head", "what-it-shows", "checkpoint", "README"}
    assert all(path.endswith("head") for path in asked)


def of_another_tree(head: IndexHead) -> IndexHead:
    """Return a head that says another root of the log."""
    return replace(head, tree=TreeHead(head.tree.size, Hash(b"\x07" * 32)))


def test_a_head_of_another_tree(places: Places) -> None:
    """The log has signed that it had another tree."""
    checked(places, changed(numbers(), KIND, of_another_tree))
    (trouble,) = places.troubles
    assert isinstance(trouble, VerificationError)
    assert "it says that the log had" in trouble.message


RUN = next(path for path in numbers() if path.startswith(f"index/{KIND}/") and path != HEAD)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (numbers(), without(numbers(), [HEAD]), "head is gone: it covered 4096 entries"),
        (None, {**numbers(), HEAD: b"no head"}, "head is damaged"),
        (numbers(9000, 8192), {**numbers(9000, 8192), HEAD: numbers(9000, 4096)[HEAD]}, "it is an old copy"),
        (None, without(numbers(), [RUN]), "is missing; what the log signed is right"),
        (None, {**numbers(), RUN: b"no run"}, "what the log signed is right"),
    ],
)
def test_damage_is_no_lie(places: Places, before: dict[str, bytes] | None, after: dict[str, bytes], words: str) -> None:
    """What anyone may have done who can write there is a trouble, and no evidence; it is looked at again."""
    if before is not None:
        checked(places, before)
        assert places.troubles == []
    for _ in range(2):
        checked(places, after)
        (trouble,) = places.troubles
        assert isinstance(trouble, AccessError)
        assert words in trouble.message
    assert not (places.directory / "forks").exists()


def of_another_log() -> bytes:
    """Return the head of what was computed of another log."""
    other = with_index(log_of([b"%d of another" % index for index in range(5000)]), KIND, key=SCRATCH)
    return other[HEAD]


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        (HEAD, b"", "is not what was computed of this log: malformed"),
        (HEAD, numbers()[HEAD], "is not what was computed of this log: no signature"),
        (HEAD, of_another_log(), "the log log.example.com does not begin with that"),
        (RUN, flipped(numbers()[RUN], 9), "is damaged"),
        (RUN, numbers()[RUN][:-16], "is damaged"),
    ],
)
def test_what_was_computed_before_is_damaged(places: Places, path: str, data: bytes, words: str) -> None:
    """The log is not blamed for it, and there is no evidence; once it is removed, all of it is computed again."""
    checked(places, numbers())
    runs = places.folder / "index-runs"
    (runs / path).unlink()
    (runs / path).write_bytes(data)
    shutil.rmtree(places.folder / "index-heads")  # so that what was compared is compared again
    checked(places, numbers())
    (trouble,) = places.troubles
    assert isinstance(trouble, Refused)
    assert words in trouble.message
    assert str(runs) in trouble.message
    assert not (places.directory / "forks").exists()
    shutil.rmtree(runs)
    checked(places, numbers())
    assert places.troubles == []


def test_what_was_checked_before_is_damaged(places: Places) -> None:
    """It is refused: without it, a head that contradicts the last one would go unnoticed."""
    checked(places, numbers())
    (places.folder / "index-heads" / "leaf-1").write_bytes(b"no head")
    checked(places, numbers())
    (trouble,) = places.troubles
    assert isinstance(trouble, Refused)
    assert issubclass(Refused, TilesError)
