"""What two checkpoints show of a log's history: forks by one key and by two, and what may be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, POLICY, Objects, cosigned, make_log
from tests.support.signed_text import LOG
from tiles.errors import AccessError, ForkError, HistoryUnknown, Malformed
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.notes.fork_evidence import NEWER, OLDER, check_fork, fork_signers
from tiles.notes.policy import Policy, parse_policy
from tiles.read.client import LogClient
from tiles.tree.layout import CHECKPOINT
from tiles.user.seen_checkpoints import MAX_FORKS, Visits, read_evidence

BOTH = parse_policy(f"log {LOG.verifier.vkey}\nlog {OTHER_KEY.verifier.vkey}\nquorum none\n".encode())


@pytest.fixture
def visits(tmp_path: Path) -> Visits:
    """Return an empty memory."""
    return Visits(tmp_path / "state")


def visit(objects: dict[str, bytes], visits: Visits, policy: Policy = POLICY) -> None:
    """Visit a log."""
    LogClient(Objects(objects), policy, visits=visits).visit()


def saved(visits: Visits) -> Path:
    """Return the one directory of evidence."""
    (only,) = (visits.directory / "forks").iterdir()
    return only


def test_a_fork_by_two_keys_names_both(visits: Visits) -> None:
    """Neither key has signed two histories: the error says who signed what, and the evidence how to check it."""
    visit(make_log(600), visits, BOTH)
    with pytest.raises(ForkError) as caught:
        visit(make_log(700, tag="other", key=OTHER_KEY), visits, BOTH)
    assert "two different keys" in caught.value.message
    assert LOG.verifier.vkey in caught.value.message
    assert OTHER_KEY.verifier.vkey in caught.value.message
    older, newer = check_fork(read_evidence(saved(visits)), BOTH)
    assert fork_signers(older, newer, BOTH) == (LOG.verifier, OTHER_KEY.verifier)
    readme = (saved(visits) / "README").read_text()
    assert "two different keys" in readme
    assert "--policy" in readme
    assert "--vkey" not in readme


@pytest.mark.parametrize("policy", [POLICY, BOTH])
@pytest.mark.parametrize("served_by_both", [False, True])
def test_a_fork_by_one_key(visits: Visits, policy: Policy, served_by_both: bool) -> None:
    """Where one key has signed both trees, it is that key's fork, whoever else has signed."""
    visit(make_log(600), visits, policy)
    served = make_log(600, tag="other")
    with pytest.raises(ForkError) as caught:
        visit(cosigned(served, OTHER_KEY) if served_by_both else served, visits, policy)
    assert "two different keys" not in caught.value.message
    readme = (saved(visits) / "README").read_text()
    assert f"--vkey {LOG.verifier.vkey}" in readme
    older, newer = check_fork(read_evidence(saved(visits)), POLICY)
    assert fork_signers(older, newer, policy) == (LOG.verifier, LOG.verifier)


def test_what_may_be_a_fork_is_kept(visits: Visits) -> None:
    """Less than was seen, and nothing that shows how it goes on: both checkpoints are kept, and nobody is accused."""
    seen, served = make_log(300, 600), make_log(200, tag="other")
    visit(seen, visits)
    for _ in range(2):
        with pytest.raises(HistoryUnknown, match="serves 200 entries, 600 were seen before") as caught:
            visit(served, visits)
    assert isinstance(caught.value, AccessError)
    assert str(saved(visits)) in caught.value.hint
    evidence = read_evidence(saved(visits))
    assert evidence == caught.value.evidence == {OLDER: served[CHECKPOINT], NEWER: seen[CHECKPOINT]}
    assert "That is no proof" in (saved(visits) / "README").read_text()
    with pytest.raises(Malformed, match="nothing shows"):
        check_fork(evidence, POLICY)


def test_evidence_has_a_cap(visits: Visits) -> None:
    """A log that forks at every visit does not fill the disk, and each of its forks is still an error."""
    visit(make_log(5), visits)
    for number in range(MAX_FORKS + 3):
        with pytest.raises(ForkError) as caught:
            visit(make_log(5, tag=f"other {number}"), visits)
        kept = list((visits.directory / "forks").iterdir())
        assert len(kept) == min(number + 1, MAX_FORKS)
        assert ("no more are kept" in caught.value.hint) == (number >= MAX_FORKS)
        assert str(visits.directory / "forks") in caught.value.hint
    with pytest.raises(ForkError) as caught:  # one that is kept is found again
        visit(make_log(5, tag="other 0"), visits)
    assert "no more are kept" not in caught.value.hint


def test_what_is_no_proof_takes_no_room(visits: Visits) -> None:
    """Old copies, which anyone can serve without the log's key, keep no proof of a fork out; they have a cap, too."""
    sizes = range(20, 20 + MAX_FORKS + 2)
    visit(make_log(600), visits)
    for size in sizes:
        old = {CHECKPOINT: make_log(size)[CHECKPOINT]}
        with pytest.raises(HistoryUnknown):
            visit(old, visits)
    assert len(list((visits.directory / "forks").iterdir())) == MAX_FORKS
    with pytest.raises(ForkError) as caught:
        visit(make_log(600, tag="other"), visits)
    assert "the evidence is in" in caught.value.hint


def test_another_log_has_room(visits: Visits) -> None:
    """The cap is each log's own: one that forks all the time keeps no evidence against another one out."""
    for number in range(MAX_FORKS + 1):
        visit(make_log(5), visits)
        with pytest.raises(ForkError):
            visit(make_log(5, tag=f"other {number}"), visits)
    theirs = parse_policy(f"log {OTHER_KEY.verifier.vkey}\nquorum none\n".encode())
    visit(make_log(5, key=OTHER_KEY), visits, theirs)
    with pytest.raises(ForkError) as caught:
        visit(make_log(5, tag="other", key=OTHER_KEY), visits, theirs)
    assert "the evidence is in" in caught.value.hint


def test_a_full_place(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    """All logs together have a cap as well, and what was kept stays."""
    visit(make_log(5), visits)
    with pytest.raises(ForkError):
        visit(make_log(5, tag="other"), visits)
    monkeypatch.setattr("tiles.user.seen_checkpoints._MAX_EVIDENCE", 1)
    with pytest.raises(ForkError) as caught:
        visit(make_log(5, tag="third"), visits)
    assert "no more are kept" in caught.value.hint
    assert check_fork(read_evidence(saved(visits)), POLICY)
    assert parse_signed_checkpoint(read_evidence(saved(visits))[OLDER]).tree.size == 5
