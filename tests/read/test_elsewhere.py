"""What the addresses of one log show: sizes, nothing, or another history, with evidence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.addresses import SIZE, changed, place
from tests.support.readers import POLICY, Objects, make_log
from tests.support.reference import flipped
from tiles.errors import ForkError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import VerifierKey
from tiles.read.addresses import Addresses
from tiles.read.client import LogClient
from tiles.read.elsewhere import compare
from tiles.tree.layout import CHECKPOINT


class Kept:
    """A memory that only keeps evidence."""

    def __init__(self) -> None:
        self.evidence: list[Mapping[str, bytes]] = []

    def last(self, key: VerifierKey) -> SignedCheckpoint | None:  # noqa: ARG002
        """Return nothing."""
        return None

    def remember(self, key: VerifierKey, signed: SignedCheckpoint, since: SignedCheckpoint | None) -> bool:  # noqa: ARG002
        """Say that it was done."""
        return True

    def save_evidence(self, key: VerifierKey, evidence: Mapping[str, bytes]) -> object:  # noqa: ARG002
        """Keep it."""
        self.evidence.append(evidence)
        return "here"


def compared(*places: Objects) -> list[tuple[int | None, str]]:
    """Return the sizes that the addresses of a log show, and the problems."""
    client = LogClient(Addresses(places), POLICY)
    client.visit()
    return [(shown.tree and shown.tree.size, shown.problem) for shown in compare(client, Kept())]


def test_other_sizes() -> None:
    """The log is read from its first address; a larger tree elsewhere is said, if it extends that one."""
    first, second, third = place("1", make_log(300)), place("2", make_log(300, SIZE)), place("3", make_log(100))
    client = LogClient(Addresses([first, second, third]), POLICY)
    assert client.visit().signed.tree.size == 300
    assert [shown.tree and shown.tree.size for shown in compare(client, None)] == [300, 600, 100]


def test_one_address() -> None:
    """A log with one address is not compared with anything."""
    client = LogClient(place("1", make_log(300)), POLICY)
    client.visit()
    assert compare(client, None) == []


@pytest.mark.parametrize("size", [300, 299, 301, SIZE])
def test_another_history(size: int) -> None:
    """A log that shows another history at another address has forked, with evidence that anyone can check."""
    other = place("other", make_log(size, tag="other", same_up_to=200))
    client = LogClient(Addresses([place("first", make_log(300)), other]), POLICY)
    client.visit()
    kept = Kept()
    with pytest.raises(ForkError, match=r"test://other/checkpoint: .* shows two histories") as raised:
        compare(client, kept)
    check_fork(raised.value.evidence, POLICY)
    assert kept.evidence == [raised.value.evidence]


def test_what_cannot_be_compared() -> None:
    """A checkpoint of somebody else, none, or one without its tiles, shows nothing."""
    bare = {CHECKPOINT: make_log(300, SIZE)[CHECKPOINT]}
    forged = changed(CHECKPOINT, lambda data: flipped(data, 100), 300)
    found = compared(place("1", make_log(300)), place("2", bare), place("3", forged), place("4", {}))
    assert [size for size, _ in found] == [300, None, None, None]
    assert "nothing shows that it is of the same history" in found[1][1]
    assert found[2][1]
    assert found[3][1] == "there is no checkpoint"
