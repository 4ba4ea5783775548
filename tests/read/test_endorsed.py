"""Reading the endorsement that a log keeps, and holding the log to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.endorsing import (
    OTHER,
    POLICY,
    PUBLIC,
    PUBLIC_POLICY,
    checkpoint_of,
    entry_of,
    private_client,
    private_log,
    proof_of,
    stated,
)
from tests.support.readers import Objects, entry
from tiles.errors import AccessError, ForkError, HistoryUnknown, LogError, NotLogged, ProofError, SignatureError
from tiles.notes.endorsement import verify_endorsement
from tiles.notes.fork_evidence import check_fork
from tiles.notes.tlog_proof import verify_tlog_proof
from tiles.read.endorsed import check_endorsed, newest_endorsement, prove_endorsed
from tiles.records.paths import checkpoint_path, newest_endorsed_path
from tiles.tree.layout import BUNDLES, TILES
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.user.seen_checkpoints import Visits, read_evidence

OLD, NOW = private_log(300), private_log(300, 400)
PROOF = proof_of(entry_of(OLD))
ENDORSED = verify_endorsement(PROOF, PUBLIC_POLICY, POLICY)
NEWEST = newest_endorsed_path(PUBLIC.name)


def test_newest() -> None:
    """What the log keeps is verified before anything follows from it."""
    proof, endorsed = newest_endorsement(Objects({NEWEST: PROOF.data}), PUBLIC.name, PUBLIC_POLICY, POLICY)
    assert (proof, endorsed) == (PROOF, ENDORSED)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, NotLogged),
        (b"", AccessError),
        (b"<html><body>login</body></html>", AccessError),
        (PROOF.data[:-1], LogError),
        (proof_of(stated(TreeHead(300, leaf_hash(b"")), OTHER)).data, SignatureError),
        (PROOF.data.replace(b"index 0", b"index 1"), ProofError),
    ],
)
def test_what_is_not_believed(data: bytes | None, error: type[Exception]) -> None:
    """Nothing there, something else there, or one by somebody else."""
    with pytest.raises(error):
        newest_endorsement(Objects({} if data is None else {NEWEST: data}), PUBLIC.name, PUBLIC_POLICY, POLICY)


@pytest.mark.parametrize("objects", [OLD, NOW, private_log(300, 5000)])
@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_proofs_of_the_endorsed_tree(objects: dict[str, bytes], index: int) -> None:
    """They lead to what was endorsed, also when the log has grown since."""
    client = private_client(objects)
    check_endorsed(client, ENDORSED.tree.signed)
    proof = prove_endorsed(client, ENDORSED, index, b"extra")
    assert verify_tlog_proof(proof, leaf_hash(entry(index)), POLICY).signed.tree == ENDORSED.tree.signed.tree
    assert proof.extra == b"extra"


def test_partial_tiles_are_gone() -> None:
    """What gc has removed is taken from the full tile."""
    now = private_log(300, 600)
    kept = {path: data for path, data in now.items() if not path.startswith(TILES) or ".p/44" not in path}
    assert kept != now
    prove_endorsed(private_client(kept), ENDORSED, 299)


def test_what_came_later() -> None:
    """An entry that is not in the endorsed tree is not endorsed."""
    with pytest.raises(NotLogged, match="is not endorsed"):
        prove_endorsed(private_client(NOW), ENDORSED, 300)


def test_what_the_log_keeps_of_that_size() -> None:
    """Its own checkpoint is taken where it states the same tree, and no other."""
    other = private_log(300, tag="other")
    for kept in (checkpoint_of(other).data, b"", b"<html>"):
        client = private_client({**NOW, checkpoint_path(300): kept})
        assert prove_endorsed(client, ENDORSED, 3).checkpoint == ENDORSED.tree.signed


@pytest.mark.parametrize(
    "objects",
    [
        private_log(300, tag="other", same_up_to=299),
        private_log(300, 400, tag="other", same_up_to=100),
        private_log(301, tag="other"),
        private_log(2000, tag="other", same_up_to=299),
        private_log(100, tag="other", same_up_to=99) | {k: v for k, v in OLD.items() if k.startswith(TILES)},
    ],
    ids=["same size", "larger", "one more", "much larger", "smaller, with the tiles of what was endorsed"],
)
def test_a_history_that_was_changed(objects: dict[str, bytes], tmp_path: Path) -> None:
    """The endorsement and what the log shows now are evidence that its key alone suffices to check."""
    visits = Visits(tmp_path)
    with pytest.raises(ForkError) as raised:
        check_endorsed(private_client(objects), ENDORSED.tree.signed, visits)
    check_fork(raised.value.evidence, POLICY)
    (saved,) = (tmp_path / "forks").iterdir()
    check_fork(read_evidence(saved), POLICY)
    with pytest.raises(ForkError):
        check_endorsed(private_client(objects), ENDORSED.tree.signed)


def test_less_than_was_endorsed(tmp_path: Path) -> None:
    """A log that shows less, and not what would tell, may be an old copy: it is said, and is not called a fork."""
    old = {path: data for path, data in private_log(100).items() if not path.startswith(BUNDLES)}
    with pytest.raises(HistoryUnknown):
        check_endorsed(private_client(old), ENDORSED.tree.signed, Visits(tmp_path))


def test_an_old_copy_with_all_tiles() -> None:
    """A log that was put back, and whose tiles are those of what was endorsed, is of that history."""
    check_endorsed(private_client(OLD | private_log(100)), ENDORSED.tree.signed)
