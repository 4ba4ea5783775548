"""All endorsements of a log in another are of one history, or two of them are evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.endorsement_texts import ONE
from tests.support.endorsing import (
    OTHER,
    POLICY,
    PRIVATE,
    checkpoint_of,
    entry_of,
    private_client,
    private_log,
    public_client,
    stated,
)
from tiles.errors import ForkError, HistoryUnknown, UsageError
from tiles.notes.fork_evidence import check_fork
from tiles.read.client import SCAN_LIMIT
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.user.seen_checkpoints import Visits, read_evidence
from tiles.watch import endorsements
from tiles.watch.endorsements import check_endorsements, collect, endorsements_in

ORIGIN = PRIVATE.name
LOG = private_log(3, 300, 400)
SOUND = [entry_of(private_log(size)) for size in (3, 300, 400)]
FALSE = [stated(TreeHead(7, leaf_hash(b"false")), OTHER), ONE, SOUND[0].replace(b"\n3\n", b"\n4\n")]
AMONG = [b"raw", SOUND[0], *FALSE, SOUND[1], b"", SOUND[0], SOUND[2]]


def test_collected() -> None:
    """What the key has signed is found, each size once; what somebody else has logged in its name is counted."""
    found = collect(public_client(AMONG), ORIGIN, POLICY)
    assert {size: signed.data for size, signed in found.trees.items()} == dict(zip((3, 300, 400), SOUND, strict=True))
    assert (found.indexes, found.others, found.unproven) == ({3: 1, 300: 5, 400: 8}, 3, "")
    check_endorsements(found, POLICY, private_client(LOG))
    check_endorsements(found, POLICY, None)


def test_pages_of_hits(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, all are asked for."""
    monkeypatch.setattr(endorsements, "_MOST", 2)
    found = collect(public_client(AMONG), ORIGIN, POLICY)
    assert (sorted(found.trees), found.others) == ([3, 300, 400], 3)


def test_none() -> None:
    """A log that was never endorsed has no endorsement that contradicts another."""
    found = collect(public_client([b"raw", *FALSE]), ORIGIN, POLICY)
    assert (found.trees, found.others) == ({}, 3)
    check_endorsements(found, POLICY, private_client(LOG))


def test_a_large_log_without_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that it would have to be looked through, and --scan does it."""
    assert len(AMONG) < SCAN_LIMIT
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 2)
    with pytest.raises(UsageError, match="origin/1"):
        collect(public_client(AMONG), ORIGIN, POLICY)
    assert len(collect(public_client(AMONG), ORIGIN, POLICY, any_size=True).trees) == 3


@pytest.mark.parametrize("private", [None, LOG])
def test_two_trees_of_one_size(private: dict[str, bytes] | None, tmp_path: Path) -> None:
    """They are evidence by the private key alone: nothing of that log has to be read."""
    twins = [*SOUND, entry_of(private_log(300, tag="other", same_up_to=299))]
    found = endorsements_in(enumerate(twins), ORIGIN, POLICY)
    with pytest.raises(ForkError) as raised:
        check_endorsements(found, POLICY, private_client(private) if private else None, Visits(tmp_path))
    older, newer = check_fork(raised.value.evidence, POLICY)
    assert older.tree.size == newer.tree.size == 300
    (saved,) = (tmp_path / "forks").iterdir()
    check_fork(read_evidence(saved), POLICY)


@pytest.mark.parametrize("size", [2, 299, 301, 399])
def test_a_tree_of_another_history(size: int, tmp_path: Path) -> None:
    """Held to what the log shows now, whose tiles give the proof."""
    other = entry_of(private_log(size, tag="other", same_up_to=size - 1))
    found = endorsements_in(enumerate([*SOUND, other]), ORIGIN, POLICY)
    with pytest.raises(ForkError) as raised:
        check_endorsements(found, POLICY, private_client(LOG), Visits(tmp_path))
    older, newer = check_fork(raised.value.evidence, POLICY)
    assert (older.tree.size, newer.tree.size) == (size, 400)
    check_endorsements(found, POLICY, None)  # which nobody can tell from the endorsements alone


def test_a_history_that_was_changed_afterwards(tmp_path: Path) -> None:
    """The log was rewritten, and grew: the endorsement of before contradicts it."""
    found = endorsements_in(enumerate(SOUND[:2]), ORIGIN, POLICY)
    changed = private_log(3, 500, tag="other", same_up_to=100)
    with pytest.raises(ForkError) as raised:
        check_endorsements(found, POLICY, private_client(changed), Visits(tmp_path))
    check_fork(raised.value.evidence, POLICY)


def test_a_log_that_was_put_back(tmp_path: Path) -> None:
    """It shows less than was endorsed, and nothing that tells which it is."""
    found = endorsements_in(enumerate(SOUND), ORIGIN, POLICY)
    with pytest.raises(HistoryUnknown):
        check_endorsements(found, POLICY, private_client(private_log(3)), Visits(tmp_path))


def test_entries_of_other_origins() -> None:
    """A checkpoint of another log is no endorsement of this one, not even a false one."""
    found = endorsements_in(enumerate(SOUND), "another.example.com", POLICY)
    assert (found.trees, found.others) == ({}, 0)
    assert checkpoint_of(LOG).data == SOUND[2]
